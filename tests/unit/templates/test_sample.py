"""Times and sizes: measured, fitted, drawn again."""

from __future__ import annotations

from math import log
from random import Random
from statistics import NormalDist, fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpcscope.templates.measured import FEWEST_TO_FIT, MOST_QUANTILES, sizes, times
from rpcscope.templates.model import Lognormal, Sizes, Times
from rpcscope.templates.sample import draw, draw_size, quantile

MANY = 20_000
RISING = st.lists(st.floats(0, 1e4), min_size=2, max_size=MOST_QUANTILES).map(sorted).map(tuple)


@settings(max_examples=20, deadline=None)
@given(RISING)
def test_what_is_drawn_has_the_quantiles_that_were_given(given_s: tuple[float, ...]) -> None:
    rng = Random(1)
    drawn = sorted(draw(Times(quantiles_s=given_s), rng) for _ in range(4_000))
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):  # a draw's rank is within 0.03 of its share, 4 sigma and more
        low, high = quantile(given_s, share - 0.03), quantile(given_s, share + 0.03)
        assert low <= quantile(drawn, share) <= high
    assert given_s[0] <= drawn[0] <= drawn[-1] <= given_s[-1]


def test_one_quantile_is_always_drawn_and_none_takes_no_time() -> None:
    rng = Random(1)
    assert {draw(Times(quantiles_s=(0.25,)), rng) for _ in range(10)} == {0.25}
    assert draw(Times(), rng) == 0.0
    assert draw_size(Sizes(quantiles=(203,)), rng) == 203
    assert draw_size(Sizes(), rng) == 0


def test_sizes_are_whole_bytes_within_what_was_measured() -> None:
    rng = Random(2)
    drawn = {draw_size(Sizes(quantiles=(100, 104)), rng) for _ in range(500)}
    assert drawn == {100, 101, 102, 103, 104}


def test_the_fit_is_drawn_when_it_is_asked_for_or_there_is_nothing_else() -> None:
    fit = Lognormal(mu=-3.0, sigma=0.5, ks=0.1)
    both = Times(quantiles_s=(1.0,), fit=fit)
    assert draw(both, Random(1)) == 1.0
    for times_of, fitted in ((both, True), (Times(fit=fit), False)):
        rng = Random(3)
        drawn = sorted(draw(times_of, rng, fitted=fitted) for _ in range(MANY))
        assert quantile(drawn, 0.5) == pytest.approx(0.0498, rel=0.03)  # exp(-3)


def test_few_measurements_are_kept_as_they_are_and_many_become_101_quantiles() -> None:
    few = times([3_000_000, 1_000_000, 2_000_000])
    assert (few.quantiles_s, few.count, few.fit) == ((0.001, 0.002, 0.003), 3, None)
    many = times([n * 1_000 for n in range(10_001)])
    assert len(many.quantiles_s) == MOST_QUANTILES
    assert (many.quantiles_s[0], many.quantiles_s[50], many.quantiles_s[-1]) == (0.0, 0.005, 0.01)
    assert many.count == 10_001


def test_what_is_always_the_same_is_one_quantile() -> None:
    assert times([5_000] * 30).quantiles_s == (5e-06,)
    assert sizes([203] * 30).quantiles == (203,)
    assert times([]) == Times()
    assert sizes([]) == Sizes()


def test_a_clock_that_went_back_gives_no_negative_time() -> None:
    assert times([-5_000, 7_000]).quantiles_s == (0.0, 7e-06)


def test_a_lognormal_is_found_again_and_fits_better_than_it_fits_two_humps() -> None:
    rng = Random(5)
    fit = times([round(rng.lognormvariate(-4, 0.6) * 1e9) for _ in range(MANY)]).fit
    assert fit is not None
    assert (fit.mu, fit.sigma) == (pytest.approx(-4, abs=0.03), pytest.approx(0.6, abs=0.02))
    assert fit.ks < 0.02
    humps = times([1_000_000] * 500 + [1_000_000_000] * 500).fit
    assert humps is not None
    assert humps.ks > 0.3


def test_the_distance_is_the_largest_between_the_two_curves() -> None:
    values = [1, 2, 3, 4, 5, 6, 7, 8]
    fit = times([value * 1_000_000_000 for value in values]).fit
    assert fit is not None
    curve = NormalDist(fit.mu, fit.sigma)
    steps = [(place / 8, (place + 1) / 8, curve.cdf(log(value))) for place, value in enumerate(values)]
    by_hand = max(max(abs(at - low), abs(high - at)) for low, high, at in steps)
    assert fit.ks == pytest.approx(by_hand, abs=1e-3)
    assert fit.mu == pytest.approx(fmean(map(log, values)), abs=1e-4)


def test_too_few_are_not_fitted() -> None:
    assert times([n * 1_000_000 for n in range(1, FEWEST_TO_FIT)]).fit is None
