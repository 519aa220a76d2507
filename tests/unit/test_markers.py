"""A hole in the numbers is told once, from the last good marker to the next."""

from typing import Any

from rpcscope_collectors.markers import Hole, MarkerWatch


def marker(watch: MarkerWatch, number: int, **changed: Any) -> dict[str, Any]:
    return {"rpcscope-marker": number, "sent-ns": number * 1000, "tap": "default", "run": watch.run, **changed}


def test_numbers_without_a_hole_say_nothing() -> None:
    watch = MarkerWatch()
    assert [watch.see(marker(watch, n), 0) for n in (1, 2, 3)] == [None, None, None]


def test_a_hole_goes_from_the_last_good_marker_to_the_next() -> None:
    watch = MarkerWatch()
    watch.see(marker(watch, 1), 0)
    assert watch.see(marker(watch, 5), 0) == Hole(from_ns=1000, to_ns=5000, markers=3)
    assert watch.see(marker(watch, 6), 0) is None


def test_a_first_marker_that_is_not_the_first_has_no_beginning_to_name() -> None:
    watch = MarkerWatch()
    assert watch.see(marker(watch, 4), 0) is None


def test_markers_given_again_are_no_hole() -> None:
    watch = MarkerWatch()
    for n in (1, 2, 3):
        watch.see(marker(watch, n), 0)
    assert [watch.see(marker(watch, n), 0) for n in (2, 3, 4)] == [None, None, None]


def test_markers_of_other_runs_and_forged_ones_are_ignored() -> None:
    watch = MarkerWatch()
    watch.see(marker(watch, 1), 0)
    forged: list[dict[str, Any]] = [
        marker(watch, 9, run="0123"),
        marker(watch, 9, **{"sent-ns": "9"}),
        marker(watch, 9, **{"rpcscope-marker": None}),
        {},
    ]
    assert [watch.see(each, 0) for each in forged] == [None] * 4
    assert watch.see(marker(watch, 2), 0) is None


def test_the_lag_is_the_markers_way_or_the_wait_for_the_next() -> None:
    watch = MarkerWatch()
    assert watch.lag_ns(5000, 1000) is None
    watch.see(marker(watch, 1), 1300)
    assert watch.lag_ns(1400, 1000) == 300
    assert watch.lag_ns(9000, 1000) == 7000
