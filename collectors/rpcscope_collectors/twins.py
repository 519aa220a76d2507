"""One publish that comes to the tap twice while its view changes: traced, and by a binding of its exchange.

The broker routes a publish, traces it, and delivers it, in this order and in one process. So while both ways are
open, what comes traced comes first, and the copy by the binding is the one to leave out: it knows less.
"""

from __future__ import annotations

from collections import deque
from hashlib import blake2b
from itertools import islice

_REMEMBERED = 65_536  # traced publishes; a copy comes a moment after its twin
_APART = 1000  # deliveries; more than ever lie between two twins
_GRACE_NS = 1_000_000_000  # for a process of the broker that was held up between routing and delivering
_DEFAULT_EXCHANGE = "publish."  # nothing can be bound to it

Pair = list[int]
"""Delivery tags of what came traced, and of its copy; the latter 0 as long as it has not come."""


class Twins:
    """Remembers what came traced while copies may come, and nothing at other times. For one thread."""

    def __init__(self) -> None:
        """Nothing is remembered yet."""
        self._traced: dict[bytes, Pair] | None = None
        self._latest: deque[Pair] = deque(maxlen=_APART)
        self._newest = 0  # tag
        self._until_ns = 0

    def __len__(self) -> int:
        """Publishes that are remembered."""
        return len(self._traced or ())

    @property
    def are_expected(self) -> bool:
        """Both ways may be open, or were a moment ago."""
        return self._traced is not None

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
            # Pairs may not be stored yet; for what is alone no copy comes any more.
            self._latest = deque((pair for pair in self._latest if pair[1]), _APART)

    def reconnected(self) -> None:
        """Tags begin again."""
        self._latest.clear()

    def is_copy(self, key: str, body: bytes, tag: int, *, traced: bool) -> bool:
        """Whether this publish came traced already. The message's own id is in its body, which is all that is read."""
        if self._traced is None or key == _DEFAULT_EXCHANGE:
            return False
        self._newest = tag
        mark = blake2b(b"%s\0%s" % (key.encode(), body), digest_size=16).digest()
        if traced:
            self._remember(mark, [tag, 0])
            return False
        twin = self._traced.get(mark)
        if twin is not None:
            twin[1] = tag
        return twin is not None

    def uncut(self, tag: int) -> int:
        """The last delivery up to this one behind which no copy lies that was left out for one before it.

        So far may be acknowledged: a recorder that is killed does not leave a copy without its twin to the next one.
        """
        waiting = self._newest - _APART  # a copy that has not come since does not come
        for traced, copy in reversed(self._latest):
            if traced <= tag and (copy > tag or (not copy and traced > waiting)):
                tag = traced - 1
        return tag

    def _remember(self, mark: bytes, pair: Pair) -> None:
        if self._traced is None:
            return
        self._traced[mark] = pair
        self._latest.append(pair)
        if len(self._traced) > 2 * _REMEMBERED:
            for old in list(islice(self._traced, _REMEMBERED)):
                del self._traced[old]
