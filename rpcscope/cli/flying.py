"""A tap that is flown: once a second it is decided what it should see, and it is brought there."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from rpcscope.cli.tapped import Tapped, view_of
from rpcscope.errors import BrokerError, RpcscopeError
from rpcscope.flight import FlightPlan, Pilot, Signs, Wish
from rpcscope.model import Gap, GapCause, TapPhase
from rpcscope.modes import OFF

if TYPE_CHECKING:
    from rpcscope.cli.asked import Asked
    from rpcscope.cli.bearing import Bearing
    from rpcscope.model import Batch, LiveSighting
    from rpcscope_collectors.views import View

log = logging.getLogger(__name__)

_LOOK_S = 1.0
_AGAIN_S = 30.0
_SEEN_S = 15.0


class Flying:
    """One broker's tap under a plan. It is told what is handed out and stored; the rest is its own thread."""

    def __init__(
        self,
        tapped: Tapped,
        plan: FlightPlan,
        bearing: Bearing,
        asked: Asked | None,
        *,
        left_off: TapPhase | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """Nothing is decided yet. Without `asked` nobody asks for details.

        `left_off` is the last phase of a recorder of the same name that was killed while its tap was off.
        """
        self._tapped, self._plan, self._bearing, self._asked = tapped, plan, bearing, asked
        self._clock = clock
        self._signs, self._pilot = Signs(plan.limits), Pilot(plan, clock())
        self._signs_lock = threading.Lock()
        self._mode, self._failed_s = plan.base, 0.0
        self._seen = threading.Event()  # the phase that was asked for has begun
        self._off = left_off
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rpcscope-flight", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._bearing.start()
        if self._asked is not None:
            self._asked.start()
        self._thread.start()

    def stop(self) -> None:
        """End; the tap stays in its mode. Waits for a change that is being made."""
        self._end.set()
        self._thread.join()
        self._bearing.stop()
        if self._asked is not None:
            self._asked.stop()

    def take(self, batch: Batch) -> None:
        """A batch is stored."""
        with self._signs_lock:
            self._signs.take(batch, self._clock())

    def saw(self, sightings: Sequence[LiveSighting]) -> list[Gap]:
        """What the tap hands out, in its order; the times in which it saw nothing on purpose, that end with it."""
        gaps: list[Gap] = []
        for phase in sightings:
            if isinstance(phase, TapPhase):
                gaps += self._surface(phase.at_ns)
                self._off = phase if phase.mode == OFF else None
                if phase.mode == self._mode:
                    self._seen.set()
        return gaps

    def land(self) -> list[Gap]:
        """The recording is over."""
        return self._surface(self._clock())

    def _surface(self, at_ns: int) -> list[Gap]:
        off, self._off = self._off, None
        return [] if off is None else [Gap(from_ns=off.at_ns, to_ns=at_ns, cause=GapCause.NOT_TRACED, note=off.why)]

    # ------------------------------------------------------------ its own thread

    def _run(self) -> None:
        while not self._end.wait(_LOOK_S):
            try:
                self._look()
            except Exception:
                log.exception("The flight recorder could not look at %s.", self._tapped.broker)

    def _look(self) -> None:
        now = self._clock()
        for trigger in self._asked.new() if self._asked is not None else ():
            self._pilot.ask(trigger.why, trigger.minutes, now)
        with self._signs_lock:
            reasons = self._signs.reasons(now)
        wish = self._pilot.decide(now, reasons, self._bearing.broken())
        if wish.mode != self._mode and time.monotonic() - self._failed_s >= _AGAIN_S:
            self._change(wish)

    def _change(self, wish: Wish) -> None:
        before, self._mode = self._mode, wish.mode
        self._seen.clear()
        try:
            self._bring(view_of(wish.mode, self._tapped.exchanges), wish.why)
        except RpcscopeError as error:
            self._mode, self._failed_s = before, time.monotonic()
            log.warning("%s stays in mode %s: %s", self._tapped.broker, before, error)
            return
        self._failed_s = 0.0
        click.echo(f"rpcscope: {self._tapped.broker}: {_said(wish)}", err=True)

    def _bring(self, view: View, why: str) -> None:
        tap, tracing = self._tapped.tap, self._tapped.tracing
        if view.is_traced and tracing is not None:
            tracing.begin()
        tap.change(view, why)
        self._wait_until_seen()
        if tap.mode != view.mode and not self._end.is_set():
            raise BrokerError(f"the broker does not let it change to {view.mode}; it is tried again")
        if not view.is_traced and tracing is not None:
            tracing.end()

    def _wait_until_seen(self) -> None:
        """Until then the tap sees what the mode before shows; a recorder that hangs must not hold that up."""
        deadline = time.monotonic() + _SEEN_S
        while not (self._seen.wait(0.1) or self._end.is_set()) and time.monotonic() < deadline:
            pass


def _said(wish: Wish) -> str:
    if wish.mode == OFF:
        return f"the tap lets go, {wish.why}; nothing is recorded until the broker is quiet"
    return f"mode {wish.mode} from now on, {wish.why}"
