"""The tests of two samples against counting every deal by hand, and their false alarms by simulation."""

from __future__ import annotations

import random
from itertools import combinations
from math import comb

import pytest

from rpcscope.compare.fisher import fisher
from rpcscope.compare.many import corrected, telling
from rpcscope.compare.ranks import APPROXIMATE, EXACT, mann_whitney, probability_larger
from rpcscope.compare.verdict import Verdict


def every_deal(a: list[float], b: list[float]) -> float:
    """The two-sided chance of the rank sum, by dealing the values to the two sides in every way."""
    pooled = a + b
    ranks = [sum(v < one for v in pooled) + (sum(v == one for v in pooled) + 1) / 2 for one in pooled]
    middle = len(a) * (len(pooled) + 1) / 2
    seen = abs(sum(ranks[: len(a)]) - middle)
    deals = [sum(chosen) for chosen in combinations(ranks, len(a))]
    return sum(abs(total - middle) >= seen - 1e-9 for total in deals) / len(deals)


@pytest.mark.parametrize("seed", range(20))
def test_the_exact_rank_test_is_what_counting_every_deal_gives(seed: int) -> None:
    chance = random.Random(seed)
    a = [float(chance.choice((1, 2, 2, 2, 3, 5))) for _ in range(chance.randint(2, 6))]
    b = [float(chance.choice((1, 2, 2, 4, 5))) for _ in range(chance.randint(2, 6))]
    found = mann_whitney([*a, 7.0], [*b, 8.0])
    assert found.test == EXACT
    assert found.p == pytest.approx(every_deal([*a, 7.0], [*b, 8.0]))


def test_the_least_that_a_rank_test_could_give_is_that_of_sides_that_lie_wholly_apart() -> None:
    found = mann_whitney([1, 2, 3], [4, 5, 6])
    assert found == Verdict(EXACT, pytest.approx(0.1), pytest.approx(0.1))
    assert mann_whitney([1, 4, 3], [2, 5, 6]).least_p == pytest.approx(0.1)


def test_the_approximation_claims_no_more_than_the_exact_test_and_little_less(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(5)
    for shift in (0.0, 0.3, 0.6, 0.9, 1.2):
        a, b = ([float(round(chance.gauss(mean, 1), 1)) for _ in range(14)] for mean in (0.0, shift))
        with monkeypatch.context() as patience:
            found = mann_whitney(a, b)
            patience.setattr("rpcscope.compare.ranks._EXACT_VALUES", 28)
            exact = mann_whitney(a, b)
        assert (found.test, exact.test) == (APPROXIMATE, EXACT)
        assert 0.95 * exact.p <= found.p <= 1.05 * exact.p + 0.002


@pytest.mark.parametrize(
    ("table", "p"),
    [((3, 3, 0, 3), 0.1), ((8, 10, 1, 10), 0.005476), ((0, 10, 0, 10), 1.0), ((1, 20, 0, 2_000), 20 / 2_020)],
)
def test_fishers_test_gives_known_values(table: tuple[int, int, int, int], p: float) -> None:
    assert fisher(*table).p == pytest.approx(p, rel=1e-3)


def test_fishers_test_knows_the_least_it_could_give() -> None:
    assert fisher(2, 5, 3, 5).least_p == pytest.approx(2 / comb(10, 5))
    assert fisher(0, 5, 0, 5).least_p == 1.0


def test_counts_of_two_values_are_tested_exactly_however_many() -> None:
    few, many = [12.0] * 495 + [13.0] * 5, [12.0] * 470 + [13.0] * 30
    assert mann_whitney(few, many) == fisher(5, 500, 30, 500)


def test_values_that_are_mostly_alike_never_get_the_approximation() -> None:
    few = [0.0] * 1_970 + [float(n % 3 + 1) for n in range(30)]
    found = mann_whitney([0.0] * 4 + [2.0], few)
    assert found == fisher(1, 5, 30, 2_000)
    assert found.p > 0.05


def test_equal_sides_are_as_likely_larger_as_smaller() -> None:
    assert probability_larger([1, 2, 3], [1, 2, 3]) == 0.5
    assert probability_larger([1, 2], [3, 4]) == 1.0
    assert probability_larger([3, 3], [3, 1]) == 0.25


def test_a_test_that_could_show_nothing_costs_the_others_nothing() -> None:
    hopeless = [Verdict("t", 1.0, 1.0)] * 1_000
    tests = [*hopeless, Verdict("t", 0.01, 0.001), Verdict("t", 0.02, 0.001)]
    assert telling(tests, 0.05) == [1_000, 1_001]
    assert corrected(tests, 0.05) == {1_000: pytest.approx(0.02), 1_001: pytest.approx(0.02)}


def test_no_test_at_all_is_no_finding() -> None:
    assert corrected([], 0.05) == {}


def test_holms_correction_never_puts_a_larger_p_before_a_smaller_one() -> None:
    found = corrected([Verdict("t", p, 0.0001) for p in (0.04, 0.001, 0.03)], 0.05)
    assert found == {1: pytest.approx(0.003), 2: pytest.approx(0.06), 0: pytest.approx(0.06)}


@pytest.mark.parametrize(("sizes", "seed"), [((10, 10), 1), ((12, 40), 2), ((60, 60), 3), ((5, 300), 4)])
def test_equal_populations_give_no_more_false_alarms_than_promised(sizes: tuple[int, int], seed: int) -> None:
    chance, pairs = random.Random(seed), 300
    alarms = 0
    for _ in range(pairs):
        tests = []
        for kind in range(8):
            a, b = ([_value(chance, kind) for _ in range(size)] for size in sizes)
            tests.append(mann_whitney(a, b))
        alarms += any(p <= 0.05 for p in corrected(tests, 0.05).values())
    assert alarms <= _most(pairs, 0.05)


def _value(chance: random.Random, kind: int) -> float:
    """Counts that hardly vary, rare ones, and durations."""
    if kind < 3:
        return 12 + (chance.random() < (0.02, 0.2, 0.5)[kind])
    if kind < 5:
        return float(sum(chance.random() < 0.1 * kind for _ in range(4)))
    return chance.lognormvariate(0, 1)


def _most(pairs: int, share: float) -> int:
    """Alarms that one of 10,000 such simulations exceeds."""
    above, alarms = 1.0, -1
    while above > 1e-4:
        alarms += 1
        above -= comb(pairs, alarms) * share**alarms * (1 - share) ** (pairs - alarms)
    return alarms
