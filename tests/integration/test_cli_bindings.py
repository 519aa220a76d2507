"""Mode bindings through the command line: what it can not know is said to be unknown, in every command."""

from __future__ import annotations

import csv
import io
import signal
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import Cli, new_cli
from tests.support.openstack import services
from tests.support.rabbitmq import Cloud
from tests.support.recording import broker_options, is_left
from tests.support.requests_only import written

CAPTURES = Path(__file__).parents[1] / "captures" / "nova34"
BOOTS = "02_boot_10_serial.jsonl.zst"
UNKNOWN = ("messages", "replies", "heartbeats", "copies", "bytes")


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """With ten boots and one that no host took, of which only requests were seen."""
    made = new_cli(tmp_path)
    for name in (BOOTS, "14_boot_no_valid_host.jsonl.zst"):
        made.ok("import", written(CAPTURES / name, tmp_path / name))
    return made


def test_operations_know_their_requests_and_not_their_replies(cli: Cli) -> None:
    operations = cli.json("operations", "--kind", "create")
    assert [one["status"] for one in operations] == ["unknown"] + ["done"] * 10
    for one in operations[1:]:
        assert (one["rpcs"], one["calls"], one["casts"], one["fanouts"]) == (15, 12, 2, 1)
        assert [one[word] for word in UNKNOWN] == [one["by_cause"][word] for word in UNKNOWN] == [None] * 5
        assert one["replies_unseen"]
    table = cli.ok("operations")
    assert table.count("15 + ?") == 10
    assert "?: recorded in mode bindings" in table


def test_cost_tells_requests_and_leaves_the_rest_open(cli: Cli) -> None:
    (cost,) = cli.json("cost", "--kind", "create")["kinds"]
    assert (cost["operations"], cost["left_out"], cost["replies_unseen"]) == (10, 1, 10)
    assert (cost["rpcs"]["p50"], cost["calls"]["p50"]) == (15, 12)
    for word in ("replies", "messages", "messages_by_cause", "heartbeats", "bytes"):
        assert cost[word] == {"p50": None, "p95": None, "max": None}
    calls = [method for method in cost["methods"] if method["kind"] == "call"]
    for word in ("messages", "share", "bytes", "failed", "timed_out", "expected_failures", "mean_ms"):
        assert {method[word] for method in calls} == {None}
    (row,) = [line.split() for line in cli.ok("cost").splitlines() if line.startswith("create")]
    assert row[:11] == ["create", "10", "1", "15", "12", "2", "1", "?", "?", "?", "?"]


def test_cost_of_some_that_were_seen_whole_is_of_those(cli: Cli) -> None:
    cli.ok("import", CAPTURES / "01_boot_1.jsonl.zst")
    (cost,) = cli.json("cost", "--kind", "create")["kinds"]
    assert (cost["operations"], cost["replies_unseen"]) == (11, 10)
    assert (cost["messages"]["p50"], cost["replies"]["max"], cost["rpcs"]["max"]) == (27, 12, 15)
    assert "?: 10 operations were recorded in mode bindings" in cli.ok("cost")


def test_calls_have_the_outcome_unknown_and_casts_have_none(cli: Cli) -> None:
    calls = cli.json("calls")
    assert {(one["kind"], one["outcome"]) for one in calls} == {("call", "unknown"), ("cast", None), ("fanout", None)}
    asked = [one for one in calls if one["kind"] == "call"]
    assert {(one["replies"], one["heartbeats"], one["copies"], one["reply_bytes"]) for one in asked} == {(None,) * 4}
    assert {one["replies"] for one in calls if one["kind"] == "cast"} == {0}
    assert {one["total_ms"] for one in asked} == {None}
    assert {one["from"]["process"] is not None for one in asked} == {True}
    rows = list(csv.DictReader(io.StringIO(cli.ok("calls", "--format", "csv"))))
    assert {row["outcome"] for row in rows if row["kind"] == "call"} == {"unknown"}
    lines = cli.ok("calls").splitlines()
    assert sum(line.endswith("unknown") for line in lines) == sum(" call " in line for line in lines) > 0


def test_a_tree_has_its_parents_and_no_replies(cli: Cli) -> None:
    request_id = cli.json("operations", "--status", "done")[0]["request_id"]
    shown = cli.json("show", request_id)
    (root,) = shown["calls"]
    assert root["method"] == "schedule_and_build_instances"
    assert [child["method"] for child in root["children"]] == ["select_destinations", "build_and_run_instance"]
    assert len(root["children"][1]["children"]) == 13
    tree = cli.ok("show", request_id)
    assert "15 + ? messages = 12 calls + 2 casts + 1 fanouts + ? replies" in tree
    assert "unanswered" not in tree
    assert "." * 5 not in cli.ok("show", request_id, "--sequence"), "an arrow of a reply"


def test_nothing_is_stuck_for_want_of_a_reply_and_that_is_said(cli: Cli) -> None:
    assert cli.json("stuck", "--all", "--stuck-after", "0") == []
    assert "which calls wait for one there is unknown" in cli.ok("stuck")


def test_totals_of_an_import_and_of_the_database_leave_open_what_was_not_seen(cli: Cli, tmp_path: Path) -> None:
    again = cli.json("import", tmp_path / BOOTS)
    assert (again["seen"], again["messages"], again["copies"], again["calls"]) == (163, None, None, 163)
    recordings = cli.json("db", "status")["recordings"]
    assert {(one["mode"], one["messages"], one["copies"]) for one in recordings} == {("bindings", None, None)}


# ------------------------------------------------------------------ live


def ask(caller: Any) -> dict[str, str]:
    request_ids = {kind: f"req-{uuid.uuid4()}" for kind in ("call", "cast", "fanout")}
    for kind, request_id in request_ids.items():
        getattr(caller, kind)(request_id)
    return request_ids


@pytest.mark.server
@pytest.mark.parametrize("where", ["management", "names"])
def test_a_recorder_without_tracing_stores_every_request_and_leaves_nothing_behind(
    cloud: Cloud, tmp_path: Path, where: str
) -> None:
    cli = new_cli(tmp_path)
    names = ("--exchange", "nova", "--exchange", "scheduler_fanout")
    options = broker_options(cloud) if where == "management" else (*broker_options(cloud)[:2], *names)
    with services(cloud) as caller:
        with cli.running("record", *options, "--mode", "bindings", "--format", "json") as recorder:
            recorder.wait_for("rpcscope: recording")
            assert not cloud.is_traced()
            asked = ask(caller)
            done = recorder.end(signal.SIGINT)
        assert (done.code, "trace_on" in done.err) == (0, False), done
    calls = {one["kind"]: one for one in cli.json("calls", "--all")}
    assert {kind: one["request_id"] for kind, one in calls.items()} == asked
    assert {kind: one["outcome"] for kind, one in calls.items()} == {"call": "unknown", "cast": None, "fanout": None}
    assert calls["cast"]["to"]["host"] == "controller"
    assert not is_left(cloud)


@pytest.mark.server
def test_a_capture_of_this_tap_is_imported_as_one(cloud: Cloud, tmp_path: Path) -> None:
    cli, file = new_cli(tmp_path), tmp_path / "requests.rpcscope.zst"
    capture = ("capture", file, *broker_options(cloud), "--mode", "bindings")
    with services(cloud) as caller, cli.running(*capture) as recorder:
        recorder.wait_for("rpcscope: capturing")
        asked = ask(caller)
        assert recorder.end().code == 0
    cli.ok("import", file)
    calls = {one["kind"]: one for one in cli.json("calls", "--all")}
    assert {kind: one["request_id"] for kind, one in calls.items()} == asked
    assert (calls["call"]["outcome"], calls["call"]["replies"]) == ("unknown", None)
    assert not is_left(cloud)


@pytest.mark.server
def test_a_recorder_that_was_killed_goes_on_with_what_the_queue_kept(cloud: Cloud, tmp_path: Path) -> None:
    cli = new_cli(tmp_path)
    record = ("record", *broker_options(cloud), "--mode", "bindings")
    with services(cloud) as caller:
        with cli.running(*record) as first:
            first.wait_for("rpcscope: recording")
            asked = [ask(caller)]
            first.kill()
        asked.append(ask(caller))
        with cli.running(*record) as second:
            second.wait_for("rpcscope: recording")
            assert second.end().code == 0
    published = [(one["request_id"], one["publishes"]) for one in cli.json("calls", "--all")]
    assert sorted(published) == sorted((request_id, 1) for each in asked for request_id in each.values())
    assert not is_left(cloud)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--mode", "bindings"), "Mode bindings has to know the exchanges"),
        (("--mode", "full", "--exchange", "nova"), "--exchange is for --mode bindings"),
    ],
)
def test_options_that_do_not_fit_get_a_sentence(tmp_path: Path, options: tuple[str, ...], sentence: str) -> None:
    where = ("--transport-url", "rabbit://tap:PS7q@127.0.0.1:1/")
    assert sentence in new_cli(tmp_path).refused(2, "record", *where, *options)
