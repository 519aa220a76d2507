"""A store in memory: takes batches, and gives back what a recorder needs to go on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rpcscope.correlate import Limits
from rpcscope.model import (
    Batch,
    Call,
    Counters,
    MessageKind,
    Operation,
    Process,
    Recording,
    Resume,
    Sighting,
    Status,
    Tally,
)
from rpcscope.pipeline import Recorder
from rpcscope.rules import Rules, load_rules

TALLY = [field.name for field in dataclasses.fields(Tally)]


class Memory:
    """What `Sink.write` was given, as tables; `resume` reads them as the real store does."""

    def __init__(self) -> None:
        self.closed: dict[int, Call] = {}
        self.open: dict[int, Call] = {}
        self.operations: dict[int, Operation] = {}
        self.processes: dict[int, Process] = {}
        self.fingerprints = b""
        self.position = 0
        self.counters = Counters()
        self.batches: list[Batch] = []

    def write(self, batch: Batch) -> None:
        for call in batch.calls:
            assert call.id not in self.closed, "a call was closed twice"
            self.closed[call.id] = call
        for number in batch.settled:
            assert self.open.pop(number, None) is not None, "a call was settled that was not open"
        for call in batch.open_calls:
            assert call.id not in self.closed, "a closed call is said to be open"
            self.open[call.id] = call
        self.operations |= {one.id: one for one in batch.operations}
        self.processes |= {one.id: one for one in batch.processes}
        self.fingerprints += batch.fingerprints
        self.position, self.counters = batch.position, batch.counters
        self.batches.append(batch)

    def resume(self, *, again: bool = False) -> Resume:
        """For a new recording; with `again` for the same one at its position."""
        number = self.batches[-1].recording_id if self.batches else 0
        number = number if again else number + 1
        open_calls = tuple(self.open.values())
        wanted = {n for call in open_calls for n in (call.operation_id, call.cause_id)}
        last = max((n & (1 << 40) - 1 for n in self._numbers() if n >> 40 == number), default=0)
        return Resume(
            recording=recording(number),
            position=self.position if again else 0,
            counters=self.counters if again else Counters(),
            open_calls=open_calls,
            operations=tuple(o for o in self.operations.values() if o.id in wanted or _unfinished(o)),
            processes=tuple(p for p in self.processes.values() if p.gone_ns is None),
            fingerprints=self.fingerprints,
            next_ids=last + 1,
        )

    def _numbers(self) -> Iterator[int]:
        for table in (self.closed, self.open, self.operations, self.processes):
            yield from table

    # ------------------------------------------------------------ answers

    def calls(self) -> list[Call]:
        """All rows, closed and open."""
        return [*self.closed.values(), *self.open.values()]

    def call(self, unique_id: str) -> Call:
        """The only row of a call."""
        (found,) = [call for call in self.calls() if call.unique_id == unique_id]
        return found

    def parts(self, request_id: str) -> list[Operation]:
        return [one for one in self.operations.values() if one.request_id == request_id]

    def operation(self, request_id: str) -> Operation:
        """The only part of an operation."""
        (found,) = self.parts(request_id)
        return found

    def parent(self, unique_id: str) -> str:
        """Unique id of the parent of a call."""
        return self.call(unique_id).parent_unique_id

    def process(self, number: int) -> Process:
        return self.processes[number]


def recording(number: int = 1) -> Recording:
    return Recording(
        id=number, source="firehose", scope="scope", digest="", label="", tap_mode="full", conditions="",
        started_ns=0, ended_ns=None,
    )  # fmt: skip


def _unfinished(one: Operation) -> bool:
    return not one.background and one.status not in (Status.DONE, Status.FAILED)


class Given:
    """A source that yields a list of sightings in batches and notes how many were acknowledged."""

    def __init__(self, sightings: Iterable[Sighting]) -> None:
        self.sightings = list(sightings)
        self.handed_out = 0
        self.acknowledged = 0

    def batches(self, max_events: int = 2000, max_wait_s: float = 0.5) -> Iterator[list[Sighting]]:
        for start in range(0, len(self.sightings), max_events):
            batch = self.sightings[start : start + max_events]
            self.handed_out += len(batch)
            yield batch

    def ack(self) -> None:
        self.acknowledged = self.handed_out


def record(
    sightings: Sequence[Sighting],
    *,
    into: Memory | None = None,
    rules: Rules | None = None,
    limits: Limits | None = None,
    batch_events: int = 2000,
    use_traceparent: bool = True,
    ended: bool = True,
    again: bool = False,
    mode: str = "full",
) -> Memory:
    """One recorder's run from the first to the last sighting."""
    memory = into or Memory()
    resume = memory.resume(again=again)
    resume = dataclasses.replace(resume, recording=dataclasses.replace(resume.recording, tap_mode=mode))
    recorder = Recorder(memory, resume, rules or load_rules(), use_traceparent=use_traceparent, limits=limits)
    recorder.run(Given(sightings), batch_events=batch_events)
    if ended:
        recorder.end()
    return memory


def total(tallies: Iterable[Tally]) -> Tally:
    """Tallies added up."""
    rows = [dataclasses.asdict(one) for one in tallies]
    return Tally(**{name: sum(row[name] for row in rows) for name in TALLY})


def tally_of(calls: Iterable[Call]) -> Tally:
    """What call rows add up to."""
    names = ("calls", "casts", "fanouts", "replies", "heartbeats", "notifications")
    sums: dict[str, Any] = dict.fromkeys(TALLY, 0)
    for call in calls:
        if call.kind not in (MessageKind.REPLY, MessageKind.HEARTBEAT):
            sums[names[call.kind]] += call.publishes
        sums["replies"] += call.replies
        sums["heartbeats"] += call.heartbeats
        sums["copies"] += call.copies
        sums["bytes"] += call.request_bytes + call.reply_bytes
    return Tally(**sums)
