"""How often somebody may be wrong."""

from __future__ import annotations

from collections import OrderedDict, deque
from math import ceil

WINDOW_S = 60.0
OF_ONE = 5
OF_ALL = 50
_REMEMBERED = 1_000


class Attempts:
    """Failed attempts of the last minute, by address and in all. Time is an argument."""

    def __init__(self) -> None:
        self._all: deque[float] = deque(maxlen=OF_ALL)
        self._by_peer: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, peer: str, now_s: float) -> int:
        """Whole seconds until this address may try again; 0: now."""
        times = [_free_at(self._by_peer.get(peer, deque()), OF_ONE), _free_at(self._all, OF_ALL)]
        return ceil(max(0.0, *(at - now_s for at in times)))

    def failed(self, peer: str, now_s: float) -> None:
        """One more."""
        self._all.append(now_s)
        mine = self._by_peer.pop(peer, deque(maxlen=OF_ONE))
        mine.append(now_s)
        self._by_peer[peer] = mine
        if len(self._by_peer) > _REMEMBERED:
            self._by_peer.popitem(last=False)


def _free_at(failures: deque[float], allowed: int) -> float:
    """When the oldest of so many failures is forgotten."""
    return failures[0] + WINDOW_S if len(failures) >= allowed else float("-inf")
