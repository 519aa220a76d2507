"""Which of the requests that a process has in hand made it send an RPC.

Asked twice: as it is recorded (`rpcscope.correlate.parents`), and when what several brokers saw is put together
(`rpcscope.query.crossing`). A hand is a request that was delivered to a process.
"""

from __future__ import annotations

from collections import Counter
from typing import Protocol, TypeVar

MAX_HABITS = 20_000


class Hand(Protocol):
    """What both have of a request in hand."""

    @property
    def method(self) -> str: ...  # noqa: D102 - as in model.Call
    @property
    def delivered_ns(self) -> int | None: ...  # noqa: D102
    @property
    def replied_ns(self) -> int | None: ...  # noqa: D102


_H = TypeVar("_H", bound=Hand)


def in_hand(hand: Hand, at_ns: int, slack_ns: int = 0) -> bool:
    """Whether it had been delivered and was not answered at a time. `slack_ns` is how far two clocks may be apart."""
    late_ns = at_ns + slack_ns
    return (hand.delivered_ns or 0) <= late_ns and (hand.replied_ns is None or hand.replied_ns >= at_ns - slack_ns)


class Habits:
    """What handlers usually do next, learned as it goes; bounded."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, str, str]] = Counter()  # (handler, step before, step) -> times seen

    def learn(self, handler: str, before: str, step: str) -> None:
        """A handler made a step after another one; `before` is "" for its first."""
        self._seen[handler, before, step] += 1
        if len(self._seen) > MAX_HABITS:
            self._seen = Counter(dict(self._seen.most_common(MAX_HABITS // 2)))

    def seen(self, handler: str, before: str, step: str) -> int:
        """How often it did."""
        return self._seen[handler, before, step]
