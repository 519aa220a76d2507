"""What a recorder stores, looked at for what is not as usual."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rpcscope.flight.open_calls import OpenCalls, Place
from rpcscope.flight.plan import SECOND, Limits
from rpcscope.flight.reasons import Reason
from rpcscope.flight.shares import Shares
from rpcscope.model import Batch, Operation, Status

_MAX_OWED = 20_000  # operations that are watched at a time; the oldest is forgotten
_TOLD = 5  # reasons of one sort


class Signs:
    """Takes each batch once it is stored, and says what of it goes beyond the limits. Not for several threads."""

    def __init__(self, limits: Limits) -> None:
        """Nothing is known yet."""
        self._limits = limits
        self._shares = Shares()
        self._calls = OpenCalls(self._shares)
        self._owed: dict[int, Operation] = {}
        self._deep: dict[str, int] = {}  # queue or family -> messages that wait; those beyond the limit alone
        self._shallow: set[str] = set()  # seen below the limit

    def take(self, batch: Batch, now_ns: int) -> None:
        """One batch as it was stored."""
        self._calls.take(batch, now_ns)
        for operation in batch.operations:
            self._owed.pop(operation.id, None)
            if operation.status is Status.RUNNING and operation.owed_call:
                self._owed[operation.id] = operation
        while len(self._owed) > _MAX_OWED:
            del self._owed[next(iter(self._owed))]
        for queue in batch.queue_samples:
            self._depth(f"queue {queue.queue}", queue.ready)
        for family in batch.family_samples:
            if family.queues > 1:
                self._depth(f"queues {family.family}", family.ready)

    def reasons(self, now_ns: int) -> list[Reason]:
        """What goes beyond the limits now, the plainest first; a few of each sort."""
        return [*self._stuck(now_ns), *self._in_flight(), *self._depths(), *self._rates(now_ns)]

    def _depth(self, place: str, ready: int | None) -> None:
        """What was deep before we came is no news: it counts once it was seen below the limit."""
        if self._limits.depth is None:
            return
        if ready is None or ready < self._limits.depth:
            self._deep.pop(place, None)
            if ready is not None and len(self._shallow) < _MAX_OWED:
                self._shallow.add(place)
        elif place in self._shallow:
            self._deep[place] = ready

    def _stuck(self, now_ns: int) -> list[Reason]:
        limit = self._limits.stuck_ns
        if limit is None:
            return []
        still = ((now_ns - max(one.owed_since_ns or 0, one.last_ns), one) for one in self._owed.values())
        return _few((age, _is_stuck(one, age)) for age, one in still if age >= limit)

    def _in_flight(self) -> list[Reason]:
        limit = self._limits.in_flight
        if limit is None:
            return []
        return _few((n, self._is_busy(place, n)) for place, n in self._calls.owed.items() if n >= limit)

    def _is_busy(self, place: Place, count: int) -> Reason:
        process = self._calls.processes.get(place[0])
        if process is not None:
            who = f"{process.program}:{process.pid}" if process.program else process.key
            text = f"{who}{f' on {process.host}' if process.host else ''} owes {count:,} calls"
        else:
            text = f"{count:,} calls to {place[1] or 'one process'} are not answered"
        return Reason(f"in flight {place[0]} {place[1]}", text)

    def _depths(self) -> list[Reason]:
        return _few((n, Reason(f"depth {place}", f"{n:,} messages wait in {place}")) for place, n in self._deep.items())

    def _rates(self, now_ns: int) -> Iterator[Reason]:
        limits = self._limits
        calls, failed, timed_out = self._shares.of_last_minute(now_ns)
        if calls < limits.least_calls:
            return
        if limits.error_share is not None and failed >= limits.error_share * calls > 0:
            yield Reason("errors", f"{failed:,} of {calls:,} calls of the last minute failed")
        if limits.timeout_share is not None and timed_out >= limits.timeout_share * calls > 0:
            yield Reason("timeouts", f"{timed_out:,} of {calls:,} calls of the last minute timed out")


def _is_stuck(one: Operation, age_ns: int) -> Reason:
    name = one.kind or "operation"
    where = f" on {one.owed_host}" if one.owed_host else ""
    text = f"{name} {one.request_id} waits for {one.owed_method}{where} since {age_ns // SECOND:,} s"
    return Reason(f"stuck {one.request_id}", text)


def _few(weighed: Iterable[tuple[int, Reason]]) -> list[Reason]:
    ordered = sorted(weighed, key=lambda pair: (-pair[0], pair[1].key))
    return [reason for _, reason in ordered[:_TOLD]]
