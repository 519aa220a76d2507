"""What a recorder concluded from silence while a tap was blind: it may be wrong, so it is not claimed.

A recorder does not know of its gaps: a call whose reply fell into one is taken for timed out when the caller's time is
over, and its operation for failed; a cast whose end fell into one is waited for, and its operation taken for stuck.
"""

from __future__ import annotations

from functools import cached_property

from rpcscope.model import Call, MessageKind, Operation, Outcome, Status
from rpcscope.query.gaps import Gaps, Loss
from rpcscope.query.horizon import Horizon
from rpcscope.query.ids import recording_of
from rpcscope.query.times import MS
from rpcscope.store.protocol import Reader

TIMEOUT_ERROR = "MessagingTimeout"
"""What a recorder says of an operation that failed because no reply came. Source: correlate/operations.py."""


class Doubts:
    """Asks whether an end may have been missed."""

    def __init__(self, reader: Reader, gaps: Gaps, horizon: Horizon) -> None:
        self._reader = reader
        self._gaps = gaps
        self._horizon = horizon

    def of_part(self, part: Operation) -> bool:
        """Whether it may have ended otherwise than its recorder says: it is taken to wait, or to have timed out."""
        if not self._gaps:
            return False
        if part.status is Status.RUNNING:
            return self._of_waiting(part)
        timed_out = part.status is Status.FAILED and part.error == TIMEOUT_ERROR
        return timed_out and self._is_blind(part.id, part.started_ns, self._as_of(part.id)) and self._of_calls(part)

    def of_call(self, call: Call) -> bool:
        """Whether its reply may have been missed."""
        if call.kind is not MessageKind.REQUEST or call.replied_ns is not None or call.published_ns is None:
            return False
        return self._is_blind(call.id, call.published_ns, self._until(call))

    def during(self, call: Call) -> tuple[Loss, ...]:
        """What was missed while it was open."""
        if not self._gaps:
            return ()
        return self._gaps.touching(call.published_ns or call.last_ns, max(call.last_ns, self._until(call)))

    def _until(self, call: Call) -> int:
        """When nothing more of it was to come."""
        if call.kind is not MessageKind.REQUEST or call.replied_ns is not None:
            return call.last_ns
        as_of = self._as_of(call.id)
        if call.expiration_ms is None or call.published_ns is None:
            return as_of
        return min(as_of, call.published_ns + call.expiration_ms * MS)

    def _of_waiting(self, part: Operation) -> bool:
        since = part.owed_since_ns or part.last_ns
        if self._open.get(part.owed_call) is MessageKind.CAST:
            since = max(since, part.last_ns)  # its end comes after its steps
        return self._is_blind(part.id, since, self._as_of(part.id))

    def _of_calls(self, part: Operation) -> bool:
        calls = self._reader.calls(operation_ids=(part.id,), cause_ids=(part.id,))
        return any(call.outcome is Outcome.TIMED_OUT and self.of_call(call) for call in calls)

    def _is_blind(self, number: int, from_ns: int, to_ns: int) -> bool:
        """Whether the tap of a call or operation was blind at some time between."""
        return bool(self._gaps) and bool(self._gaps.touching(from_ns, to_ns, self._horizon.same(recording_of(number))))

    def _as_of(self, number: int) -> int:
        return self._horizon.last_ns(recording_of(number))

    @cached_property
    def _open(self) -> dict[int, MessageKind]:
        return {call.id: call.kind for call in self._reader.open_calls()}
