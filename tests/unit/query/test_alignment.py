"""The same step of many operations is found by its way from the root."""

from __future__ import annotations

from rpcscope.query.alignment import DEEPEST, Step, aligned
from tests.unit.query.one import call, cast, uid


def test_a_step_is_known_by_its_way_and_its_place_among_its_like() -> None:
    calls = [
        cast(1, 0, 1, method="build", topic="compute"),
        call(2, 2, 2, 3, parent=1, method="save"),
        call(3, 4, 4, 5, parent=1, method="ping"),
        call(4, 6, 6, 7, parent=1, method="save"),
        call(5, 8, 8, 9, method="save"),
    ]
    build = Step("build", "compute", 1)
    assert {path: one.unique_id for path, one in aligned(calls).items()} == {
        (build,): uid(1),
        (build, Step("save", "conductor", 1)): uid(2),
        (build, Step("ping", "conductor", 1)): uid(3),
        (build, Step("save", "conductor", 2)): uid(4),
        (Step("save", "conductor", 1),): uid(5),
    }


def test_the_same_method_to_another_kind_of_service_is_another_step() -> None:
    calls = [call(1, 0, 1, 2, method="rebuild", topic="conductor"), call(2, 3, 4, 5, method="rebuild", topic="compute")]
    assert set(aligned(calls)) == {(Step("rebuild", "conductor", 1),), (Step("rebuild", "compute", 1),)}


def test_the_host_of_a_topic_is_no_part_of_the_step() -> None:
    (path,) = aligned([call(1, 0, 1, 2, method="m", topic="compute.host-7")])
    assert path[-1].role == "compute"


def test_a_ring_of_parents_does_not_go_round_for_ever() -> None:
    calls = [call(1, 0, 1, 2, parent=2), call(2, 3, 4, 5, parent=1), call(3, 6, 7, 8, method="seen")]
    assert [one.unique_id for one in aligned(calls).values()] == [uid(3)]


def test_what_is_deeper_than_anything_real_is_left_out() -> None:
    calls = [call(n, n, n, n + 1, parent=n - 1) for n in range(1, 200)]
    assert len(aligned(calls)) == DEEPEST
