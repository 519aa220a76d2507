"""Queues over a time: what is drawn holds where somebody looked, and is unknown where nobody did."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rpcscope.query.depth_over import OTHERS, Line, families_over, queue_over
from rpcscope.store import Store, open_store
from tests.unit.test_queue_query import EVERY_S, SECOND, START, Depths, record


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "store.db"), create=True) as opened:
        yield opened


def at(second: int) -> int:
    return START + second * SECOND


def depths(line: Line) -> list[tuple[int, int | None]]:
    """Seconds, and the depth from then on."""
    return [((at_ns - START) // SECOND, level.depth if level else None) for at_ns, level in line.points]


def held(line: Line, second: int) -> int | None:
    return next((depth for when, depth in reversed(depths(line)) if when <= second), None)


def rising(seconds: range, queue: str = "conductor") -> dict[int, Depths]:
    return {s: {queue: (s, 1)} for s in seconds}


def test_a_family_has_every_look_when_there_are_few(store: Store) -> None:
    record(store, "nova", rising(range(0, 121, EVERY_S)))
    (line,) = families_over(store.reader(), at(0), at(120)).lines
    assert depths(line) == [(0, 0), (30, 30), (60, 60), (90, 90), (120, 120), (120, 120)]
    assert (line.name, line.vhost, line.most) == ("conductor", "nova", 120)


def test_many_looks_are_drawn_by_the_highest_of_each_part(store: Store) -> None:
    peaks: dict[int, Depths] = {s: {"conductor": (500 if s == 330 else 1, 1)} for s in range(0, 3_600, EVERY_S)}
    record(store, "nova", peaks)
    (line,) = families_over(store.reader(), at(0), at(3_600), points=10).lines
    assert len(line.points) <= 12
    assert line.most == 500
    assert held(line, 300) == 500
    assert held(line, 400) == 1


def test_a_line_ends_where_nobody_looked_and_goes_on_where_somebody_did(store: Store) -> None:
    record(store, "nova", {s: {"conductor": (7, 1)} for s in (*range(0, 301, 30), *range(3_000, 3_301, 30))})
    for line in (*families_over(store.reader(), at(0), at(3_300)).lines, *queue_over(
        store.reader(), "conductor", at(0), at(3_300)
    ).lines):  # fmt: skip
        assert [held(line, s) for s in (0, 300, 1_000, 2_900, 3_000, 3_300)] == [7, 7, None, None, 7, 7]


def test_a_queue_that_did_not_change_is_drawn_from_the_beginning_of_the_time(store: Store) -> None:
    record(store, "nova", {s: {"conductor": (7, 1)} for s in range(0, 1_201, EVERY_S)})
    assert store.reader().queue_history("conductor", at(600), at(1_200)) == []
    (line,) = queue_over(store.reader(), "conductor", at(600), at(1_200)).lines
    assert depths(line) == [(600, 7), (1_200, 7)]


def test_what_a_queue_was_after_its_peak_holds_and_not_the_peak(store: Store) -> None:
    polls: dict[int, Depths] = {s: {"conductor": (90 if s == 30 else 4, 1)} for s in range(0, 1_201, EVERY_S)}
    record(store, "nova", polls)
    (line,) = queue_over(store.reader(), "conductor", at(0), at(1_200), points=4).lines
    assert line.most == 90
    assert held(line, 299) == 4
    assert held(line, 1_100) == 4


def test_a_queue_or_family_that_is_gone_is_unknown_and_not_zero(store: Store) -> None:
    polls: dict[int, Depths] = {
        s: {"conductor": (1, 1), **({"compute.a": (3, 1)} if s < 300 else {})} for s in range(0, 601, EVERY_S)
    }
    record(store, "nova", polls)
    reader = store.reader()
    (family,) = [line for line in families_over(reader, at(0), at(600)).lines if line.name == "compute.*"]
    (queue,) = queue_over(reader, "compute.a", at(0), at(600)).lines
    for line in (family, queue):
        assert [held(line, s) for s in (0, 270, 300, 600)] == [3, 3, None, None]


def test_what_is_unknown_of_both_is_unknown(store: Store) -> None:
    record(store, "nova", {s: {"conductor": (None, None)} for s in (0, 30)})
    (line,) = families_over(store.reader(), at(0), at(30)).lines
    assert {level.depth for _, level in line.points if level} == {None}


def test_twelve_lines_at_most_and_the_last_is_exactly_the_rest(store: Store) -> None:
    polls: dict[int, Depths] = {
        s: {f"topic{n}": (n * 10 + (5 if s == 30 and n < 4 else 0), 1) for n in range(20)} for s in (0, 30, 60)
    }
    record(store, "nova", polls)
    lines = families_over(store.reader(), at(0), at(60)).lines
    assert [line.name for line in lines] == [f"topic{n}" for n in range(19, 8, -1)] + [OTHERS]
    rest = sum(n * 10 for n in range(9))
    assert [depth for _, depth in depths(lines[-1])][:3] == [rest, rest + 20, rest]
    assert [line.is_sum for line in lines] == [False] * 11 + [True]
    record(store, "few", {0: {f"topic{n}": (1, 1) for n in range(12)}})
    few = families_over(store.reader(), at(0), at(60), vhost="few", lines=20).lines
    assert [line.is_sum for line in few] == [False] * 12


def test_several_vhosts_share_the_room(store: Store) -> None:
    for vhost in ("a", "b", "c"):
        record(store, vhost, {0: {f"topic{n}": (n, 1) for n in range(30)}})
    lines = families_over(store.reader(), at(0), at(10)).lines
    assert len(lines) == 12
    assert [line.most for line in lines if line.vhost == "a"] == [29, 28, 27, sum(range(27))]


def test_a_family_is_drawn_as_a_whole_and_by_its_deepest_queues(store: Store) -> None:
    queues: Depths = {f"compute.host-{n}": (n, 1) for n in range(20)}
    record(store, "nova", {0: {**queues, "compute_fanout_1": (99, 1), "conductor": (50, 1)}})
    lines = queue_over(store.reader(), "compute.*", at(0), at(10)).lines
    assert lines[-1].is_sum
    assert (lines[-1].name, lines[-1].most) == ("compute.*", sum(range(20)))
    assert [line.name for line in lines[:-1]] == [f"compute.host-{n}" for n in range(19, 7, -1)]


def test_vhosts_are_told_apart_and_one_can_be_asked_for(store: Store) -> None:
    for vhost, ready in (("nova", 3), ("cell1", 5)):
        record(store, vhost, {0: {"conductor": (ready, 1)}})
    found = families_over(store.reader(), at(0), at(10))
    assert [(line.vhost, line.most) for line in found.lines] == [("cell1", 5), ("nova", 3)]
    assert found.vhosts == 2
    assert [line.most for line in families_over(store.reader(), at(0), at(10), vhost="nova").lines] == [3]
    assert [line.most for line in queue_over(store.reader(), "conductor", at(0), at(10), vhost="nova").lines] == [3]


def test_two_recorders_of_one_vhost_are_not_added_up(store: Store) -> None:
    for _ in range(2):
        record(store, "nova", rising(range(0, 91, EVERY_S)))
    for line in (*families_over(store.reader(), at(0), at(90)).lines, *queue_over(
        store.reader(), "conductor", at(0), at(90)
    ).lines):  # fmt: skip
        assert [held(line, s) for s in (0, 30, 60, 90)] == [0, 30, 60, 90]


def test_a_store_without_samples_has_no_line(store: Store) -> None:
    assert families_over(store.reader(), at(0), at(10)).lines == ()
    assert queue_over(store.reader(), "conductor", at(0), at(10)).lines == ()
    assert queue_over(store.reader(), "compute.*", at(0), at(10)).lines == ()
