"""How evenly the processes of a service share its work."""

from __future__ import annotations

from collections.abc import Sequence

FEWEST = 2
"""Of fewer processes there is nothing to share."""


def unevenness(counts: Sequence[float]) -> float | None:
    """The share of the work that would have to go to other processes so that all had the same, 0 to 1.

    0: all have the same; 0.5: half of the work is on the wrong process. None of fewer than two processes.
    """
    whole = sum(counts)
    if len(counts) < FEWEST or not whole:
        return None
    fair = whole / len(counts)
    return sum(count - fair for count in counts if count > fair) / whole
