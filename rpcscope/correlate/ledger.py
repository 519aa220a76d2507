"""What was counted for which operation, and who has changed since the last flush."""

from __future__ import annotations

from rpcscope.correlate.calls import NOTHING, CallState
from rpcscope.correlate.operations import OperationState

Counts = tuple[int, int, int, int, int]


class Ledger:
    """Each event of a call is counted once for the request id it carries and once for what made it happen."""

    def __init__(self) -> None:
        self._calls: list[CallState] = []
        self._operations: dict[int, OperationState] = {}

    def touch(self, call: CallState) -> None:
        """A call has changed. What else happens to it before it is counted, its operation is told then."""
        if call.touched:
            return
        call.touched = True
        self._calls.append(call)
        if call.operation is not None:
            call.operation.saw(call.last_ns)
            self.mark(call.operation)

    def mark(self, operation: OperationState) -> None:
        """An operation has changed."""
        self._operations[operation.id] = operation

    def take_calls(self) -> list[CallState]:
        """Calls that have changed, counted now."""
        touched, self._calls = self._calls, []
        for call in touched:
            call.touched = False
            self.count(call)
        return touched

    def take_operations(self) -> list[OperationState]:
        """Operations that have changed."""
        touched, self._operations = self._operations, {}
        return list(touched.values())

    def count(self, call: CallState) -> None:
        """Add what is new of a call to its operation, by request id and by cause."""
        operation = call.operation
        if operation is None:
            return
        now = call.counts()
        new = now if call.counted is NOTHING else _difference(now, call.counted)
        operation.by_request.add(call.kind, *new)
        operation.saw(call.last_ns)
        self.mark(operation)
        self._count_cause(call, call.cause or operation, new)
        call.counted = now

    def _count_cause(self, call: CallState, cause: OperationState, new: Counts) -> None:
        before = call.counted_cause
        if before is not None and before is not cause:
            before.by_cause.add(call.kind, *(-n for n in call.counted))
            self.mark(before)
            new = call.counts()
        cause.by_cause.add(call.kind, *new)
        cause.saw(call.last_ns, is_work=True)
        self.mark(cause)
        call.counted_cause = cause

    def uncount(self, call: CallState) -> None:
        """A reply found its request: what was counted as nobody's goes to the operation it belongs to."""
        if call.operation is None:
            return
        if call.touched:
            call.operation.saw(call.last_ns)
        if call.counted == NOTHING:
            return
        taken = [-n for n in call.counted]
        call.operation.by_request.add(call.kind, *taken)
        call.operation.by_cause.add(call.kind, *taken)
        self.mark(call.operation)
        call.counted, call.counted_cause = NOTHING, None


def _difference(now: Counts, before: Counts) -> Counts:
    publishes, replies, heartbeats, copies, size = before
    return now[0] - publishes, now[1] - replies, now[2] - heartbeats, now[3] - copies, now[4] - size
