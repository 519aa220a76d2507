"""Tables that were written, read back by others: the same rows, the same totals, nothing that a spreadsheet runs."""

from __future__ import annotations

import csv
import json
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from rpcscope.errors import RpcscopeError
from rpcscope.export.files import parquet
from rpcscope.export.files.column import Table
from rpcscope.export.files.tables import TABLES
from rpcscope.export.files.texts import cell, moment
from rpcscope.export.files.wanted import Wanted
from rpcscope.export.files.write import FORMATS, write_tables
from rpcscope.model import Batch, Gap, GapCause, InFlightSample, MessageKind, QueueSample
from rpcscope.query.calls import KIND_WORDS
from rpcscope.query.operations import Operations
from rpcscope.store import OperationFilter, Store, open_store
from tests.contract.records import SECOND, START, begun, make_call
from tests.support.dashboard import CAPTURES
from tests.support.measured import record_captures

NASTY = ("=cmd()", "+1", "-1", "@SUM(A1)", "\t=1", "a,b", 'a"b', "a\nb", "\N{RIGHT-TO-LEFT OVERRIDE}x")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Real captures, and a recording of samples with a gap."""
    with open_store(str(tmp_path_factory.mktemp("files") / "store.sqlite"), create=True) as opened:
        record_captures(opened, None, sorted(CAPTURES.glob("*.zst")))
        writer, base = begun(opened)
        samples = [
            QueueSample(at_ns=START + n * SECOND, vhost="nova", queue=f"compute.host-{n % 3}", ready=n, consumers=None)
            for n in range(50)
        ]
        held = [
            InFlightSample(at_ns=START + n, process=0, queue="q", method="m", count=n, oldest_ns=0) for n in range(9)
        ]
        gap = Gap(from_ns=START, to_ns=START + SECOND, cause=GapCause.DROPPED, estimate=7)
        number = base >> 40
        writer.write(
            Batch(recording_id=number, queue_samples=tuple(samples), in_flight=tuple(held), gaps=(gap,), ended=True)
        )
        yield opened


@pytest.fixture(scope="module")
def folder(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every table in every format."""
    found = tmp_path_factory.mktemp("out")
    for format in FORMATS:
        list(write_tables(store.reader(), found, format, TABLES, Wanted()))
    return found


def asked(query: str, *values: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(query, values).fetchall()


def test_duckdb_adds_up_the_calls_of_a_parquet_file_to_what_sql_has(store: Store, folder: Path) -> None:
    query = """SELECT kind, method, sum(publishes), sum(replies), sum(copies), sum(request_bytes), sum(reply_bytes),
                      count(*) FILTER (outcome = 'failed') FROM read_parquet(?) GROUP BY ALL"""
    found = {
        (kind, method or ""): tuple(map(int, sums))
        for kind, method, *sums in asked(query, str(folder / "calls.parquet"))
    }
    stored: dict[tuple[str, str], tuple[int, ...]] = {}
    for t in store.reader().method_totals():
        key = KIND_WORDS[t.call_kind], t.method
        sums = (t.publishes, t.replies, t.copies, t.request_bytes, t.reply_bytes, t.failed)
        stored[key] = tuple(map(sum, zip(stored.get(key, (0,) * 6), sums, strict=True)))
    assert len(found) > 40
    assert found == stored


def test_duckdb_counts_the_operations_of_a_parquet_file_as_the_queries_do(store: Store, folder: Path) -> None:
    query = "SELECT kind, status, count(*), sum(rpcs)::INT FROM read_parquet(?) GROUP BY ALL"
    found = {row[:2]: row[2:] for row in asked(query, str(folder / "operations.parquet"))}
    views = [view for view in Operations(store.reader()).find(OperationFilter()) if view.whole.request_id]
    counts = Counter((view.whole.kind, view.status.name.lower()) for view in views)
    assert {key: count for key, (count, _) in found.items()} == counts
    assert sum(rpcs for _, rpcs in found.values()) == sum(view.whole.by_request.rpcs for view in views)


def test_times_of_a_parquet_file_are_exact_to_the_nanosecond(store: Store, folder: Path) -> None:
    query = "SELECT epoch_ns(published_at) FROM read_parquet(?) WHERE published_at IS NOT NULL ORDER BY 1"
    found = [at for (at,) in asked(query, str(folder / "calls.parquet"))]
    assert found == sorted(c.published_ns for c in store.reader().calls() if c.published_ns is not None)


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_every_table_has_the_same_rows_in_every_format(folder: Path, format: str) -> None:
    read = {"csv": "read_csv", "jsonl": "read_json"}[format]
    for name in TABLES:
        (rows,) = asked("SELECT count(*) FROM read_parquet(?)", str(folder / f"{name}.parquet"))
        (told,) = asked(f"SELECT count(*) FROM {read}(?)", str(folder / f"{name}.{format}"))
        assert (name, rows) == (name, told)
        assert rows > (0,)


def test_samples_and_gaps_are_as_they_are_stored_and_what_is_unknown_is_null(folder: Path) -> None:
    lines = [json.loads(line) for line in (folder / "queue_samples.jsonl").read_text().splitlines()]
    assert [line["ready"] for line in lines] == list(range(50))
    assert {line["consumers"] for line in lines} == {None}
    assert {line["family"] for line in lines} == {"compute.*"}
    assert lines[1]["at"] == moment(START + SECOND)
    query = 'SELECT cause, missed, epoch_ns("to") - epoch_ns("from") FROM read_parquet(?)'
    assert asked(query, str(folder / "gaps.parquet")) == [("dropped", 7, SECOND)]
    with (folder / "queue_samples.csv").open(newline="") as file:
        assert {row["consumers"] for row in csv.DictReader(file)} == {""}


def test_only_what_was_asked_for_is_written(store: Store, tmp_path: Path) -> None:
    wanted = Wanted(operations=OperationFilter(kind="create"))
    list(write_tables(store.reader(), tmp_path, "jsonl", ["operations", "calls"], wanted))
    operations = [json.loads(line) for line in (tmp_path / "operations.jsonl").read_text().splitlines()]
    assert {one["kind"] for one in operations} == {"create"}
    assert len(operations) == 21
    calls = [json.loads(line) for line in (tmp_path / "calls.jsonl").read_text().splitlines()]
    assert {one["operation_request_id"] for one in calls} == {one["request_id"] for one in operations}
    assert sum(one["publishes"] for one in calls if one["kind"] in ("call", "cast", "fanout")) == sum(
        one["cause_rpcs"] for one in operations
    )


def test_a_time_is_cut_out_without_its_end(store: Store, tmp_path: Path) -> None:
    wanted = Wanted(since_ns=START + 10 * SECOND, until_ns=START + 20 * SECOND)
    list(write_tables(store.reader(), tmp_path, "jsonl", ["queue_samples"], wanted))
    lines = [json.loads(line) for line in (tmp_path / "queue_samples.jsonl").read_text().splitlines()]
    assert [line["ready"] for line in lines] == list(range(10, 20))


def hostile(folder: Path) -> Store:
    store = open_store(str(folder / "hostile.sqlite"), create=True)
    writer, base = begun(store)
    calls = tuple(make_call(base + n + 1, method=name, topic=name, failure="") for n, name in enumerate(NASTY))
    writer.write(Batch(recording_id=base >> 40, calls=calls, ended=True))
    return store


def test_a_name_that_a_spreadsheet_would_run_has_an_apostrophe_before_it_and_is_whole_elsewhere(tmp_path: Path) -> None:
    with hostile(tmp_path) as store:
        stored = [call.method for call in store.reader().calls()]
        for format in FORMATS:
            list(write_tables(store.reader(), tmp_path, format, ["calls"], Wanted()))
    with (tmp_path / "calls.csv").open(newline="") as file:
        found = [row["method"] for row in csv.DictReader(file)]
    assert not [name for name in found if name.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert [name.removeprefix("'") for name in found] == stored
    assert [name for (name,) in asked("SELECT method FROM read_parquet(?)", str(tmp_path / "calls.parquet"))] == stored


@pytest.mark.parametrize(
    ("value", "type", "shown"),
    [
        (-5, "int", -5),
        (None, "int", ""),
        ("-5", "text", "'-5"),
        (["=a", "b"], "texts", "'=a b"),
        (True, "bool", "true"),
    ],
)
def test_numbers_are_numbers_and_texts_are_never_formulas(value: Any, type: Any, shown: Any) -> None:
    assert cell(value, type) == shown


def test_rows_are_written_as_they_are_read_and_memory_does_not_grow_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "GROUP", 500)
    columns = TABLES["calls"].columns[:7]

    def peak(rows: int) -> int:
        made = ((f"{n:032x}", None, "none", "req", "req", "call", f"method-{n % 9}") for n in range(rows))
        tracemalloc.start()
        try:
            assert parquet.write_parquet(tmp_path / "many.parquet", columns, made) == rows
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(500)
    assert peak(20_000) < 2 * peak(2_000)


def test_a_file_that_could_not_be_written_whole_is_not_there(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "calls.csv").write_text("before")
    with pytest.raises(RpcscopeError, match="name another folder"):
        list(write_tables(store.reader(), tmp_path / "calls.csv", "csv", ["calls"], Wanted()))

    def broken(*_: Any) -> Iterator[Any]:
        yield from ()
        raise RuntimeError("the store is gone")

    table = TABLES["calls"]
    monkeypatch.setitem(TABLES, "calls", Table(table.name, table.meaning, table.columns, broken))
    with pytest.raises(RuntimeError):
        list(write_tables(store.reader(), tmp_path, "csv", ["calls"], Wanted()))
    assert [path.name for path in tmp_path.iterdir()] == ["calls.csv"]
    assert (tmp_path / "calls.csv").read_text() == "before"


def test_a_notification_is_no_rpc_in_the_table_of_calls(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "one.sqlite"), create=True) as store:
        writer, base = begun(store)
        call = make_call(base + 1, kind=MessageKind.NOTIFICATION, replies=0, reply_bytes=0, flags=0)
        writer.write(Batch(recording_id=base >> 40, calls=(call,), ended=True))
        list(write_tables(store.reader(), tmp_path, "jsonl", ["calls"], Wanted()))
    (line,) = map(json.loads, (tmp_path / "calls.jsonl").read_text().splitlines())
    assert line["kind"] == "notification"
