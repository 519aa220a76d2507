"""A recorder on a tap that changes its view, into SQLite."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from rpcscope.model import RPCS, Call, Counters, Gap, LiveSighting, TapPhase
from rpcscope.pipeline import Recorder
from rpcscope.rules import load_rules
from rpcscope.store import Store
from rpcscope_collectors.tap import Tap
from rpcscope_collectors.tracing import Tracing
from rpcscope_collectors.views import Exchanges, Nothing, Traced, View
from tests.support.queues import wait_for
from tests.support.rabbitmq import Cloud
from tests.support.traffic import Traffic

VIEWS: dict[str, Callable[[], View]] = {
    "publish": lambda: Traced("publish"),
    "control": lambda: Traced("control"),
    "full": lambda: Traced("full"),
    "bindings": lambda: Exchanges(["nova"]),
    "off": Nothing,
}


class Recorded:
    """A recorder on a tap, into SQLite, with what the tap told beside messages."""

    def __init__(self, store: Store, tap: Tap, mode: str) -> None:
        self.phases, self.gaps = list[TapPhase](), list[Gap]()
        self._tap, self._reader = tap, store.reader()
        writer = store.writer()
        resume = writer.start(
            source="firehose", scope="switch", digest="", label="", tap_mode=mode, conditions="", started_ns=1
        )
        self._recorder = Recorder(writer, resume, load_rules(), clock=time.time_ns)
        self._failure: list[BaseException] = []
        self._thread = threading.Thread(target=self._run)

    def batches(self, max_events: int = 2000, max_wait_s: float = 0.5) -> Iterator[list[LiveSighting]]:
        for batch in self._tap.batches(max_events, min(max_wait_s, 0.1)):
            self.phases += [each for each in batch if isinstance(each, TapPhase)]
            self.gaps += [each for each in batch if isinstance(each, Gap)]
            yield batch

    def ack(self) -> None:
        self._tap.ack()

    @contextmanager
    def running(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._tap.stop()
            self._thread.join()
        if self._failure:
            raise self._failure[0]

    def _run(self) -> None:
        try:
            self._recorder.run(self)
            self.counters: Counters = self._recorder.end()
        except BaseException as error:
            self._failure.append(error)

    def rpcs(self) -> list[Call]:
        return [call for call in self._reader.calls() if call.kind in RPCS]


def go_to(mode: str, tap: Tap, tracing: Tracing, recorded: Recorded) -> None:
    """As a flight recorder does it: tracing is begun before, and ended after."""
    view, before = VIEWS[mode](), len(recorded.phases)
    if view.is_traced:
        tracing.begin()
    tap.change(view, "trigger: test")
    wait_for(lambda: [phase.mode for phase in recorded.phases[before:]][-1:] == [mode], within_s=60)
    if not view.is_traced:
        tracing.end()


@contextmanager
def flowing(*traffics: Traffic) -> Iterator[None]:
    """Operations from several connections."""
    with ExitStack() as stack:
        for traffic in traffics:
            stack.enter_context(traffic.flowing())
        yield


def several(cloud: Cloud) -> tuple[Traffic, ...]:
    """360 RPCs a second from three connections, and their exchange made."""
    queues = (("conductor", "compute.host-1"), ("scheduler", "compute.host-2"), ("api", "compute.host-3"))
    traffics = tuple(Traffic(cloud, rate=60, queues=one) for one in queues)
    for traffic in traffics:
        traffic.play(1)
        traffic.request_ids.clear()
        traffic.copies = 0
    return traffics
