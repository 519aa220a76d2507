"""What `rpcscope status` and /metrics say of recorders that run, ended, or are gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from rpcscope.cli.main import _run
from rpcscope.cli.status_view import print_status
from rpcscope.export.metrics.recorders import Word, recorder_families
from rpcscope.export.metrics.text import exposition
from rpcscope.model import Batch, Counters, Gap, GapCause, TapPhase
from rpcscope.query.status import SILENT_NS, RecorderStatus, recorders
from rpcscope.query.words import duration
from rpcscope.store import GapTotal, RecorderHealth, Store, open_store

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND
NOW = START + 3_700 * SECOND
HEALTH = RecorderHealth(
    recording_id=1, at_ns=NOW - SECOND, since_ns=START, host="mon1", pid=4711, stored_ns=NOW - 2 * SECOND,
    events_rate=1234.5, backlog=12, cpu_share=0.125, lag_ns=SECOND // 2, rss_bytes=85_000_000, nodes_traced=2, nodes=3,
)  # fmt: skip
COUNTERS = Counters(seen=1_000, decoded=990, rejected=7, markers=3, duplicates=5, messages=600, copies=385, evicted=2)
GAPS = (
    Gap(from_ns=START, to_ns=START + 30 * SECOND, cause=GapCause.DROPPED, estimate=1_200),
    Gap(from_ns=START, to_ns=START + 60 * SECOND, cause=GapCause.DROPPED),
    Gap(from_ns=START, to_ns=START + 5 * SECOND, cause=GapCause.DISCONNECTED),
)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "store.db")


@pytest.fixture
def store(path: str) -> Iterator[Store]:
    with open_store(path, create=True) as opened:
        yield opened


def record(store: Store, scope: str = "rabbit1:5672 vhost nova default", mode: str = "control", **words: Any) -> int:
    """A live recording with its counters."""
    writer = store.writer()
    number = writer.start(
        source="firehose", scope=scope, digest="", label="nova", tap_mode=mode, conditions="", started_ns=START
    ).recording.id
    writer.write(Batch(recording_id=number, **({"counters": COUNTERS, "last_ns": NOW - 2 * SECOND} | words)))
    return number


def the_one(store: Store, now_ns: int = NOW) -> RecorderStatus:
    (found,) = recorders(store.reader(), now_ns)
    return found


def test_a_recorder_is_taken_for_gone_once_it_was_silent_for_several_reports(store: Store) -> None:
    record(store)
    store.writer().report(HEALTH)
    assert the_one(store, HEALTH.at_ns + SILENT_NS).state == "recording"
    assert the_one(store, HEALTH.at_ns + SILENT_NS + 1).state == "silent"
    assert the_one(store, HEALTH.at_ns - 60 * SECOND).state == "recording", "the clock of its host is ahead of ours"


def test_a_recorder_that_ended_is_not_taken_for_gone(store: Store) -> None:
    record(store, ended=True)
    store.writer().report(HEALTH)
    assert the_one(store, NOW + 99 * SILENT_NS).state == "ended"


def test_of_each_tap_the_newest_recording_is_told_and_imports_are_not(store: Store) -> None:
    numbers = [record(store, scope) for scope in ("a", "b", "a")]
    store.writer().start(
        source="file", scope="c", digest="d", label="", tap_mode="full", conditions="", started_ns=START
    )
    told = [one.recording.id for one in recorders(store.reader(), NOW)]
    assert told == numbers[1:]
    assert [one.recording.id for one in recorders(store.reader(), NOW, everything=True)] == numbers


def test_a_block_tells_all_of_a_recorder_that_runs(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    record(store, gaps=GAPS)
    store.writer().report(HEALTH)
    print_status([the_one(store)])
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "rabbit1:5672 vhost nova default: recording; look at the lines with !",
        "  sees      all messages; no deliveries of replies and of fanout copies (mode control)",
        "  since     2026-09-21T14:13:20Z, for 1 h 1 min, process 4711 on mon1",
        "  events    1,000 seen, 1,234.5 a second over the last minute",
        "  behind    reads 0.5 s late; 12 events read and not yet stored; last commit 2.0 s ago",
        "  missed    its queue was full 2 times, 1 min 30 s in all: about 1,200 messages and an unknown number in 1 of "
        "them; no connection to the broker once, 5.0 s in all: an unknown number of messages",
        "  left out  7 no oslo.messaging messages, 5 given twice by the broker, 2 given up to bound memory",
        "! traced    2 of 3 nodes of the broker: counts are not whole",
        "  costs     12.5% of a core over the last minute, 85 MB of memory, on its own host",
    ]


def test_a_recorder_that_is_gone_is_said_to_be_and_nothing_of_it_is_told_as_if_it_were_now(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    record(store)
    store.writer().report(HEALTH)
    print_status([the_one(store, HEALTH.at_ns + 180 * SECOND)])
    first, *rest = capsys.readouterr().out.splitlines()
    assert "not heard of since 2026-09-21T15:14:59Z, 3 min 0 s ago; it was killed" in first
    assert [line.split()[0] for line in rest] == ["sees", "since", "events", "missed", "left", "next"]
    assert "start it again: within ten minutes of its death it goes on where it stopped" in rest[-1]
    print_status([the_one(store, HEALTH.at_ns + 700 * SECOND)])
    assert "`rpcscope untrace` on its host ends tracing that it left on" in capsys.readouterr().out


def test_a_recorder_with_which_nothing_is_wrong_has_no_mark_and_what_it_left_out_is_nothing(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    record(store, counters=replace(COUNTERS, rejected=0, duplicates=0, evicted=0))
    store.writer().report(replace(HEALTH, nodes_traced=3))
    print_status([the_one(store)])
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.endswith(": recording")
    assert not [line for line in rest if not line.startswith("  ")]
    assert "  left out  nothing" in [line.rstrip() for line in rest]


def test_a_recorder_that_just_began_claims_no_rate(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    record(store)
    store.writer().report(replace(HEALTH, at_ns=START + SECOND, since_ns=START, events_rate=0.0, cpu_share=0.0))
    print_status([the_one(store, START + 2 * SECOND)])
    said = capsys.readouterr().out
    assert "a second over the last minute" not in said
    assert "not yet known how much CPU, 85 MB of memory" in said


def test_a_recorder_that_reads_late_has_a_mark(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    record(store)
    store.writer().report(replace(HEALTH, lag_ns=40 * SECOND))
    print_status([the_one(store)])
    assert "! behind    reads 40.0 s late" in capsys.readouterr().out


def test_a_database_that_takes_nothing_is_told(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    record(store)
    store.writer().report(replace(HEALTH, stored_ns=NOW - 40 * SECOND))
    print_status([the_one(store)])
    assert "last commit 40.0 s ago: the database does not take it" in capsys.readouterr().out


def test_what_is_not_known_is_not_zero(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    record(store, mode="bindings", gaps=GAPS[2:])
    store.writer().report(replace(HEALTH, lag_ns=None, rss_bytes=None, nodes_traced=None, nodes=None, stored_ns=0))
    told = the_one(store).as_dict()
    words = ("copies", "messages", "lag_s", "rss_bytes", "nodes_traced", "nodes", "last_commit")
    assert [told[word] for word in words] == [None] * len(words)
    assert told["gaps"] == [{"cause": "disconnected", "gaps": 1, "blind_s": 5.0, "missed": None, "unknown": 1}]
    print_status([the_one(store)])
    said = capsys.readouterr().out
    assert "not known how late it reads" in said
    assert "needs no tracing" in said


def test_a_database_without_recorders_says_how_to_get_one(
    path: str, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(["status", "--db", path]) == 0
    assert "rpcscope record" in capsys.readouterr().out
    assert _run(["status", "--db", path, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_recording_of_an_older_rpcscope_has_no_health_and_is_told(store: Store) -> None:
    record(store, ended=True)
    told = the_one(store).as_dict()
    assert (told["state"], told["seen"], told["pid"], told["events_per_s"]) == ("ended", 1_000, None, None)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0.0 s"), (59.9, "59.9 s"), (61, "1 min 1 s"), (7_260, "2 h 1 min"), (200_000, "2 days 7 h")],
)
def test_durations_have_two_units(seconds: float, words: str) -> None:
    assert duration(int(seconds * SECOND)) == words


def test_metrics_are_read_by_prometheus_with_labels_that_hold_anything(store: Store) -> None:
    number = record(store, 'a "b" \\ c\nd')
    gaps = (
        GapTotal(recording_id=number, cause=GapCause.DROPPED, gaps=3, blind_ns=6 * SECOND, estimate=120, unknown=1),
    )
    recording = the_one(store).recording
    unknown = replace(HEALTH, lag_ns=None)
    words = [Word(recording=recording, health=one, counters=COUNTERS, gaps=gaps) for one in (HEALTH, unknown)]
    read = {family.name: family for family in text_string_to_metric_families(exposition(recorder_families(words)))}
    assert {name.removeprefix("rpcscope_") for name in read} == {
        "cpu_seconds", "resident_memory_bytes", "events", "messages", "copies", "rejected", "duplicates", "evicted",
        "events_per_second", "lag_seconds", "backlog_events", "last_commit_timestamp_seconds",
        "started_timestamp_seconds", "nodes_traced", "nodes", "gaps", "blind_seconds", "missed_messages",
        "gaps_unestimated", "recorder_up",
    }  # fmt: skip
    (lag,) = read["rpcscope_lag_seconds"].samples
    assert (lag.value, lag.labels["scope"]) == (0.5, recording.scope)
    missed = {s.labels["cause"]: s.value for s in read["rpcscope_missed_messages"].samples}
    assert missed == {cause.name.lower(): 120 if cause is GapCause.DROPPED else 0 for cause in GapCause}


# ------------------------------------------------------------------ a tap that changes what it sees


def test_a_tap_that_changed_its_mode_tells_when_and_why(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    phases = (
        TapPhase(at_ns=START, mode="publish", why="start"),
        TapPhase(at_ns=START + 100 * SECOND, mode="control", why="trigger: look at this"),
        TapPhase(at_ns=START + 400 * SECOND, mode="publish", why="details are over"),
        TapPhase(at_ns=NOW - 60 * SECOND, mode="off", why="ceiling: node rabbit@a raised an alarm"),
    )
    record(store, mode="publish", phases=phases)
    assert the_one(store).mode == "off"
    assert [phase["mode"] for phase in the_one(store).as_dict()["phases"]] == ["publish", "control", "publish", "off"]
    print_status([the_one(store)])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert "! sees      nothing: it let go of the broker (mode off)" in lines
    flight = next(number for number, line in enumerate(lines) if line.startswith("flight"))
    assert lines[flight].endswith(": ceiling: node rabbit@a raised an alarm")
    assert lines[flight + 1].startswith("publish from ")
    assert lines[flight + 2].endswith(" for 5 min 0 s: trigger: look at this")


def test_many_phases_are_not_all_told(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    modes = ("publish", "full") * 30
    record(store, phases=tuple(TapPhase(at_ns=START + n * SECOND, mode=mode) for n, mode in enumerate(modes)))
    print_status([the_one(store)])
    told = capsys.readouterr().out
    assert "and 54 phases before" in told
    assert len(told.splitlines()) < 20


def test_a_tap_that_keeps_its_mode_says_nothing_of_a_flight(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    record(store, phases=(TapPhase(at_ns=START, mode="control", why="start"),))
    print_status([the_one(store)])
    assert "flight" not in capsys.readouterr().out
