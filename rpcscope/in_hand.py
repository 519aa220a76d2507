"""Which requests are in flight: one definition for what is counted while recording and for what is read later."""

from __future__ import annotations

from typing import Protocol

MS = 1_000_000
REPEAT_NS = 300_000_000_000
"""Work in flight that does not change is stored again this often."""


class Requested(Protocol):
    """What `model.Call` and the correlator's open calls have in common."""

    @property
    def published_ns(self) -> int | None:
        """When it was published; None: not seen."""

    @property
    def delivered_ns(self) -> int | None:
        """When a process got it; None: not seen."""

    @property
    def replied_ns(self) -> int | None:
        """When its reply was published; None: not seen."""

    @property
    def expiration_ms(self) -> int | None:
        """How long its caller waits; None: unknown."""

    @property
    def routed(self) -> int:
        """Queues that it was routed to; -1: unknown."""

    @property
    def topic(self) -> str:
        """Of its routing key."""

    @property
    def server(self) -> str:
        """Of its routing key."""


def is_waited_for(call: Requested, now_ns: int) -> bool:
    """Whether somebody still waits for the answer of a request whose end can be seen.

    A request whose publish was not seen has no known end: it is not waited for.
    """
    if call.replied_ns is not None or call.published_ns is None:
        return False
    return call.expiration_ms is None or now_ns <= call.published_ns + call.expiration_ms * MS


def queue_of(call: Requested) -> str:
    """The queue that a request is routed to: topic or topic.server."""
    return f"{call.topic}.{call.server}" if call.server else call.topic


def lies_in(call: Requested, seen_from_ns: int) -> str:
    """The queue in which a request lies that nobody took; "" when it lies in none.

    Where deliveries are seen only since `seen_from_ns`, an older one may have been taken before: that is unknown, "".
    """
    if call.delivered_ns is not None or call.routed == 0 or (call.published_ns or 0) < seen_from_ns:
        return ""
    return queue_of(call)
