"""Taps of a command: opened together, ended by one signal, closed each."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rpcscope.cli.brokers import Place
from rpcscope.errors import BrokerError, UsageError
from rpcscope.modes import OFF, REQUESTS_ONLY

if TYPE_CHECKING:
    from types import FrameType

    from rpcscope.cli.ears import Untapped
    from rpcscope_collectors.management import Management
    from rpcscope_collectors.tracing import Tracing
    from rpcscope_collectors.views import View

_BY_HAND = (
    "tracing is not switched on by rpcscope, because no --management-url is given: run "
    "`rabbitmqctl trace_on -p '{vhost}'` on each node of the broker, `rabbitmqctl trace_off -p '{vhost}'` afterwards"
)
ENDS = "Ctrl-C ends it, a second one without waiting"
"""How people are told that a command runs until they end it."""
_LEFT = "the broker still holds events that are not stored: start again within ten minutes, under the same --name"


class Tapped:
    """The tap on one broker, with its tracing."""

    def __init__(self, place: Place, where: dict[str, Any], *, detail: str = "", resume_ns: int = 0) -> None:
        """Nothing is connected yet; `detail` is a mode that it may be changed to.

        Raises UsageError for options that contradict each other.
        """
        from rpcscope_collectors.tap import Tap

        self.broker, self.exchanges = place.broker, tuple(where["exchanges"])
        self.taken = self._clean = self._closed = False
        self._managements = managements = managements_of(place)
        self._state = state_dir(where["state_dir"])
        modes = {where["mode"], detail or where["mode"]}
        if self.exchanges and REQUESTS_ONLY not in modes:
            raise UsageError("--exchange is for --mode bindings: the other modes see every exchange")
        traces = modes != {REQUESTS_ONLY} and not where["no_trace"]
        if detail and traces and not managements:
            raise UsageError("--flight switches tracing: give --management-url, or --no-trace where it is always on")
        self.tracing = _tracing(self.broker.vhost, managements, self._state) if traces else None
        self.tap = Tap(
            self.broker,
            view=view_of(where["mode"], self.exchanges),
            tracing=self.tracing,
            name=where["name"],
            beside=where.get("beside", False),
            managements=managements,
            state_dir=self._state,
            resume_ns=resume_ns,
        )

    def open(self) -> None:
        """Connects and begins tracing. Raises BrokerError."""
        self.tap.open()
        if self.tracing is None:
            return
        if self.tap.mode == REQUESTS_ONLY:
            self._end_what_was_left()
            return
        traced, nodes = self.tracing.nodes_traced
        if not traced:
            raise BrokerError(f"tracing could not be switched on: {self.tracing.advice()}")
        if traced < nodes:
            advice = self.tracing.advice()
            click.echo(f"rpcscope: nodes traced {traced} of {nodes}: counts are not whole. {advice}", err=True)

    def _end_what_was_left(self) -> None:
        """A recorder that was killed while it looked closer has left tracing on, and we do not need it yet."""
        from rpcscope_collectors.tracing import untrace

        try:
            ended = untrace(self._managements, self.broker.vhost, self._state)
        except UsageError:
            return  # another recorder lives by it
        if ended:
            click.echo(f"rpcscope: ended tracing that was left on, on {', '.join(ended)}", err=True)

    def stored(self) -> None:
        """All that it handed out is stored. Only then its queue goes; else the broker keeps it for the next run."""
        self._clean = self.tap.drained
        if not self._clean:
            click.echo(f"rpcscope: {_LEFT}", err=True)

    def close(self) -> None:
        """Ends tracing and disconnects; again does nothing."""
        if not self._closed:
            self._closed = True
            unused = not self.taken and self.tap.has_new_queue
            self.tap.close(delete_queue=self._clean or unused)


@contextmanager
def running(taps: Sequence[Tapped | Untapped], duration: float | None) -> Iterator[None]:
    """Opens all taps, ends them by a signal or after a time, closes each whatever becomes of the others.

    A second signal leaves at once.
    """
    signalled = False

    def end() -> None:
        for one in taps:
            one.tap.stop()

    def stop(signum: int, frame: FrameType | None) -> None:
        nonlocal signalled
        if signalled:
            raise KeyboardInterrupt
        signalled = True
        end()

    with ExitStack() as stack:
        for number in (signal.SIGINT, signal.SIGTERM):
            stack.callback(signal.signal, number, signal.signal(number, stop))
        for one in taps:
            stack.callback(one.close)
            one.open()
        if duration is not None:
            timer = threading.Timer(duration, end)
            stack.callback(timer.cancel)
            timer.start()
        for one in taps:
            one.taken = True
        yield


def view_of(mode: str, exchanges: Sequence[str]) -> View:
    """What a tap in this mode looks at."""
    from rpcscope_collectors.views import Exchanges, Nothing, Traced

    if mode == OFF:
        return Nothing()
    if mode == REQUESTS_ONLY:
        return Exchanges(exchanges)
    return Traced("full" if mode == "full" else "control" if mode == "control" else "publish")


def _tracing(vhost: str, managements: Sequence[Management], state: Path) -> Tracing | None:
    from rpcscope_collectors.tracing import Tracing

    if managements:
        return Tracing(managements, vhost, state)
    click.echo(f"rpcscope: {_BY_HAND.format(vhost=vhost)}", err=True)
    return None


def managements_of(place: Place) -> list[Management]:
    """The management APIs of a broker, one for each node."""
    from rpcscope_collectors.management import Management

    return [Management(url, place.broker.username, place.broker.password) for url in place.management_urls]


def state_dir(given: Path | None) -> Path:
    """Where it is noted which tracing is ours."""
    from platformdirs import user_state_path

    return given or user_state_path("rpcscope", appauthor=False)
