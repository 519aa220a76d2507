"""What is still expected of a call, and how long it is waited for."""

from __future__ import annotations

from rpcscope.correlate.calls import CallState
from rpcscope.correlate.limits import Limits
from rpcscope.correlate.testimony import in_hand
from rpcscope.correlate.words import CAST, HEARTBEAT, REPLY, REQUEST
from rpcscope.modes import Sight


class Patience:
    """Knows which events the tap gets: one that sees no deliveries does not wait for them."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.sees_deliveries = False
        self.sees_reply_copies: bool | None = None  # None: not known yet

    def look(self, sight: Sight) -> None:
        """What the tap sees has changed; of what it may see, it is learned again whether it does."""
        self.sees_deliveries = self.sees_deliveries and sight.deliveries
        self.sees_reply_copies = None if sight.copies else False

    def is_complete(self, call: CallState) -> bool:
        """Whether nothing more is expected of it, but for late copies."""
        if call.kind is REQUEST:
            return (call.replied_ns is not None or call.blind) and call.is_known
        if call.kind is CAST:
            return not (_is_at_work(call) or self._is_queued(call) or in_hand(call))
        return call.kind not in (REPLY, HEARTBEAT)  # their request may come

    def may_close_at_end(self, call: CallState) -> bool:
        """A reply that was not delivered yet will be, for who goes on with the recording."""
        return self.is_complete(call) and (self.sees_reply_copies is False or not _lacks_reply_copy(call))

    def linger_ns(self, call: CallState) -> int:
        """How long a complete call may still get late copies."""
        # The end of a cast is not stored with it: it is closed with what ended it, or a restart would wait again.
        # A call whose caller has its answer is over, and most need not be stored as open first.
        return 0 if call.ended or _has_all(call) else self._limits.linger_ns

    def until_ns(self, call: CallState) -> int:
        """When an incomplete call is given up, or its caller's time is over."""
        limits, deadline = self._limits, call.deadline_ns()
        if call.published_ns is None or call.timed_out:
            return max(call.last_ns, deadline or 0) + limits.late_ns
        if call.kind is CAST and (not _is_at_work(call) or call.is_lost_to_sight):
            return call.last_ns + limits.undelivered_ns
        return call.published_ns + limits.unanswered_ns if deadline is None else deadline

    def ended(self, call: CallState) -> None:
        """Learn from a call that is closed after it has lingered."""
        if _lacks_reply_copy(call):
            self.sees_reply_copies = False

    def _is_queued(self, cast: CallState) -> bool:
        return self.sees_deliveries and cast.delivered_ns is None and cast.routed != 0


def _is_at_work(cast: CallState) -> bool:
    return bool(cast.end) and not cast.ended and cast.published_ns is not None


def _has_all(call: CallState) -> bool:
    return call.reply_delivered_ns is not None and call.answered and None not in (call.published_ns, call.delivered_ns)


def _lacks_reply_copy(call: CallState) -> bool:
    return call.answered and call.is_known and call.reply_delivered_ns is None
