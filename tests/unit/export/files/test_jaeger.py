"""The file for Jaeger's page has the structure that its page reads, and every call of every operation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rpcscope.export.files.diagrams import write_diagrams
from rpcscope.export.files.jaeger import write_jaeger
from rpcscope.export.files.names import file_name
from rpcscope.export.files.wanted import Wanted
from rpcscope.query.trace import traces
from rpcscope.store import OperationFilter, Store, open_store
from tests.support.dashboard import CAPTURES
from tests.support.measured import record_captures

SPAN = {
    "traceID": str, "spanID": str, "operationName": str, "references": list, "startTime": int, "duration": int,
    "tags": list, "logs": list, "processID": str, "warnings": type(None),
}  # fmt: skip
TYPES = {"string": str, "bool": bool, "int64": int, "float64": float}
CREATES = Wanted(operations=OperationFilter(kind="create"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(str(tmp_path_factory.mktemp("jaeger") / "store.sqlite"), create=True) as opened:
        record_captures(opened, None, [CAPTURES / "01_boot_1.jsonl.zst", CAPTURES / "14_boot_no_valid_host.jsonl.zst"])
        yield opened


@pytest.fixture(scope="module")
def found(store: Store, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    path = tmp_path_factory.mktemp("out") / "jaeger.json"
    assert write_jaeger(store.reader(), path, CREATES) == 2
    data: list[dict[str, Any]] = json.loads(path.read_text())["data"]
    return data


def tags(span: dict[str, Any]) -> dict[str, Any]:
    return {tag["key"]: tag["value"] for tag in span["tags"]}


def test_it_has_the_fields_and_types_that_jaeger_reads(found: list[dict[str, Any]]) -> None:
    for trace in found:
        assert set(trace) == {"traceID", "spans", "processes"}
        for process in trace["processes"].values():
            assert process["serviceName"]
        for span in trace["spans"]:
            assert {name: type(value) for name, value in span.items()} == SPAN
            assert span["traceID"] == trace["traceID"]
            assert len(span["traceID"]) == 32 == 2 * len(span["spanID"])
            assert span["processID"] in trace["processes"]
            assert span["duration"] >= 0
            for tag in [*span["tags"], *trace["processes"][span["processID"]]["tags"]]:
                assert type(tag["value"]) is TYPES[tag["type"]]


def test_every_span_but_the_operation_hangs_on_one_of_its_trace(found: list[dict[str, Any]]) -> None:
    for trace in found:
        ids = [span["spanID"] for span in trace["spans"]]
        assert len(set(ids)) == len(ids)
        parents = [[r["spanID"] for r in span["references"] if r["refType"] == "CHILD_OF"] for span in trace["spans"]]
        assert parents[0] == []
        assert all(len(mine) == 1 and mine[0] in ids for mine in parents[1:])


def test_each_call_of_a_boot_has_both_its_sides_at_its_times(store: Store, found: list[dict[str, Any]]) -> None:
    (boot,) = [trace for trace in found if tags(trace["spans"][0])["openstack.operation.status"] == "done"]
    (stored,) = traces(store.reader(), tags(boot["spans"][0])["openstack.request_id"])
    kinds = [tags(span)["span.kind"] for span in boot["spans"]]
    calls = [view.call for view in stored.calls if view.call.kind.name == "REQUEST"]
    assert kinds.count("client") == kinds.count("server") == len(calls)
    clients = [span for span in boot["spans"] if tags(span)["span.kind"] == "client"]
    assert sorted(s["startTime"] for s in clients) == sorted((c.published_ns or 0) // 1_000 for c in calls)
    assert {p["serviceName"] for p in boot["processes"].values()} >= {"nova-conductor", "nova-compute"}


def test_what_failed_is_marked_as_an_error(found: list[dict[str, Any]]) -> None:
    (failed,) = [trace for trace in found if tags(trace["spans"][0])["openstack.operation.status"] == "failed"]
    assert tags(failed["spans"][0])["error"] is True


def test_of_nothing_there_is_an_empty_list(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "jaeger.json"
    assert write_jaeger(store.reader(), path, Wanted(operations=OperationFilter(kind="resize"))) == 0
    assert json.loads(path.read_text()) == {"data": []}


def test_each_operation_has_a_diagram_of_its_own(store: Store, tmp_path: Path) -> None:
    assert write_diagrams(store.reader(), tmp_path, CREATES) == 2
    for path in tmp_path.iterdir():
        assert path.read_text().startswith("sequenceDiagram\n")
        assert path.stem in path.read_text()


@pytest.mark.parametrize("hostile", ["../../etc/passwd", "a/b", ".hidden", "", "x" * 300, "\N{RIGHT-TO-LEFT OVERRIDE}"])
def test_a_hostile_request_id_is_a_harmless_file_name_that_is_its_own(hostile: str) -> None:
    name = file_name(hostile) or "-"
    assert "/" not in name
    assert not name.startswith(".")
    assert len(name) < 120
    assert file_name(hostile) != file_name(hostile + "y") or hostile == ""
    assert file_name("req-1234_a.b") == "req-1234_a.b"
