"""How long a call is waited for, and how many are kept."""

from __future__ import annotations

from dataclasses import dataclass

SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how many. Times are nanoseconds of the recording's own clock."""

    linger_ns: int = 2 * SECOND  # after all expected was seen
    undelivered_ns: int = 600 * SECOND  # a cast that nobody takes from its queue
    late_ns: int = 600 * SECOND  # after a caller's time is over
    unanswered_ns: int = 86_400 * SECOND  # a call without a timeout, a cast whose work does not end
    bus_ns: int = 30 * SECOND  # until what a process told is taken for a call that no tap on the bus sees
    order_ns: int = 2 * SECOND  # where there is no such tap: until processes that tell at other times have told
    open_calls: int = 200_000
    recent_calls: int = 20_000  # closed ones that late events may still join
    operations: int = 50_000
