"""The table of what each tap knows, against what rpcscope shows of one boot that each of them saw alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from rpcscope.capture import CaptureWriter, Header, Scrubber
from rpcscope.cli.main import cli
from rpcscope.model import Inside, Sighting
from rpcscope.modes import INSIDE
from rpcscope.rules import load_rules
from tests.support.phases import seen_in
from tests.support.told import told
from tests.support.wire import CAPTURES, sightings

DOCS = Path(__file__).parents[2] / "docs" / "taps" / "what-each-tap-knows.md"
BOOT = CAPTURES / "nova34" / "01_boot_1.jsonl.zst"
SPANS = CAPTURES / "nova34-otlp" / "spans.json.zst"
TAPS = ("full", "control", "publish", "bindings", "in-process", "spans")
Shown = dict[str, Any]

CALLS, ALL = ("call",), ("call", "cast", "fanout")
FACTS: dict[str, tuple[tuple[str, ...], Callable[[Shown], object]]] = {
    "which RPCs an operation makes": (ALL, lambda one: one["method"]),
    "its request id": (ALL, lambda one: one["request_id"]),
    "how a call ended": (CALLS, lambda one: one["outcome"] not in (None, "unknown", "pending", "unanswered")),
    "its caller's timeout": (CALLS, lambda one: one["timeout_ms"]),
    "bytes of the request": (ALL, lambda one: one["request_bytes"]),
    "bytes of the reply": (CALLS, lambda one: one["reply_bytes"]),
    "who sent it": (ALL, lambda one: one["from"]["process"] and "reply_" not in one["from"]["process"]),
    "who worked on it": (CALLS, lambda one: one["to"]["process"]),
    "how many took a fanout": (("fanout",), lambda one: one["copies"]),
    "heartbeats of long calls": (CALLS, lambda one: one["heartbeats"] is not None and one["clock"] == "tap"),
    "time in the queue": (CALLS, lambda one: _both(one, "broker_wait_ms")),
    "time in the worker": (
        CALLS,
        lambda one: one["server_ms"] is not None or (_told(one, "pool_wait_ms") and _told(one, "execution_ms")),
    ),
    "of it: waiting for a thread": (ALL, lambda one: _told(one, "pool_wait_ms")),
    "of it: execution": (CALLS, lambda one: _told(one, "execution_ms")),
    "the reply on its way": (CALLS, lambda one: _both(one, "reply_wait_ms")),
    "the whole, as the caller waits": (CALLS, lambda one: _told(one, "total_ms")),
    "sending, until the broker has it": (ALL, lambda one: _told(one, "send_wait_ms")),
    "waiting for a free connection": (ALL, lambda one: _told(one, "connection_wait_ms")),
}


def _told(one: Shown, word: str) -> bool:
    return one["told"] is not None and one["told"][word] is not None


def _both(one: Shown, word: str) -> bool:
    return one[word] is not None or _told(one, word)


def written(folder: Path, seen: Iterable[Sighting], mode: str) -> Path:
    target = folder / f"{mode}.jsonl.zst"
    with CaptureWriter(target, Header(mode=mode), Scrubber(load_rules())) as out:
        for one in seen:
            out.write(one)
    return target


def shown(folder: Path, file: Path) -> list[Shown]:
    """What `rpcscope calls` shows of a file, after it was imported into a store of its own."""
    db = str(folder / f"{file.name}.sqlite")
    for args in (["import", str(file), "--db", db], ["calls", "--db", db, "--all", "--format", "json"]):
        done = CliRunner().invoke(cli, args, catch_exceptions=False)
        assert done.exit_code == 0, done.output
    found: list[Shown] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Shown]]:
    """The calls of one boot as each tap has them."""
    folder = tmp_path_factory.mktemp("taps")
    bus = sightings(BOOT)
    files = {mode: written(folder, seen_in(mode, bus), mode) for mode in TAPS[:4]}
    files["in-process"] = written(folder, inside(bus), INSIDE)
    files["spans"] = SPANS
    return {tap: shown(folder, file) for tap, file in files.items()}


def inside(bus: Sequence[Sighting]) -> list[Inside]:
    return told(bus, pool_ns=100_000)


def mark(calls: list[Shown], fact: str) -> str:
    kinds, is_known = FACTS[fact]
    those = [bool(is_known(one)) for one in calls if one["kind"] in kinds]
    return "yes" if those and all(those) else "some" if any(those) else "no"


def table() -> dict[str, list[str]]:
    """Rows of the page's table by their first cell."""
    rows = [re.split(r"\s*\|\s*", line.strip("| \n")) for line in DOCS.read_text().splitlines() if line.startswith("|")]
    return {row[0]: row[1:] for row in rows}


def test_the_table_has_a_row_for_each_fact_and_a_column_for_each_tap() -> None:
    header, _, *rows = table().items()
    assert header[1] == list(TAPS)
    assert [name for name, _ in rows] == list(FACTS)


@pytest.mark.parametrize("fact", FACTS)
def test_each_tap_knows_what_the_table_says(known: dict[str, list[Shown]], fact: str) -> None:
    assert table()[fact] == [mark(known[tap], fact) for tap in TAPS]
