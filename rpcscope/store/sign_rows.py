"""What the calls of a time have in common, where it may tell of something wrong."""

from __future__ import annotations

from dataclasses import dataclass

from rpcscope.model import MessageKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSign:
    """Closed calls of one recording, kind, method and address that one process took, added up."""

    recording_id: int
    kind: MessageKind
    method: str
    exchange: str
    topic: str  # "" of fanouts, which have an exchange of their own
    server: str
    to_process: int  # Process.id; 0: nobody took them, or it was not seen
    calls: int
    publishes: int
    copies: int  # deliveries seen: of the requests and of their replies
    delivered: int  # calls of which a delivery was seen
    answered: int  # calls of which a reply was seen
    silent: int  # calls without any answer, while nothing hid one
    timed_out: int  # calls whose caller's time was over, answered too late or never, while nothing hid an answer
    late: int  # answered when the caller's time was over
    redelivered: int
    republished: int
    unroutable: int
    routed: int  # queues that their publishes are known to have been routed to
    shortest_ms: int | None  # of the callers' timeouts; None: none has one
    longest_ms: int | None
    first_ns: int
    last_ns: int  # the beginning of the last one

    @property
    def queue(self) -> str:
        """Where they were sent: topic or topic.server."""
        return f"{self.topic}.{self.server}" if self.server else self.topic


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerSign:
    """Calls of one method that one process sent to one address and that timed out, more than one."""

    from_process: int
    method: str
    topic: str
    server: str
    timed_out: int
    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeafSign:
    """A process whose calls were answered, three or more, and that was not seen to take any of the replies."""

    recording_id: int
    from_process: int
    answered: int
    first_ns: int
    last_ns: int  # the beginning of the last call


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSigns:
    """What the closed calls of a time tell."""

    rows: tuple[CallSign, ...]
    callers: tuple[CallerSign, ...]  # of calls that timed out, those with the most of them
    deaf: tuple[DeafSign, ...]  # those with the most replies; in full mode alone it is the process that is deaf
    since_ns: int | None  # only calls since then were looked at; None: all of the time
