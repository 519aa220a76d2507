"""One publish that comes to the tap twice while its view changes: traced, and by a binding of its exchange.

The broker routes a publish, traces it, and delivers it, in this order and in one process. So while both ways are
open, what comes traced comes first, and the copy by the binding is the one to leave out: it knows less.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import islice

_REMEMBERED = 65_536  # traced publishes; a copy comes a moment after its twin
_GRACE_NS = 1_000_000_000  # for a process of the broker that was held up between routing and delivering


class Twins:
    """Remembers what came traced while copies may come, and nothing at other times. For one thread."""

    def __init__(self) -> None:
        """Nothing is remembered yet."""
        self._traced: dict[bytes, None] | None = None
        self._until_ns = 0

    def __len__(self) -> int:
        """Publishes that are remembered."""
        return len(self._traced or ())

    def expect(self) -> None:
        """From now on both ways may be open."""
        self._traced = {} if self._traced is None else self._traced
        self._until_ns = 0

    def expect_until(self, sent_ns: int) -> None:
        """One way is closed since then: a marker that was sent a moment later is behind the last copy."""
        self._until_ns = sent_ns + _GRACE_NS

    def marker(self, sent_ns: int) -> None:
        """A marker came that was sent at this time."""
        if self._until_ns and sent_ns >= self._until_ns:
            self._traced, self._until_ns = None, 0

    def is_copy(self, key: str, body: bytes, *, traced: bool) -> bool:
        """Whether this publish came traced already. The message's own id is in its body, which is all that is read."""
        if self._traced is None:
            return False
        mark = blake2b(b"%s\0%s" % (key.encode(), body), digest_size=16).digest()
        if not traced:
            return mark in self._traced
        self._traced[mark] = None
        if len(self._traced) > 2 * _REMEMBERED:
            for old in list(islice(self._traced, _REMEMBERED)):
                del self._traced[old]
        return False
