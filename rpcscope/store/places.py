"""Long lists of operations, asked for a page at a time from a place on, however many there are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rpcscope.model import Operation


class OperationOrder(Enum):
    """What a list of operations is sorted by. Only by their start is it read from an index, a page at a time."""

    STARTED = "started"
    DURATION = "duration"  # those that are not over are left out
    RPCS = "rpcs"
    MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list was left: what is behind it comes next, whatever is stored meanwhile."""

    value: int  # of what is sorted by: nanoseconds, or a count
    id: int  # Operation.id of one of its parts


@dataclass(frozen=True, slots=True)
class Placed:
    """One operation of a list: all its parts, newest first, and its place."""

    place: Place
    parts: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class OperationPage:
    """Operations of a list from a place on."""

    found: tuple[Placed, ...]
    reached: Place | None  # how far was looked; None: there is nothing behind


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationCount:
    """How many operations are of one kind and have one status."""

    kind: str  # "" while unknown
    background: bool
    status: int  # model.Status as its recorder judged: RUNNING is everything that is not over
    operations: int


@dataclass(frozen=True, slots=True)
class OperationCounts:
    """Of the operations that began in a time, or of the newest of them."""

    counts: tuple[OperationCount, ...]
    since_ns: int | None  # only those that began then or later were counted; None: all of the time


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationStep:
    """How many operations of one kind and status began in one step of a time."""

    kind: str  # "" while unknown
    background: bool
    status: int  # model.Status as its recorder judged: RUNNING is everything that is not over
    step: int  # from 0
    operations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostMethod:
    """What one host was sent, or sent itself, of one method in a time."""

    method: str
    kind: int  # model.MessageKind
    calls: int
    failed: int  # outcome FAILED, the expected ones too
    timed_out: int
    answered: int  # calls with a delivery and a reply
    server_ns: int  # sum of replied_ns - delivered_ns of the answered
    slowest_ns: int | None  # the longest of them
    bytes: int  # of the requests


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTouch:
    """One operation of whose calls some went to a host or came from it."""

    request_id: str
    received: int  # calls to the host
    sent: int  # calls that it sent
    first_ns: int
    last_ns: int  # of those calls, the beginning of the last


@dataclass(frozen=True, slots=True, kw_only=True)
class HostWork:
    """What hit a host in a time, from one reading of the calls of that time."""

    received: tuple[HostMethod, ...]
    sent: tuple[HostMethod, ...]
    operations: int  # that touched it
    touches: tuple[HostTouch, ...]  # the newest of them by their last call
    since_ns: int | None  # only calls since then were looked at; None: all of the time
