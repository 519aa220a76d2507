"""Values are counted in bins, none of them twice and none lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rpcscope.query.bins import Bin, histogram


def test_a_few_whole_numbers_have_a_bin_each_also_those_between() -> None:
    assert histogram([15, 13, 15]) == [Bin(13, 13, 1), Bin(14, 14, 0), Bin(15, 15, 2)]


def test_what_differs_much_gets_bins_that_grow() -> None:
    bins = histogram([0.5, 1.0, 1_000.0], most=3)
    assert [one.count for one in bins] == [2, 0, 1]
    assert bins[2].high - bins[2].low > 10 * (bins[0].high - bins[0].low)


def test_no_values_have_no_bins() -> None:
    assert histogram([]) == []


@given(st.lists(st.floats(0, 1e12, allow_subnormal=False), min_size=1, max_size=50))
def test_every_value_is_counted_once(values: list[float]) -> None:
    bins = histogram(values)
    assert sum(one.count for one in bins) == len(values)
    assert (bins[0].low, bins[-1].high) == (min(values), max(values))
