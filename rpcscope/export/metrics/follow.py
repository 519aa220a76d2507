"""The metrics of a store, counted as it grows: each look reads what is new since the last one."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar

from rpcscope.export.metrics import catalogue
from rpcscope.export.metrics.family import Family, family
from rpcscope.export.metrics.meter import Choices, Meters
from rpcscope.export.metrics.recorders import Word, recorder_families
from rpcscope.in_hand import REPEAT_NS
from rpcscope.model import Batch, Call, FamilySample, InFlightSample, Operation
from rpcscope.query.ids import recording_of
from rpcscope.query.processes import processes
from rpcscope.query.status import RecorderStatus, recorders
from rpcscope.store.follow_rows import Closed, Mark
from rpcscope.store.protocol import Reader, RecordingInfo

MOST_CALLS = 50_000
"""Calls that one look counts, some ten microseconds each; what is left is for the next one."""
MOST_OPERATIONS = 2_000
"""Operations that are not over and are looked at again."""
_WHO_NS = 60_000_000_000
"""What processes are is read again after so long."""

_Stored = TypeVar("_Stored", Call, Operation)


class Follower:
    """Counts from its first look on: like every counter it begins with 0. Any thread may look."""

    def __init__(self, reader: Reader, choices: Choices | None = None) -> None:
        """Nothing is read yet."""
        self._reader = reader
        self._meters = Meters(choices)
        self._looking = threading.Lock()
        self._mark: Mark | None = None
        self._in_flight_ns = self._learnt_ns = 0
        self._polled_ns: dict[str, int] = {}

    def look(self) -> list[Family]:
        """All metrics as of now. Raises StoreError."""
        with self._looking:
            is_behind = self._follow()
        states = recorders(self._reader, time.time_ns())
        words = [_word(one) for one in states if one.state != "ended"]
        live = {one.recording.label for one in states if one.state == "recording"}
        behind = family(catalogue.BEHIND, [((), int(is_behind))])
        return [*recorder_families(words), *self._meters.families(live), behind]

    def _begin(self) -> Mark:
        """What was open before is not counted as sent."""
        mark = self._reader.mark()
        labels = {info.recording.id: info.recording.label for info in self._reader.recordings()}
        for call in self._reader.open_calls():
            self._meters.meter(labels[recording_of(call.id)]).know([call])
        return mark

    def _follow(self) -> bool:
        """Counts what is new; whether there is more."""
        if self._mark is None:
            self._mark = self._begin()
        found = self._reader.closed_since(self._mark, MOST_CALLS)
        infos = {info.recording.id: info for info in self._reader.recordings()}
        self._know_who(found.calls)
        changed = {c.operation_id for c in (*found.calls, *found.opened)} | set(
            self._meters.open_operations(MOST_OPERATIONS)
        )
        self._count(infos, found, self._reader.operations_by_id(changed - {0}))
        self._mark = found.mark
        return not found.is_all

    def _count(self, infos: dict[int, RecordingInfo], found: Closed, operations: list[Operation]) -> None:
        closed, opened = _by_recording(found.calls), _by_recording(found.opened)
        parts, settled = _by_recording(operations), defaultdict[int, list[int]](list)
        for number in found.settled:
            settled[recording_of(number)].append(number)
        in_flight, levels = self._in_flight(infos), self._levels()
        for number, info in infos.items():
            label = info.recording.label
            batch = Batch(
                recording_id=number,
                calls=tuple(closed[number]),
                open_calls=tuple(opened[number]),
                settled=tuple(settled[number]),
                operations=tuple(parts[number]),
                in_flight=tuple(in_flight.get(number, ())),
                family_samples=tuple(levels.pop(label, ())),
                last_ns=info.last_ns,
                ended=info.recording.ended_ns is not None,
            )
            if batch.calls or batch.open_calls or batch.operations or batch.in_flight or batch.family_samples:
                self._meters.meter(label).take(batch)

    def _know_who(self, calls: tuple[Call, ...]) -> None:
        now_ns = time.monotonic_ns()
        ends = {number for c in calls for number in (c.from_process, c.to_process)} - {0}
        if not self._learnt_ns or now_ns - self._learnt_ns > _WHO_NS or not self._meters.know(ends):
            self._meters.learn(processes(self._reader).values())
            self._learnt_ns = now_ns

    def _in_flight(self, infos: dict[int, RecordingInfo]) -> dict[int, list[InFlightSample]]:
        last_ns = max((info.last_ns for info in infos.values()), default=0)
        since_ns = self._in_flight_ns or last_ns - REPEAT_NS
        self._in_flight_ns = max(since_ns, last_ns - REPEAT_NS)
        found = self._reader.in_flight(since_ns, last_ns)
        newest = [one.at_ns for samples in found.values() for one in samples]
        self._in_flight_ns = max([self._in_flight_ns, *newest])  # that one again: what it is says the same
        return found

    def _levels(self) -> dict[str, list[FamilySample]]:
        """Families of the vhosts that were looked at since."""
        found: defaultdict[str, list[FamilySample]] = defaultdict(list)
        for poll in self._reader.queue_polls():
            if poll.at_ns > self._polled_ns.get(poll.vhost, 0):
                self._polled_ns[poll.vhost] = poll.at_ns
                mine = (one for one in self._reader.families(poll.at_ns, poll.at_ns) if one.vhost == poll.vhost)
                found[poll.vhost] = list(mine)
        return found


def _by_recording(found: Iterable[_Stored]) -> defaultdict[int, list[_Stored]]:
    sorted_out: defaultdict[int, list[_Stored]] = defaultdict(list)
    for one in found:
        sorted_out[recording_of(one.id)].append(one)
    return sorted_out


def _word(one: RecorderStatus) -> Word:
    health = one.health if one.state == "recording" else None
    return Word(recording=one.recording, health=health, counters=one.info.counters, gaps=one.gaps)
