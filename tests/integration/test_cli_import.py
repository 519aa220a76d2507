"""What `rpcscope import` stores is what was recorded, whatever the database and however often it is done."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rpcscope.capture import CaptureWriter, Header, Scrubber
from rpcscope.rules import load_rules
from tests.support.cli import Cli, new_cli
from tests.support.halves import cut, raw_capture
from tests.support.mariadb import mariadb_server
from tests.support.nova import Nova
from tests.support.postgres import postgres_server
from tests.support.wire import CAPTURES

TRUTH: dict[str, Any] = json.loads((CAPTURES / "ground_truth.json").read_text())
COUNTS = {
    "bytes": "bytes",
    "calls": "calls",
    "casts": "casts",
    "copies": "delivered",
    "fanouts": "fanouts",
    "messages": "messages",
    "notifications": "notifications",
    "replies": "replies",
}
KINDS = {
    "boot": "create",
    "delete": "delete",
    "drain": "live-migration",
    "evacuate": "evacuate",
    "live-migrate": "live-migration",
    "live-migrate to stopped compute": "live-migration",
}
LARGE = 600  # operations of the capture that is interrupted


def capture(name: str) -> Path:
    folder, _, stem = name.rpartition("/")
    return CAPTURES / (f"nova34-{folder}" if folder else "nova34") / f"{stem}.jsonl.zst"


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return new_cli(tmp_path)


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def server_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with (postgres_server if request.param == "postgresql" else mariadb_server)() as server:
        yield server.fresh()


def expect_truth(cli: Cli, *names: str) -> None:
    """The operations in the database are those that were counted when the captures were recorded."""
    expected: dict[str, Counter[str]] = {}
    labels = {}
    for name in names:
        known = {**TRUTH[name]["operations"], **TRUTH[name]["other_request_ids"]}
        for key, one in known.items():  # a timer keeps its request id from one capture to the next
            if one["messages"]:
                counts = Counter({word: one[theirs] for word, theirs in COUNTS.items()})
                expected[key] = expected.get(key, Counter()) + counts
                labels[key] = one["label"]
    found = {one["request_id"]: one for one in cli.json("operations", "--all")}
    assert {key: +Counter({word: one[word] for word in COUNTS}) for key, one in found.items()} == expected
    kinds = {key: KINDS[label] for key, label in labels.items() if label in KINDS}
    assert {key: (found[key]["kind"], found[key]["background"]) for key in kinds} == {
        key: (kind, False) for key, kind in kinds.items()
    }


@pytest.mark.parametrize("name", TRUTH)
def test_a_capture_gives_the_numbers_that_were_counted_when_it_was_recorded(cli: Cli, name: str) -> None:
    totals = cli.json("import", capture(name))
    assert totals["messages"] == TRUTH[name]["published"]
    assert totals["copies"] == TRUTH[name]["delivered"]
    by_class = TRUTH[name]["by_class"]
    assert totals["calls"] == sum(by_class.get(kind, 0) for kind in ("call", "cast", "fanout"))
    calls = Counter(call["kind"] for call in cli.json("calls", "--all"))
    assert calls == {kind: by_class[kind] for kind in ("call", "cast", "fanout") if kind in by_class}
    expect_truth(cli, name)


@pytest.mark.server
def test_servers_give_the_same_numbers(tmp_path: Path, server_url: str) -> None:
    cli = new_cli(tmp_path, server_url)
    totals = cli.json("import", *map(capture, TRUTH))
    assert totals["messages"] == sum(one["published"] for one in TRUTH.values())
    expect_truth(cli, *TRUTH)


@pytest.mark.parametrize("path", ["raw/nova34/01_boot_1", "nova34/02_boot_10_serial"])
def test_counts_of_an_import_add_up_in_json_and_in_the_table(cli: Cli, path: str) -> None:
    file = CAPTURES / f"{path}.jsonl.zst"
    totals = cli.json("import", file)
    assert totals["seen"] == totals["decoded"] + totals["rejected"] + totals["markers"] > 0
    assert totals["decoded"] == totals["duplicates"] + totals["messages"] + totals["copies"]
    (one,) = totals["files"]
    assert {key: one[key] for key in totals if key != "files"} == {k: v for k, v in totals.items() if k != "files"}
    shown = cli.ok("import", file)
    for words, number in (("events seen", "seen"), ("messages (publishes)", "messages"), ("operations", "operations")):
        assert [words, f"{totals[number]:,}"] == [
            part.strip() for line in shown.splitlines() if line.startswith(words) for part in line.split("  ") if part
        ][:2]
    assert "= decoded + rejected + markers" in shown
    assert "= duplicates + messages + copies" in shown


def test_lines_that_are_no_messages_are_counted_as_rejected(cli: Cli, tmp_path: Path) -> None:
    events = boots(2).bus.events
    strangers = [replace(event, body=b"PS7q no JSON") for event in events[:3]]
    file = raw_capture(tmp_path / "mixed.jsonl", [*events, *strangers])
    with file.open("a") as more:
        more.write('{"no": "event"}\n')
    totals = cli.json("import", file)
    assert (totals["seen"], totals["rejected"]) == (len(events) + 4, 4)
    assert totals["seen"] == totals["decoded"] + totals["rejected"]


def test_importing_again_changes_nothing(cli: Cli) -> None:
    files = sorted((CAPTURES / "nova34").glob("*.zst"))
    first = cli.json("import", *files)
    before = dump(cli)
    again = cli.json("import", *files)
    assert dump(cli) == before
    assert [one.pop("already_stored") for one in first["files"]] == [False] * len(files)
    assert [one.pop("already_stored") for one in again["files"]] == [True] * len(files)
    assert again == first


def test_a_scrubbed_copy_is_the_recording_it_was_made_of(cli: Cli, tmp_path: Path) -> None:
    raw = CAPTURES / "raw/nova34/01_boot_1.jsonl.zst"
    cli.ok("scrub", raw, "-o", tmp_path / "copy.jsonl.zst")
    cli.json("import", raw)
    before = dump(cli)
    assert cli.json("import", tmp_path / "copy.jsonl.zst")["files"][0]["already_stored"]
    assert dump(cli) == before


def test_an_import_that_was_killed_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    file = own_capture(tmp_path / "large.jsonl.zst", LARGE)
    whole = new_cli(tmp_path / "whole")
    expected = whole.json("import", file)
    cli = new_cli(tmp_path / "killed")
    kills = 0
    for stored in (2_000, 10_000):  # events
        with cli.running("import", file) as importer:
            while position(cli) < stored and importer.process.poll() is None:
                time.sleep(0.005)
            importer.kill()
            kills += importer.process.returncode == -9
    assert kills == 2
    assert position(cli) < expected["seen"]
    totals = cli.json("import", file)
    assert totals == expected
    for command in ("operations", "calls"):
        assert cli.json(command, "--all") == whole.json(command, "--all"), command


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in-order", "second-first"])
@pytest.mark.parametrize("name", ["01_boot_1", "09_live_migrate_no_host", "12_evacuate_6"])
def test_what_two_recorders_saw_of_an_operation_is_one_operation(
    tmp_path: Path, name: str, order: tuple[int, int]
) -> None:
    whole, cli = new_cli(tmp_path / "whole"), new_cli(tmp_path / "parts")
    whole.json("import", capture(name))
    halves = cut(capture(name), tmp_path)
    cli.json("import", *(halves[number] for number in order))
    expect_truth(cli, name)
    facts = ["kind", "error", "background", "source_host", "dest_host", "started_at", "finished_at", "status"]
    assert told(cli, facts) == told(whole, facts)
    sides = ("kind", "method", "outcome", "published_at", "replied_at", "copies", "request_bytes", "reply_bytes")
    assert by_id(cli, sides) == by_id(whole, sides)


def test_without_all_only_what_people_started_is_listed(cli: Cli) -> None:
    cli.json("import", capture("01_boot_1"))
    (boot,) = cli.json("operations")
    assert (boot["kind"], boot["background"], boot["status"]) == ("create", False, "done")
    assert {call["operation_request_id"] for call in cli.json("calls")} == {boot["request_id"]}


def test_operations_have_the_fields_of_the_contract(cli: Cli) -> None:
    cli.json("import", capture("01_boot_1"))
    for one in cli.json("operations", "--all"):
        assert one.keys() >= {
            *("request_id", "global_request_id", "kind", "background", "status", "error", "instances", "source_host"),
            *("dest_host", "started_at", "finished_at", "duration_ms", "messages", "calls", "casts", "fanouts"),
            *("replies", "heartbeats", "notifications", "copies", "bytes"),
        }
        kinds = ("calls", "casts", "fanouts", "replies", "heartbeats", "notifications")
        assert one["messages"] == sum(one[kind] for kind in kinds)


def test_calls_have_the_fields_of_the_contract_and_parents_that_exist(cli: Cli) -> None:
    cli.json("import", capture("01_boot_1"))
    calls = cli.json("calls", "--all")
    known = {call["unique_id"] for call in calls}
    assert len(known) == len(calls)
    for call in calls:
        assert call.keys() >= {
            *("unique_id", "parent_unique_id", "parent_source", "request_id", "operation_request_id", "method"),
            *("from", "to", "published_at", "delivered_at", "replied_at", "reply_delivered_at", "total_ms"),
            *("request_bytes", "reply_bytes", "outcome", "failure", "kind"),
        }
        assert call["from"].keys() == call["to"].keys() == {"process", "host"}
        assert call["parent_source"] in {"traceparent", "inferred", "none"}
        assert (call["parent_unique_id"] is None) == (call["parent_source"] == "none")
        assert call["parent_unique_id"] in {None, *known}
        assert call["kind"] != "call" or call["outcome"] == "ok"


def test_show_gives_the_tree_of_an_operation(cli: Cli) -> None:
    cli.json("import", capture("01_boot_1"))
    (boot,) = cli.json("operations")
    shown = cli.json("show", boot["request_id"])
    assert shown["operation"] == boot
    nodes = list(walk(shown["calls"]))
    parents = {call["unique_id"]: call["parent_unique_id"] for call in cli.json("calls")}
    assert {node["unique_id"]: parent for node, parent in nodes} == parents
    assert [node["method"] for node, parent in nodes if parent is None] == ["schedule_and_build_instances"]


def test_trace_contexts_are_used_unless_they_are_to_be_ignored(tmp_path: Path) -> None:
    used, ignored = new_cli(tmp_path / "used"), new_cli(tmp_path / "ignored")
    used.json("import", capture("otlp/01_boot_1"))
    ignored.json("import", "--ignore-traceparent", capture("otlp/01_boot_1"))
    sources = [Counter(call["parent_source"] for call in cli.json("calls", "--all")) for cli in (used, ignored)]
    assert sources[0]["traceparent"] > 0
    assert sources[1]["traceparent"] == 0
    assert sources[1]["inferred"] > 0


def boots(number: int) -> Nova:
    nova = Nova(computes=3)
    for _ in range(number):
        nova.boot(nova.bus.request_id(), [nova.bus.uuid()])
    return nova


def own_capture(path: Path, number: int) -> Path:
    nova = boots(number)
    with CaptureWriter(path, Header(), Scrubber(load_rules())) as out:
        for seen in (nova.bus.topology(), *nova.bus.events):
            out.write(seen)
    return path


def position(cli: Cli) -> int:
    """Events that are stored; 0 while there is no recording."""
    if not Path(cli.database).exists():
        return 0
    with closing(sqlite3.connect(f"file:{cli.database}?mode=ro", uri=True)) as store:
        try:
            return int(store.execute("SELECT coalesce(max(position), 0) FROM recording").fetchone()[0])
        except sqlite3.OperationalError:
            return 0


def dump(cli: Cli) -> list[str]:
    with closing(sqlite3.connect(cli.database)) as store:
        return list(store.iterdump())


def told(cli: Cli, facts: Sequence[str]) -> dict[str, list[Any]]:
    return {one["request_id"]: [one[fact] for fact in facts] for one in cli.json("operations", "--all")}


def by_id(cli: Cli, facts: Sequence[str]) -> dict[str, list[Any]]:
    calls = cli.json("calls", "--all")
    found = {one["unique_id"]: [one[fact] for fact in facts] for one in calls}
    assert len(found) == len(calls)
    return found


def walk(nodes: list[dict[str, Any]], parent: str | None = None) -> Iterator[tuple[dict[str, Any], str | None]]:
    for node in nodes:
        yield node, parent
        yield from walk(node["children"], node["unique_id"])
