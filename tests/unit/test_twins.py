"""A publish that comes traced and by a binding is taken once; what only resembles it is not left out."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from rpcscope_collectors.twins import Twins

KEY, SECOND = "publish.nova", 1_000_000_000
_tags = itertools.count(1)


def traced(twins: Twins, body: bytes, key: str = KEY, tag: int = 0) -> bool:
    return twins.is_copy(key, body, tag or next(_tags), traced=True)


def copied(twins: Twins, body: bytes, key: str = KEY, tag: int = 0) -> bool:
    return twins.is_copy(key, body, tag or next(_tags), traced=False)


def expecting() -> Twins:
    twins = Twins()
    twins.expect()
    return twins


def test_the_copy_of_what_came_traced_is_left_out_however_often_the_broker_gives_it_again() -> None:
    twins = expecting()
    for _ in range(2):
        assert not traced(twins, b"one")
        assert copied(twins, b"one")
    assert copied(twins, b"one")


def test_a_copy_that_did_not_come_traced_is_taken() -> None:
    twins = expecting()
    assert not copied(twins, b"one")
    assert not traced(twins, b"two")
    assert not copied(twins, b"three")


def test_the_same_body_to_another_exchange_is_another_publish() -> None:
    twins = expecting()
    traced(twins, b"one")
    assert not copied(twins, b"one", "publish.neutron")
    long = "publish." + "x" * 250
    traced(twins, b"one", long + "a")
    assert not copied(twins, b"one", long + "b")


def test_nothing_is_remembered_while_one_way_is_open() -> None:
    twins = Twins()
    traced(twins, b"one")
    assert not copied(twins, b"one")
    assert not twins.are_expected


def test_only_a_marker_that_was_sent_well_after_the_end_ends_it() -> None:
    twins = expecting()
    traced(twins, b"one")
    twins.marker(9 * SECOND)
    twins.expect_until(10 * SECOND)
    for sent_ns in (0, 9 * SECOND, 10 * SECOND):
        twins.marker(sent_ns)
        assert copied(twins, b"one")
    twins.marker(11 * SECOND)
    assert not copied(twins, b"one")


def test_a_new_change_goes_on_with_what_is_remembered() -> None:
    twins = expecting()
    traced(twins, b"one")
    twins.expect_until(10 * SECOND)
    twins.expect()
    twins.marker(11 * SECOND)
    assert copied(twins, b"one")


def test_memory_is_bounded_and_what_is_forgotten_first_is_the_oldest() -> None:
    twins = expecting()
    for n in range(200_000):
        traced(twins, b"%d" % n)
    assert len(twins) <= 131_072
    assert not copied(twins, b"0")
    assert copied(twins, b"199999")


def test_what_goes_by_the_default_exchange_has_no_twin_and_is_not_remembered() -> None:
    twins = expecting()
    traced(twins, b"reply", "publish.", tag=5)
    assert len(twins) == 0
    assert twins.uncut(5) == 5


def test_it_is_not_acknowledged_between_two_twins_nor_behind_one_that_waits_for_the_other() -> None:
    twins = expecting()
    traced(twins, b"a", tag=1)
    traced(twins, b"b", tag=2)
    copied(twins, b"a", tag=3)
    assert [twins.uncut(tag) for tag in range(5)] == [0, 0, 0, 0, 0]
    copied(twins, b"b", tag=4)
    assert [twins.uncut(tag) for tag in range(5)] == [0, 0, 0, 0, 4]


@given(st.permutations([n for n in range(12) for _ in range(2)]))
def test_no_cut_parts_twins_wherever_they_lie(order: list[int]) -> None:
    twins, places = expecting(), dict[int, list[int]]()
    for tag, n in enumerate(order, start=1):
        first = n not in places
        places.setdefault(n, []).append(tag)
        assert (traced if first else copied)(twins, b"%d" % n, tag=tag) is not first
    for tag in range(len(order) + 1):
        cut = twins.uncut(tag)
        assert cut <= tag
        assert not [n for n, (one, other) in places.items() if one <= cut < other]


def test_one_whose_twin_never_comes_holds_nothing_back_for_long() -> None:
    twins = expecting()
    traced(twins, b"alone", tag=1)
    for n in range(2, 4002, 2):
        traced(twins, b"%d" % n, tag=n)
        copied(twins, b"%d" % n, tag=n + 1)
    assert twins.uncut(4001) == 4001


def test_after_the_end_pairs_that_are_not_stored_yet_are_still_not_parted_and_nothing_waits() -> None:
    twins = expecting()
    traced(twins, b"a", tag=1)
    traced(twins, b"alone", tag=2)
    copied(twins, b"a", tag=3)
    twins.expect_until(10 * SECOND)
    twins.marker(11 * SECOND)
    assert not twins.are_expected
    assert [twins.uncut(tag) for tag in range(4)] == [0, 0, 0, 3]


def test_where_no_twin_ever_comes_a_thousand_deliveries_are_held_back_and_no_more() -> None:
    twins = expecting()
    for n in range(1, 5001):
        traced(twins, b"%d" % n, tag=n)
    assert twins.uncut(5000) == 4000


def test_tags_of_an_older_connection_hold_nothing_back() -> None:
    twins = expecting()
    traced(twins, b"one", tag=7)
    twins.reconnected()
    assert twins.uncut(9) == 9
    assert copied(twins, b"one", tag=1)
