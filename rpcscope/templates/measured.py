"""Makes distributions of what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from statistics import NormalDist, fmean, pstdev

from rpcscope.templates.model import Lognormal, Sizes, Times
from rpcscope.templates.sample import quantile

MOST_QUANTILES = 101
FEWEST_TO_FIT = 8
_SHORTEST_S = 1e-6
_DIGITS = 6  # microseconds: what a tap's clock tells
_NS = 1e-9


def times(took_ns: Sequence[int]) -> Times:
    """Times of what took so long, in ns; of nothing measured, or of no time at all: unknown."""
    ordered = sorted(max(0, one) * _NS for one in took_ns)
    if not ordered:
        return Times()
    return Times(
        quantiles_s=tuple(round(one, _DIGITS) for one in _thinned(ordered)), fit=_fit(ordered), count=len(ordered)
    )


def sizes(of_bytes: Sequence[int]) -> Sizes:
    """Sizes of bodies."""
    return Sizes(quantiles=tuple(round(one) for one in _thinned(sorted(of_bytes))))


def _thinned(ordered: Sequence[float]) -> Sequence[float]:
    """All that was measured, at most so many quantiles of it; one where it was always the same."""
    if not ordered or ordered[0] == ordered[-1]:
        return ordered[:1]
    if len(ordered) <= MOST_QUANTILES:
        return ordered
    return [quantile(ordered, step / (MOST_QUANTILES - 1)) for step in range(MOST_QUANTILES)]


def _fit(ordered: Sequence[float]) -> Lognormal | None:
    """The likeliest lognormal; None of too few, or where they are all the same."""
    if len(ordered) < FEWEST_TO_FIT:
        return None
    logs = [log(max(_SHORTEST_S, one)) for one in ordered]
    mu, sigma = fmean(logs), pstdev(logs)
    if sigma <= 0:
        return None
    curve, count = NormalDist(mu, sigma), len(logs)
    ks = max(max((n + 1) / count - (at := curve.cdf(one)), at - n / count) for n, one in enumerate(logs))
    return Lognormal(mu=round(mu, 4), sigma=round(sigma, 4), ks=round(ks, 4))
