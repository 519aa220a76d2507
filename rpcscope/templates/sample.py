"""Draws a time or a size as often as it was measured.

Each draw is independent of the others: that a slow conductor was slow for all steps of one operation is not in a
template.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from random import Random

from rpcscope.templates.model import Sizes, Times


def draw(times: Times, rng: Random, *, fitted: bool = False) -> float:
    """A time in s: the measured quantiles inverted, linear between them; 0 where nothing is known.

    Args:
        fitted: from the lognormal fit where there is one, which has a tail beyond what was measured.
    """
    if times.fit is not None and (fitted or not times.quantiles_s):
        return exp(rng.gauss(times.fit.mu, times.fit.sigma))
    return quantile(times.quantiles_s, rng.random()) if times.quantiles_s else 0.0


def draw_size(sizes: Sizes, rng: Random) -> int:
    """A size in bytes; 0 where there is no such message."""
    return round(quantile(sizes.quantiles, rng.random())) if sizes.quantiles else 0


def quantile(quantiles: Sequence[float], probability: float) -> float:
    """The value that so large a part (0 to 1) is not above; of one quantile, itself."""
    place = probability * (len(quantiles) - 1)
    low = int(place)
    if low >= len(quantiles) - 1:
        return quantiles[-1]
    return quantiles[low] + (quantiles[low + 1] - quantiles[low]) * (place - low)
