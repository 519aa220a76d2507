"""CPU steal: how long vCPUs that could run wait for a core.

First order, fair sharing: R vCPUs that want to run on C cores get C/R of what they want.
"""

from __future__ import annotations


def steal(*, cores: float, runnable: float) -> float:
    """The share of time that is stolen, 0 to 1."""
    return max(0.0, 1.0 - cores / runnable) if runnable > 0 else 0.0


def slowed(rate: float, stolen: float) -> float:
    """A bandwidth or a dirty rate on a host with that steal: both need CPU."""
    return rate * (1.0 - min(1.0, max(0.0, stolen)))
