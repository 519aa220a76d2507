"""The comparison of the API and of the page: sides by label, recording and time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rpcscope.store import Store, open_store
from tests.support.dashboard import CAPTURES, import_captures
from tests.unit.compare.planted import NEW, with_a_new_call
from tests.unit.web.site import Web, client

LABELS = ("release=2026.1", "release=2026.2")


@pytest.fixture(scope="module")
def two_releases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Ten boots with an RPC more, labelled as the later release, and six as they are."""
    folder = tmp_path_factory.mktemp("releases")
    with open_store(str(folder / "boots.sqlite"), create=True) as store:
        import_captures(store, CAPTURES / "02_boot_10_serial.jsonl.zst")
    path = with_a_new_call(folder / "boots.sqlite", folder / "releases.sqlite")
    with open_store(str(path)) as store:
        import_captures(store, CAPTURES / "10_drain_setup_boot6_on_compute-1.jsonl.zst")
        store.writer().label(1, {"release": "2026.2"})
        store.writer().label(2, {"release": "2026.1"})
        yield store


@pytest.fixture
def releases(two_releases: Store) -> Iterator[Web]:
    with client(two_releases) as found:
        yield found


@pytest.mark.parametrize(("a", "b"), [tuple(f"label:{one}" for one in LABELS), ("recording:2", "recording:1")])
def test_labels_and_recordings_say_the_same(releases: Web, a: str, b: str) -> None:
    found = releases.get("/api/v1/compare", params={"a": a, "b": b}).json()
    assert (found["a"]["operations"], found["b"]["operations"], found["equal"]) == (6, 10, False)
    (added,) = (one for one in found["findings"] if one["change"] == "added")
    assert (added["service"], added["method"], added["p"]) == ("conductor", NEW, None)


def test_a_side_may_be_a_time(releases: Web, two_releases: Store) -> None:
    last = max(info.last_ns for info in two_releases.reader().recordings()) // 1_000_000_000
    params = {"a": "recording:1", "b": "recording:1", "b_to": "2026-01-01"}
    found = releases.get("/api/v1/compare", params=params)
    assert (found.status_code, last > 0) == (400, True)
    assert "ends before it begins" in found.json()["detail"]
    whole = releases.get("/api/v1/compare", params={**params, "b_to": "2030-01-01"}).json()
    assert (whole["equal"], whole["b"]["operations"]) == (True, 10)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("", "name two sides: `a` and `b` are all, recording:ID or label:KEY=VALUE"),
        ("a=all", "name two sides"),
        ("a=all&b=recording:99", "a side is all, recording:ID of one that is stored"),
        ("a=all&b=recording:%C2%B2", "a side is all, recording:ID of one that is stored"),
        ("a=all&b=yesterday", "a side is all, recording:ID of one that is stored"),
        ("a=all&b=label:x", "a side is all, recording:ID of one that is stored"),
        ("a=all&b=label:release=9", "no recording has the label release=9; choose one of release=2026.1, "),
        ("a=all&b=all&a_from=now", "a time of the range can not be read"),
    ],
)
def test_sides_that_can_not_be_read_are_a_problem(releases: Web, query: str, sentence: str) -> None:
    answer = releases.get(f"/api/v1/compare?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert answer.json()["detail"].startswith(sentence)


def test_a_label_from_a_recorder_is_no_markup(two_releases: Store, tmp_path: Path) -> None:
    with open_store(str(tmp_path / "hostile.sqlite"), create=True) as store:
        import_captures(store, CAPTURES / "01_boot_1.jsonl.zst")
        store.writer().label(1, {"site": "</option><script>alert(1)</script>\u202e"})
        with client(store) as web:
            text = web.get("/compare").text + web.get("/taps").text
    assert "<script>alert" not in text
    assert "\u202e" not in text
