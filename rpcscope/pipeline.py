"""From a source to the store: the one loop that importing a file and recording live share.

    source.batches() -> decode -> repeats out -> correlate -> sink.write(batch) -> source.ack()

Nothing is acknowledged before its transaction is committed, so a recorder that is killed at any
moment loses nothing that the broker still holds, and what the broker gives it twice is known by its
fingerprint.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from rpcscope.correlate import Correlator, Limits
from rpcscope.decode import Decoder
from rpcscope.errors import DecodeError, StoreError
from rpcscope.fingerprints import Fingerprints
from rpcscope.garbage import seldom_collected
from rpcscope.model import (
    Batch,
    Counters,
    Gap,
    Inside,
    LiveSighting,
    Marker,
    Observation,
    Resume,
    Sighting,
    TapPhase,
    Topology,
)
from rpcscope.queue_intake import QueueIntake
from rpcscope.rules import Rules
from rpcscope.ways import Ways

log = logging.getLogger(__name__)

LONGEST_PAUSE_S = 10.0
SILENCE_NS = 5_000_000_000


class Source(Protocol):
    """What yields sightings: a tap or a capture file."""

    def batches(
        self, max_events: int = 2000, max_wait_s: float = 0.5
    ) -> Iterator[list[Sighting]] | Iterator[list[LiveSighting]]:
        """Lists of sightings, also empty ones now and then, until the source ends or is stopped."""
        ...

    def ack(self) -> None:
        """All that was handed out so far is stored."""
        ...


class Sink(Protocol):
    """What stores batches: `rpcscope.store.Writer`."""

    def write(self, batch: Batch) -> None:
        """Commit one batch; when it returns, it is durable."""
        ...


@dataclass(slots=True)
class Count:
    """Mutable twin of `model.Counters`, without what the correlator counts."""

    seen: int = 0
    decoded: int = 0
    rejected: int = 0
    duplicates: int = 0
    markers: int = 0


class Recorder:
    """One recording: takes a source's sightings into a store."""

    def __init__(
        self,
        sink: Sink,
        resume: Resume,
        rules: Rules,
        *,
        use_traceparent: bool = True,
        limits: Limits | None = None,
        clock: Callable[[], int] | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """A recording that goes on where `resume` says.

        Args:
            clock: for live sources: the time in ns, so that callers' times end and calls close in silence, too.
        """
        self._sink = sink
        self._resume = resume
        self._before = resume.counters
        self._decoder = Decoder(rules)
        self._correlator = Correlator(
            rules,
            resume.recording.id,
            use_traceparent=use_traceparent,
            mode=resume.recording.tap_mode,
            limits=limits,
        )
        self._correlator.resume(resume)
        self._fingerprints = Fingerprints(resume.fingerprints)
        self._ways = Ways()
        self._clock = clock
        self._committed_ns = self._stored_ns = 0
        self._pause = pause
        self._position = self._skip = resume.position
        self._queues = QueueIntake()
        self._phases: list[TapPhase] = []
        self._count = Count()

    def run(
        self, source: Source, *, batch_events: int = 2000, progress: Callable[[Counters], None] | None = None
    ) -> None:
        """Store everything the source yields, until it ends.

        Args:
            progress: called after each commit with the totals so far.

        Raises:
            StoreError: the database refuses, and waiting would not help.
        """
        with seldom_collected():
            for sightings in source.batches(max_events=batch_events):
                gaps = self._take(sightings)
                if sightings or self._is_due():
                    self._commit(gaps, caught_up=len(sightings) < batch_events)
                    source.ack()
                    if progress is not None:
                        progress(self.counters())

    def end(self, *, rejected: int = 0) -> Counters:
        """Close what is complete and mark the recording as ended; the totals.

        Args:
            rejected: lines that the source itself could not read.
        """
        self._count.seen += rejected
        self._count.rejected += rejected
        self._commit([], ended=True)
        return self.counters()

    @property
    def stored_ns(self) -> int:
        """When the store last took something, by the recorder's clock; 0 before that or without a clock."""
        return self._stored_ns

    def counters(self) -> Counters:
        """Totals of the recording, over all its runs."""
        b, c, k = self._before, self._count, self._correlator
        return Counters(
            seen=b.seen + c.seen,
            decoded=b.decoded + c.decoded,
            rejected=b.rejected + c.rejected,
            duplicates=b.duplicates + c.duplicates,
            markers=b.markers + c.markers,
            messages=b.messages + k.messages,
            copies=b.copies + k.copies,
            evicted=b.evicted + k.evicted,
        )

    def _is_due(self) -> bool:
        """In silence a live recorder still says now and then how far it is."""
        if self._clock is None:
            return False
        return self._clock() - self._committed_ns >= SILENCE_NS

    def _take(self, sightings: Sequence[LiveSighting]) -> list[Gap]:
        gaps = []
        for sighting in sightings:
            if type(sighting) is Observation:
                if self._skip:  # an interrupted import goes on behind what is stored
                    self._skip -= 1
                else:
                    self._observe(sighting)
            elif isinstance(sighting, Topology):
                self._correlator.learn(sighting)
                self._queues.learn(sighting)
            elif isinstance(sighting, Gap):
                gaps.append(sighting)
            elif isinstance(sighting, TapPhase):
                self._phases.append(sighting)
                self._correlator.phase(sighting)
            elif isinstance(sighting, Inside):
                if self._skip:
                    self._skip -= 1
                else:
                    self._hear(sighting)
            elif not isinstance(sighting, Observation):
                self._queues.feed(sighting)
        return gaps

    def _observe(self, seen: Observation) -> None:
        count = self._count
        count.seen += 1
        self._position += 1
        try:
            message = self._decoder.decode(seen)
        except DecodeError:
            count.rejected += 1
            return
        if isinstance(message, Marker):
            count.markers += 1
            return
        count.decoded += 1
        if self._fingerprints.is_repeat(message):
            count.duplicates += 1
        elif self._ways.is_copy(message):
            count.duplicates += 1
            self._correlator.attribute(message)
        else:
            self._correlator.feed(message)

    def _hear(self, told: Inside) -> None:
        self._count.seen += 1
        self._count.decoded += 1
        self._position += 1
        self._correlator.feed_inside(told)

    def _commit(self, gaps: list[Gap], *, caught_up: bool = True, ended: bool = False) -> None:
        if self._clock is not None:
            self._committed_ns = self._clock()
            if caught_up:  # else what would end a call may be waiting behind this batch
                self._correlator.advance(self._committed_ns)
        changes = self._correlator.flush(final=ended)
        queues = self._queues.take_new()
        batch = Batch(
            recording_id=self._resume.recording.id,
            calls=changes.closed,
            open_calls=changes.still_open,
            settled=changes.settled,
            operations=changes.operations,
            processes=changes.processes,
            gaps=tuple(gaps),
            fingerprints=self._fingerprints.take_new(),
            position=self._position,
            counters=self.counters(),
            last_ns=self._correlator.now_ns,
            ended=ended,
            queue_polls=queues.queue_polls,
            queue_samples=queues.queue_samples,
            family_samples=queues.family_samples,
            node_states=queues.node_states,
            churn=queues.churn,
            layouts=queues.layouts,
            phases=tuple(self._phases),
            in_flight=changes.in_flight,
            accounts=changes.accounts,
            notices=changes.notices,
            progress=changes.progress,
        )
        self._write(batch)
        self._phases.clear()
        self._stored_ns = self._clock() if self._clock is not None else 0

    def _write(self, batch: Batch) -> None:
        """Try until it is in: a database that restarts or is locked gets the same batch again."""
        pause_s = 0.1
        while True:
            try:
                return self._sink.write(batch)
            except StoreError as error:
                if not getattr(error, "transient", False):
                    raise
                log.warning("%s; trying again in %.1f s, nothing is lost meanwhile", error, pause_s)
                self._pause(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
