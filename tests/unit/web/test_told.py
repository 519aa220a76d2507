"""Pages of a recording in which processes told of themselves: where the time of a call went, and how clocks differ."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from rpcscope.cli.main import _run
from rpcscope.pipeline import Recorder
from rpcscope.rules import load_rules
from rpcscope.store import Store, open_store
from tests.support.memory import Given
from tests.support.told import told
from tests.support.wire import CAPTURES, sightings
from tests.unit.web.site import Web, client

MS = 1_000_000
AHEAD = {"compute-1": 1_400 * MS, "vm": -60 * MS}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A boot that a live recorder had from the bus and from inside, on hosts with clocks of their own."""
    found = str(tmp_path_factory.mktemp("told") / "store.sqlite")
    bus = sightings(CAPTURES / "nova34" / "01_boot_1.jsonl.zst")
    seen = sorted([*bus, *told(bus, ahead_ns=AHEAD, pool_ns=MS)], key=lambda one: getattr(one, "at_ns", 0))
    with open_store(found, create=True) as store:
        writer = store.writer()
        resume = writer.start(
            source="firehose", scope="rabbit1:5672 vhost nova default", digest="", label="nova", tap_mode="full",
            conditions="", started_ns=1,
        )  # fmt: skip
        recorder = Recorder(writer, replace(resume), load_rules())
        recorder.run(Given(seen))
        recorder.end()
    return found


@pytest.fixture
def told_store(path: str) -> Iterator[Store]:
    with open_store(path) as store:
        yield store


@pytest.fixture
def told_web(told_store: Store) -> Iterator[Web]:
    with client(told_store) as found:
        yield found


def test_the_page_of_a_call_tells_where_its_time_went_and_what_each_side_said(told_web: Web) -> None:
    (done,) = told_web.get("/api/v1/operations?kind=create&status=done&last=all").json()["items"]
    trace = told_web.get(f"/api/v1/operations/{done['request_id']}/trace").json()
    call = next(c for c in trace["calls"][0]["children"] if c["method"] == "select_destinations")
    assert call["told"]["pool_wait_ms"] == 1.0
    page = told_web.get(f"/operations/{done['request_id']}/calls/{call['unique_id']}?last=all").text
    assert "Where its time went, as its processes tell" in page
    assert "What each told, by the clock of its host" in page
    assert "server on" in page
    waterfall = told_web.get(f"/operations/{done['request_id']}?last=all").text
    assert "pool-wait" in waterfall
    assert "waiting for a thread of its pool" in waterfall
    assert "Waiting for a thread" in told_web.get(f"/operations/{done['request_id']}?last=all&view=numbers").text


def test_the_page_of_taps_tells_how_far_the_clock_of_each_host_is_off(told_web: Web) -> None:
    page = told_web.get("/taps?last=all").text
    assert "Clocks of the hosts" in page
    assert "1.40" in page
    assert "−60" in page


def test_status_tells_the_clocks_and_marks_one_that_is_far_off(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["status", "--db", path]) == 0
    lines = capsys.readouterr().out.splitlines()
    (far,) = [line for line in lines if "compute-1's is 1," in line]
    assert far.startswith("! clocks")
    assert "ahead of the tap's, give or take" in far
    assert any("vm's is 60.0" in line or "vm's is 59.9" in line for line in lines)
    assert _run(["status", "--db", path, "--format", "json"]) == 0
    clocks = {one["host"]: one for one in json.loads(capsys.readouterr().out)[0]["clocks"]}
    for host, ahead_ns in AHEAD.items():
        assert clocks[host]["of"] == "tap"
        assert clocks[host]["ahead_ms"] == pytest.approx(ahead_ns / MS, abs=max(clocks[host]["error_ms"], 0.1))


def test_where_no_process_told_there_is_no_empty_column_and_no_clock(two_captures: Store, web: Web) -> None:
    (done,) = web.get("/api/v1/operations?kind=create&status=done&last=all").json()["items"]
    assert "Waiting for a thread" not in web.get(f"/operations/{done['request_id']}?last=all&view=numbers").text
    assert "Clocks of the hosts" not in web.get("/taps?last=all").text
    assert two_captures.reader().newest_accounts(9) == {}
