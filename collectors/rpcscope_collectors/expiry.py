"""Requests that expire in the tap's own queue.

oslo.messaging gives a request its caller's timeout as its time to live. It holds in every queue, so in that of a tap
on the services' exchanges, too: what waits there for longer than its caller does, the broker drops, and no marker is
missing then. (The firehose wraps messages; what is wrapped does not expire.)
"""

from __future__ import annotations

from rpcscope.model import Gap, GapCause

UNWATCHED_NS = 10_000_000_000
"""Callers wait for longer than this: what lay in the queue for a shorter time is still there."""
_NOTE = "requests expired in the tap's queue"


class Expiry:
    """Watches how long events wait, against the shortest time to live among them."""

    def __init__(self) -> None:
        """No request was seen yet."""
        self._shortest_ns: int | None = None
        self._since_ns = 0  # when the first marker that waited too long was sent; 0: none
        self._sent_ns = 0  # when the last marker was sent

    def live(self, expiration: object) -> None:
        """A message with this time to live came; ms as text."""
        if isinstance(expiration, str) and expiration.isascii() and expiration.isdigit() and len(expiration) < 13:
            ttl_ns = max(1, int(expiration)) * 1_000_000
            self._shortest_ns = ttl_ns if self._shortest_ns is None else min(ttl_ns, self._shortest_ns)

    def wait(self, sent_ns: int, at_ns: int) -> Gap | None:
        """A marker came that waited between these times; a gap when it ends a time of too long waits."""
        before, self._sent_ns = self._sent_ns or sent_ns, sent_ns
        if self._shortest_ns is not None and at_ns - sent_ns > self._shortest_ns:
            self._since_ns = self._since_ns or before
            return None
        return self.rest()

    def rest(self) -> Gap | None:
        """The gap of a time that has not ended yet, if there is one."""
        since_ns, self._since_ns = self._since_ns, 0
        if not since_ns:
            return None
        return Gap(from_ns=since_ns, to_ns=self._sent_ns, cause=GapCause.DROPPED, note=_NOTE)


def unwatched(from_ns: int, to_ns: int) -> Gap | None:
    """The gap of a time in which nobody read the queue; None when it was short."""
    if to_ns - from_ns <= UNWATCHED_NS:
        return None
    return Gap(from_ns=from_ns, to_ns=to_ns, cause=GapCause.DROPPED, note=_NOTE)
