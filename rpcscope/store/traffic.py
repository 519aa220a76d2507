"""What the reader says of the traffic of a time: calls added up, or those of one method."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which calls were looked at; `weight` times as many are taken to have been around it."""

    from_ns: int
    to_ns: int  # not in it
    weight: float  # 1: nothing around it was left out


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficSum:
    """Calls that have all of the names in common. Where not all were looked at, counts are estimates.

    Names are "" while unknown.
    """

    kind: int  # MessageKind
    method: str
    topic: str
    from_program: str
    from_role: str
    to_program: str
    to_role: str
    bucket: int | None  # of the time from publish to reply (`store.buckets`); None where it is not known
    calls: float
    known: float  # calls whose outcome is known: ok, failed or timed out
    failed: float  # the expected ones are not in it
    expected: float  # failures that the rules say are normal
    timed_out: float
    took_ns: float  # sum from publish to reply, where both are known
    bytes: float  # of requests and replies
    largest_bytes: int  # of one request with its replies, as far as looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Calls, casts and fanouts of a time."""

    windows: tuple[Window, ...]  # what was looked at: all of it, or times spread evenly over it
    sums: tuple[TrafficSum, ...]

    @property
    def is_whole(self) -> bool:
        """Nothing was left out."""
        return all(window.weight == 1 for window in self.windows)


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodCall:
    """One call of a method. Times are None and ids 0 where they are not known."""

    id: int
    weight: float  # so many calls it stands for
    kind: int
    outcome: int
    flags: int
    clock: int
    unique_id: str
    operation_id: int
    cause_id: int
    parent_id: int
    parent_method: str  # "" without a parent, or where it is not stored
    topic: str
    from_process: int
    to_process: int
    first_ns: int
    published_ns: int | None
    delivered_ns: int | None
    replied_ns: int | None
    reply_delivered_ns: int | None
    replies: int
    request_bytes: int
    reply_bytes: int
    failure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodTraffic:
    """Calls of one method in a time."""

    windows: tuple[Window, ...]
    every: int  # of so many of its calls in the windows one was read
    calls: tuple[MethodCall, ...]

    @property
    def is_whole(self) -> bool:
        """Nothing was left out."""
        return self.every == 1 and all(window.weight == 1 for window in self.windows)
