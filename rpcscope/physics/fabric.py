"""Links over time: transfers come, share, end; every byte is counted once on each link of its way.

Time is an argument and never goes back. Work per event is that of the transfers which share a link with the one that
came or went, directly or by others; a link that could carry all its transfers at their fastest joins nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import inf

from rpcscope.physics.sharing import Sharing, Transfer

_NOISE = 1 + 1e-12
_STALE = 4
"""Entries that the heap of ends may have for each transfer before it is made anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A transfer that is over."""

    id: str
    at_s: float
    moved: int  # bytes: its size


class _Moving:
    """A transfer under way; `moved` is as of `at_s`."""

    __slots__ = ("at_s", "ends_s", "fastest", "moved", "part", "rate", "transfer")

    def __init__(self, transfer: Transfer, at_s: float, fastest: float) -> None:
        self.transfer, self.at_s, self.fastest = transfer, at_s, fastest
        self.moved, self.part, self.rate, self.ends_s = 0, 0.0, 0.0, inf

    def until(self, now_s: float) -> int:
        """Whole bytes that moved since; the broken part is kept for the next time."""
        if now_s <= self.at_s:
            return 0
        gone = self.part + self.rate * (now_s - self.at_s)
        whole = min(int(gone), self.transfer.size - self.moved)
        self.part, self.at_s = gone - whole, now_s
        self.moved += whole
        return whole

    def go(self, rate: float) -> None:
        """From `at_s` on it has this rate."""
        self.rate = rate
        left = max(0.0, self.transfer.size - self.moved - self.part)
        self.ends_s = self.at_s + left / rate if left and rate else self.at_s if not left else inf


class Fabric:
    """Transfers over shared links."""

    def __init__(self, capacities: Mapping[str, float]) -> None:
        """Capacities of the links by name, in bytes a second."""
        self.now_s = 0.0
        self.carried: dict[str, int] = defaultdict(int)
        """Bytes by link, as of the last change of each of its transfers; see `settle`."""
        self._sharing = Sharing(capacities)
        self._moving: dict[str, _Moving] = {}
        self._on: dict[str, dict[str, None]] = {name: {} for name in capacities}
        self._wanted = dict.fromkeys(capacities, 0.0)
        self._changed: dict[str, None] = {}
        self._ends: list[tuple[float, str]] = []

    def __contains__(self, transfer_id: str) -> bool:
        return transfer_id in self._moving

    def __len__(self) -> int:
        return len(self._moving)

    def add(self, transfer: Transfer, now_s: float) -> None:
        """Begin one. What ended before is told by `advance`: call it first.

        Raises:
            ValueError: it is there already, uses a link that is not, has no size or no cap, or time went back.
        """
        self._due(now_s)
        unknown = [link for link in transfer.links if link not in self._on]
        if unknown or transfer.id in self._moving or len(set(transfer.links)) < len(transfer.links):
            raise ValueError(f"transfer {transfer.id} is there already, or has no way: {', '.join(unknown)}")
        if transfer.size < 0 or not transfer.cap > 0:
            raise ValueError(f"transfer {transfer.id} has no size or may not move")
        fastest = min([transfer.cap, *(self._sharing.capacities[link] for link in transfer.links)])
        self._moving[transfer.id] = _Moving(transfer, self.now_s, fastest)
        for link in transfer.links:
            self._on[link][transfer.id] = None
            self._wanted[link] += fastest
        self._changed[transfer.id] = None

    def remove(self, transfer_id: str, now_s: float) -> int:
        """End one before its time; how many bytes it moved."""
        self._due(now_s)
        one = self._moving[transfer_id]
        self._settle(one)
        self._take_out(one)
        return one.moved

    def advance(self, now_s: float) -> list[Finished]:
        """Let time pass; what ended, in order, each at its own time."""
        if now_s < self.now_s:
            raise ValueError("time does not go back")
        over: list[Finished] = []
        while (next_s := self.next_event_s()) <= now_s:
            self.now_s = max(self.now_s, next_s)
            while self._ends and (self._is_old(*self._ends[0]) or self._ends[0][0] <= self.now_s):
                end = heappop(self._ends)
                if not self._is_old(*end):
                    over.append(self._finish(self._moving[end[1]]))
        self.now_s = now_s
        return over

    def next_event_s(self) -> float:
        """When the next transfer ends; infinite when none does."""
        self._share()
        while self._ends and self._is_old(*self._ends[0]):
            heappop(self._ends)
        return self._ends[0][0] if self._ends else inf

    def rate(self, transfer_id: str) -> float:
        """Bytes a second of a transfer now."""
        self._share()
        return self._moving[transfer_id].rate

    def moved(self, transfer_id: str) -> int:
        """Bytes of a transfer so far."""
        one = self._moving[transfer_id]
        self._settle(one)
        return one.moved

    def used(self, link: str) -> float:
        """Bytes a second over a link now."""
        self._share()
        return sum(self._moving[name].rate for name in self._on[link])

    def settle(self) -> Mapping[str, int]:
        """Bytes that each link carried until now."""
        for one in self._moving.values():
            self._settle(one)
        return self.carried

    def _due(self, now_s: float) -> None:
        if now_s < self.now_s or (now_s > self.now_s and self.next_event_s() < now_s):
            raise ValueError("advance to that time first")
        self.now_s = now_s

    def _settle(self, one: _Moving) -> None:
        self._carry(one, one.until(self.now_s))

    def _carry(self, one: _Moving, count: int) -> None:
        for link in one.transfer.links:
            self.carried[link] += count

    def _finish(self, one: _Moving) -> Finished:
        rest = one.transfer.size - one.moved
        one.moved += rest
        self._carry(one, rest)
        self._take_out(one)
        return Finished(id=one.transfer.id, at_s=self.now_s, moved=one.moved)

    def _take_out(self, one: _Moving) -> None:
        del self._moving[one.transfer.id]
        for link in one.transfer.links:
            if self._is_shared(link):
                self._changed.update(self._on[link])
            del self._on[link][one.transfer.id]
            self._wanted[link] = sum(self._moving[name].fastest for name in self._on[link])
        self._changed.pop(one.transfer.id, None)

    def _is_old(self, ends_s: float, name: str) -> bool:
        one = self._moving.get(name)
        return one is None or one.ends_s != ends_s

    def _share(self) -> None:
        """Rates anew for all that changed, and all that they touch."""
        if not self._changed:
            return
        touched = [self._moving[name] for name in self._reached(self._changed)]
        self._changed = {}
        rates = self._sharing.rates(one.transfer for one in touched)
        for one in touched:
            rate = rates[one.transfer.id]
            if rate == one.rate and one.ends_s != inf:
                continue
            self._settle(one)
            one.go(rate)
            heappush(self._ends, (one.ends_s, one.transfer.id))
        if len(self._ends) > _STALE * len(self._moving) + _STALE:
            self._ends = [(one.ends_s, name) for name, one in self._moving.items()]
            heapify(self._ends)

    def _is_shared(self, link: str) -> bool:
        """Whether its transfers, at their fastest, would be too much for it."""
        return self._wanted[link] > self._sharing.capacities[link] * _NOISE

    def _reached(self, begun: Iterable[str]) -> dict[str, None]:
        """Transfers that share a link with these, or with one that does."""
        reached, links = dict.fromkeys(begun), set[str]()
        waiting = list(reached)
        while waiting:
            for link in self._moving[waiting.pop()].transfer.links:
                if link in links or not self._is_shared(link):
                    continue
                links.add(link)
                waiting += [name for name in self._on[link] if name not in reached]
                reached.update(self._on[link])
        return reached
