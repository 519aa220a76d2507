"""How transfers share links: max-min fair, by progressive filling.

All rates grow together until a link is full or a transfer has its cap; those stay, the others go on. So nobody can
get more without taking it from somebody who has no more than he.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Bytes on their way over links."""

    id: str
    size: int  # bytes
    links: tuple[str, ...]  # that it uses, each once
    cap: float = inf  # bytes a second that it takes at most


class Sharing:
    """Links of fixed capacity, in bytes a second; infinite ones are allowed."""

    def __init__(self, capacities: Mapping[str, float]) -> None:
        """Raises ValueError for a link without capacity."""
        for name, capacity in capacities.items():
            if not capacity > 0:
                raise ValueError(f"link {name} has no capacity")
        self.capacities = dict(capacities)

    def rates(self, transfers: Iterable[Transfer]) -> dict[str, float]:
        """Bytes a second of each transfer by its id; infinite when nothing holds it back."""
        filling = _Filling(self.capacities, transfers)
        while (full := filling.fullest()) is not None:
            filling.fix(*full)
        return filling.fixed


class _Filling:
    """Links that still have somebody to serve. A cap is a link that one transfer has for itself."""

    def __init__(self, capacities: Mapping[str, float], transfers: Iterable[Transfer]) -> None:
        self.fixed: dict[str, float] = {}
        self._links_of: dict[str, tuple[str, ...]] = {}
        self._users: dict[str, set[str]] = {}
        self._left: dict[str, float] = {}
        for one in transfers:
            links = one.links if one.cap == inf else (*one.links, f"cap\0{one.id}")
            self._links_of[one.id] = links
            for link in links:
                if link not in self._left:
                    self._left[link] = capacities.get(link, one.cap)
                    self._users[link] = set()
                self._users[link].add(one.id)
            if all(self._left[link] == inf for link in links):
                self.fixed[one.id] = inf
        for name in self.fixed:
            self._leave(name, 0.0)
        self._shares = [(self._share(link), link) for link in self._left if self._users[link]]
        heapify(self._shares)

    def fullest(self) -> tuple[str, float] | None:
        """The link that is full first, and what each of its transfers has by then. Shares only grow."""
        while self._shares:
            before, link = heappop(self._shares)
            if not self._users[link]:
                continue
            share = self._share(link)
            if share <= before:
                return link, before
            heappush(self._shares, (share, link))
        return None

    def fix(self, link: str, rate: float) -> None:
        """Its transfers get no more than this."""
        for name in list(self._users[link]):
            self.fixed[name] = rate
            self._leave(name, rate)

    def _leave(self, name: str, rate: float) -> None:
        for link in self._links_of[name]:
            self._users[link].discard(name)
            self._left[link] -= rate

    def _share(self, link: str) -> float:
        return max(0.0, self._left[link]) / len(self._users[link])
