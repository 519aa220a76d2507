"""A recorder's word on its own health: to the database every few seconds, to who asks at any time."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rpcscope.errors import StoreError
from rpcscope.export.metrics.recorders import Word
from rpcscope.store.protocol import HEALTH_EVERY_S, GapTotal, RecorderHealth
from rpcscope.vitals import Rate, cpu_s, rss_bytes

if TYPE_CHECKING:
    from rpcscope.cli.ears import EarTap
    from rpcscope.model import Counters, Recording
    from rpcscope.pipeline import Recorder
    from rpcscope.store.store import Store
    from rpcscope_collectors.tap import Tap
    from rpcscope_collectors.tracing import Tracing

log = logging.getLogger(__name__)


class HealthReport:
    """Reports while its block runs, in a thread of its own: also when the recorder waits for the database."""

    def __init__(
        self, store: Store, recording: Recording, recorder: Recorder, tap: Tap | EarTap, tracing: Tracing | None
    ) -> None:
        """Nothing is said yet."""
        self._recording, self._recorder, self._tap, self._tracing = recording, recorder, tap, tracing
        self._writer, self._reader = store.writer(), store.reader()
        self._events, self._cpu = Rate(), Rate()
        self._gaps: tuple[GapTotal, ...] = ()
        self._asked = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rpcscope-health", daemon=True)

    def look(self) -> Word:
        """As of now. Any thread may ask."""
        health, counters = self._look()
        return Word(recording=self._recording, health=health, counters=counters, gaps=self._gaps)

    def _look(self) -> tuple[RecorderHealth, Counters]:
        with self._asked:
            counters = self._recorder.counters()
            tracing = self._tracing
            traced, nodes = tracing.nodes_traced if tracing is not None and tracing.is_begun else (None, None)
            lag_s = self._tap.lag_s
            health = RecorderHealth(
                recording_id=self._recording.id, at_ns=time.time_ns(), since_ns=self._recording.started_ns,
                host=socket.gethostname(), pid=os.getpid(), stored_ns=self._recorder.stored_ns,
                events_rate=self._events.take(counters.seen), backlog=self._tap.backlog,
                cpu_share=self._cpu.take(cpu_s()), lag_ns=None if lag_s is None else int(lag_s * 1e9),
                rss_bytes=rss_bytes(), nodes_traced=traced, nodes=nodes,
            )  # fmt: skip
            return health, counters

    def __enter__(self) -> Self:
        """Begin, with a first report."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End, with a last report; a recorder that fails does not wait for that."""
        self._end.set()
        if kind is None:
            self._thread.join()
            self._report()

    def _run(self) -> None:
        while not self._end.is_set():
            self._report()
            self._end.wait(HEALTH_EVERY_S)

    def _report(self) -> None:
        try:
            self._writer.report(self._look()[0])
            mine = [total for total in self._reader.gap_totals() if total.recording_id == self._recording.id]
            self._gaps = tuple(mine)
        except StoreError as error:  # the recorder itself says it aloud
            log.info("Its health is not stored: %s", error)
