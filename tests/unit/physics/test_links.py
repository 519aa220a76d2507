"""Links that transfers share."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpcscope.physics import Fabric, Sharing, Transfer

LINKS = {"out:a": 100.0, "out:b": 1000.0, "in:c": 150.0, "in:d": 7.0, "spine": 200.0, "free": inf}


def transfer(name: str, *links: str, size: int = 1000, cap: float = inf) -> Transfer:
    return Transfer(id=name, size=size, links=links, cap=cap)


def test_two_share_a_link_and_what_one_can_not_take_the_other_gets() -> None:
    sharing = Sharing({"out": 100.0, "in": 30.0})
    assert sharing.rates([transfer("x", "out")]) == {"x": 100}
    assert sharing.rates([transfer("x", "out"), transfer("y", "out")]) == {"x": 50, "y": 50}
    assert sharing.rates([transfer("x", "out"), transfer("y", "out", "in")]) == {"x": 70, "y": 30}
    assert sharing.rates([transfer("x", "out"), transfer("y", "out", cap=10)]) == {"x": 90, "y": 10}


def test_what_nothing_holds_back_is_infinitely_fast() -> None:
    assert Sharing({"free": inf}).rates([transfer("x", "free"), transfer("y", "free", cap=5)]) == {"x": inf, "y": 5}


def test_a_link_without_capacity_is_refused() -> None:
    for capacity in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="link x has no capacity"):
            Sharing({"x": capacity})


ways = st.lists(st.sampled_from(sorted(LINKS)), min_size=1, max_size=3, unique=True).map(tuple)
caps = st.sampled_from([inf, inf, 1.0, 33.3, 500.0])
many = st.lists(st.tuples(ways, caps, st.integers(0, 5000)), min_size=1, max_size=12).map(
    lambda rows: [Transfer(id=str(n), size=size, links=way, cap=cap) for n, (way, cap, size) in enumerate(rows)]
)


@settings(deadline=None)
@given(many)
def test_no_link_carries_more_than_it_can_and_nobody_can_gain_without_a_slower_one_losing(rows: list[Transfer]) -> None:
    rates = Sharing(LINKS).rates(rows)
    for one in rows:
        assert 0 < rates[one.id] <= one.cap
    used = {link: sum(rates[one.id] for one in rows if link in one.links) for link in LINKS}
    assert all(used[link] <= capacity * (1 + 1e-9) for link, capacity in LINKS.items())
    for one in rows:
        at_cap = rates[one.id] == one.cap
        full = [link for link in one.links if used[link] >= LINKS[link] * (1 - 1e-9)]
        first = [
            link for link in full if all(rates[o.id] <= rates[one.id] * (1 + 1e-9) for o in rows if link in o.links)
        ]
        assert at_cap or first, f"{one} could be faster"


def test_a_transfer_ends_when_its_bytes_are_over_also_when_others_come_and_go() -> None:
    fabric = Fabric({"out": 100.0})
    fabric.add(transfer("x", "out", size=1000), 0.0)
    assert fabric.next_event_s() == 10
    assert fabric.advance(5.0) == []
    fabric.add(transfer("y", "out", size=100), 5.0)  # 500 left for x: 50 a second each
    assert (fabric.rate("x"), fabric.used("out"), fabric.next_event_s()) == (50, 100, 7)
    ended = fabric.advance(100.0)
    assert [(one.id, one.at_s, one.moved) for one in ended] == [("y", 7.0, 100), ("x", 11.0, 1000)]
    assert fabric.settle() == {"out": 1100}
    assert (len(fabric), fabric.next_event_s()) == (0, inf)


def test_one_that_is_taken_out_says_what_it_moved_and_leaves_the_link_to_others() -> None:
    fabric = Fabric({"out": 100.0})
    fabric.add(transfer("x", "out"), 0.0)
    fabric.add(transfer("y", "out"), 0.0)
    assert fabric.advance(2.0) == []
    assert fabric.remove("x", 2.0) == 100
    assert fabric.rate("y") == 100
    assert fabric.moved("y") == 100
    assert "x" not in fabric


def test_what_has_no_bytes_or_no_link_ends_at_once() -> None:
    fabric = Fabric({"out": 100.0, "free": inf})
    fabric.add(transfer("x", "out", size=0), 3.0)
    fabric.add(transfer("y", "free"), 3.0)
    assert sorted((one.id, one.at_s) for one in fabric.advance(3.0)) == [("x", 3.0), ("y", 3.0)]


def test_misuse_is_told() -> None:
    fabric = Fabric({"out": 100.0})
    fabric.add(transfer("x", "out"), 1.0)
    for wrong in (
        transfer("x", "out"),
        transfer("y", "in"),
        transfer("y", "out", "out"),
        transfer("y", "out", size=-1),
        transfer("y", "out", cap=0.0),
    ):
        with pytest.raises(ValueError, match="transfer"):
            fabric.add(wrong, 1.0)
    with pytest.raises(ValueError, match="advance to that time"):
        fabric.add(transfer("y", "out"), 50.0)
    with pytest.raises(ValueError, match="time does not go back"):
        fabric.advance(0.5)


steps = st.lists(st.tuples(ways, caps, st.integers(0, 5000), st.floats(0, 20), st.booleans()), min_size=1, max_size=15)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_every_byte_that_was_sent_is_counted_once_on_each_link_of_its_way(
    rows: list[tuple[tuple[str, ...], float, int, float, bool]],
) -> None:
    fabric, moved, now_s = Fabric(LINKS), dict[str, int](), 0.0
    begun: dict[str, Transfer] = {}
    for number, (way, cap, size, wait_s, taken_out) in enumerate(rows):
        one = Transfer(id=str(number), size=size, links=way, cap=cap)
        begun[one.id] = one
        fabric.add(one, now_s)
        begun_s, now_s = now_s, now_s + wait_s
        for ended in fabric.advance(now_s):
            assert begun_s <= ended.at_s <= now_s
            assert ended.moved == begun[ended.id].size
            moved[ended.id] = ended.moved
        if taken_out and one.id in fabric:
            moved[one.id] = fabric.remove(one.id, now_s)
            assert moved[one.id] <= one.size
    for ended in fabric.advance(1e9):
        moved[ended.id] = ended.moved
    assert len(fabric) == 0
    carried = fabric.settle()
    for link in LINKS:
        assert carried.get(link, 0) == sum(moved[name] for name, one in begun.items() if link in one.links)


@settings(max_examples=40, deadline=None)
@given(steps)
def test_no_link_carries_more_over_time_than_it_can(
    rows: list[tuple[tuple[str, ...], float, int, float, bool]],
) -> None:
    fabric, now_s = Fabric(LINKS), 0.0
    for number, (way, cap, size, wait_s, _) in enumerate(rows):
        before = dict(fabric.settle())
        fabric.add(Transfer(id=str(number), size=size, links=way, cap=cap), now_s)
        now_s += wait_s
        fabric.advance(now_s)
        after = fabric.settle()
        for link, capacity in LINKS.items():
            gone = after.get(link, 0) - before.get(link, 0)
            assert gone <= capacity * wait_s * (1 + 1e-9) + number + 1 or capacity == inf  # a broken byte of each


def test_rates_of_an_incremental_fabric_are_those_of_a_fresh_sharing() -> None:
    fabric = Fabric(LINKS)
    rows = [
        transfer(str(n), *links, size=10**9)
        for n, links in enumerate([("out:a", "in:c"), ("out:b", "in:d", "spine"), ("out:b", "in:c"), ("spine",)])
    ]
    for n, one in enumerate(rows):
        fabric.add(one, float(n))
    fabric.remove("0", 3.0)
    fresh = Sharing(LINKS).rates(rows[1:])
    assert {one.id: fabric.rate(one.id) for one in rows[1:]} == fresh


def test_two_thousand_transfers_over_one_spine_all_end_and_are_counted() -> None:
    fabric = Fabric({**{f"{way}{n}": 1000.0 for n in range(50) for way in ("out", "in")}, "spine": 20_000.0})
    for n in range(2000):
        fabric.add(transfer(str(n), f"out{n % 50}", f"in{n * 7 % 50}", "spine", size=1000 + 100 * (n % 5)), 0.0)
    ended = fabric.advance(1e6)
    assert len(ended) == 2000
    assert fabric.settle()["spine"] == sum(one.moved for one in ended) == 2_400_000
    assert ended[-1].at_s >= 2_400_000 / 20_000
    assert [one.at_s for one in ended] == sorted(one.at_s for one in ended)
