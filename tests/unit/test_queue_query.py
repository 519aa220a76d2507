"""What `rpcscope queues` answers from what was sampled."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rpcscope.cli.main import _run
from rpcscope.model import Batch, NodeState, QueuePoll, QueueSample, QueueSamples
from rpcscope.query.queues import queues
from rpcscope.sampling import Sampler
from rpcscope.store import Store, open_store

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND
EVERY_S = 30
LAST_S = 7_200 + 600
Depths = dict[str, tuple[int | None, int | None]]  # ready and consumers by queue


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "store.db")


@pytest.fixture
def store(path: str) -> Iterator[Store]:
    with open_store(path, create=True) as opened:
        yield opened


def record(store: Store, vhost: str, polls: dict[int, Depths], **words: Any) -> None:
    """Polls by their second, as the pipeline stores them."""
    writer, sampler = store.writer(), Sampler()
    number = writer.start(
        source="firehose", scope=vhost, digest="", label=vhost, tap_mode="", conditions="", started_ns=START
    ).recording.id
    for at_s, depths in polls.items():
        at_ns = START + at_s * SECOND
        poll = QueuePoll(
            at_ns=at_ns, vhost=vhost, source="prometheus", queues=len(depths), took_ns=SECOND // 10,
            own_cpu_ns=SECOND // 20, interval_ns=EVERY_S * SECOND, complete=True,
        )  # fmt: skip
        samples = tuple(
            QueueSample(at_ns=at_ns, vhost=vhost, queue=queue, ready=ready, consumers=consumers)
            for queue, (ready, consumers) in depths.items()
        )
        taken = sampler.take(QueueSamples(poll=poll, samples=samples))
        writer.write(
            Batch(
                recording_id=number, queue_polls=(taken.poll,), queue_samples=taken.changed,
                family_samples=taken.families, **words,
            )
        )  # fmt: skip


def steady(last: Depths, before: Depths, *, change_s: int) -> dict[int, Depths]:
    return {at_s: (before if at_s < change_s else last) for at_s in range(0, LAST_S + 1, EVERY_S)}


BEFORE: Depths = {"conductor": (1, 1), "compute.a": (0, 1), "compute.b": (4, 1), "reply_1": (0, 1), "old": (9, 0)}
AFTER: Depths = {"conductor": (7, 1), "compute.a": (2, 0), "compute.b": (4, 1), "reply_1": (None, None)}


def test_families_are_as_of_the_newest_poll_the_deepest_first(store: Store) -> None:
    record(store, "nova", steady(AFTER, BEFORE, change_s=LAST_S - 60))
    found = queues(store.reader())
    assert [(r.name, r.queues, r.ready, r.consumers, r.consumerless, r.growth) for r in found.rows] == [
        ("conductor", 1, 7, 1, 0, 6),
        ("compute.*", 2, 6, 1, 1, 2),
        ("reply_*", 1, None, None, 0, None),
    ]
    assert [r.is_growing for r in found.rows] == [True, True, False]
    assert [(p.vhost, p.at_ns) for p in found.polls] == [("nova", START + LAST_S * SECOND)]


def test_growth_looks_back_as_far_as_it_is_told(store: Store) -> None:
    record(store, "nova", steady(AFTER, BEFORE, change_s=LAST_S - 300))
    by_window = {w: {r.name: r.growth for r in queues(store.reader(), window_s=w).rows} for w in (60, 600)}
    assert [by_window[w]["conductor"] for w in (60, 600)] == [0, 6]
    by_window = {
        w: {r.name: r.growth for r in queues(store.reader(), by_queue=True, window_s=w).rows} for w in (60, 600)
    }
    assert [by_window[w]["conductor"] for w in (60, 600)] == [0, 6]


def test_a_queue_that_did_not_change_for_hours_is_there_and_one_that_is_gone_is_not(store: Store) -> None:
    record(store, "nova", steady(AFTER, BEFORE, change_s=LAST_S - 60))
    rows = {r.name: (r.ready, r.consumers) for r in queues(store.reader(), by_queue=True).rows}
    assert rows == AFTER


def test_a_name_is_a_queue_or_a_family(store: Store) -> None:
    record(store, "nova", {0: AFTER})
    assert [r.name for r in queues(store.reader(), "compute.*").rows] == ["compute.b", "compute.a"]
    assert [r.name for r in queues(store.reader(), "conductor").rows] == ["conductor"]
    assert queues(store.reader(), "nothing").rows == ()


def test_each_vhost_has_its_newest_poll_also_when_two_recorders_look_at_it(store: Store) -> None:
    record(store, "nova", {0: BEFORE})
    record(store, "nova", {60: AFTER})
    record(store, "cell1", {30: {"conductor": (3, 1)}})
    found = queues(store.reader())
    assert {(p.vhost, (p.at_ns - START) // SECOND) for p in found.polls} == {("nova", 60), ("cell1", 30)}
    assert [(r.vhost, r.name, r.ready) for r in found.rows if r.name == "conductor"] == [
        ("nova", "conductor", 7),
        ("cell1", "conductor", 3),
    ]


def run(path: str, *args: str) -> int:
    return _run(["queues", "--db", path, *args])


def test_the_screen_says_as_of_when_at_what_cost_and_what_is_wrong(
    store: Store, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    node = NodeState(
        at_ns=START, node="rabbit@one", running=True, mem_alarm=True, blocked=3, partitions=("rabbit@two",)
    )
    record(store, "nova", {0: AFTER}, node_states=(node,))
    assert run(path) == 0
    said = capsys.readouterr().out
    assert "As of 2026-09-21T14:13:20.000000Z, vhost nova: 4 queues by prometheus, looked at every 30 s" in said
    assert "the last took 100 ms: 0.33% of a broker core at most" in said
    assert "rabbit@one has a memory alarm: it takes no message; 3 connections are blocked" in said
    assert "rabbit@one lost sight of rabbit@two" in said
    assert "compute.*" in said
    assert "compute.a" not in said


def test_json_and_csv_have_every_field_and_unknown_is_no_zero(
    store: Store, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    record(store, "nova", {0: AFTER})
    assert run(path, "--all", "--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["polls"][0]["as_of"] == "2026-09-21T14:13:20.000000Z"
    by_name = {row["name"]: row for row in document["queues"]}
    assert (by_name["reply_1"]["ready"], by_name["compute.a"]["consumerless"]) == (None, 1)
    assert run(path, "--all", "--format", "csv") == 0
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(capsys.readouterr().out))}
    assert (rows["reply_1"]["ready"], rows["conductor"]["ready"], rows["compute.a"]["consumers"]) == ("", "7", "0")


def test_growing_and_consumerless_are_filters(store: Store, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    record(store, "nova", steady(AFTER, BEFORE, change_s=LAST_S - 60))
    for options, expected in (
        (("--growing", "--all"), {"conductor", "compute.a"}),
        (("--consumerless",), {"compute.*"}),
    ):
        assert run(path, *options, "--format", "csv") == 0
        assert {row["name"] for row in csv.DictReader(io.StringIO(capsys.readouterr().out))} == expected


def test_nothing_sampled_and_an_unknown_name_are_told_in_a_sentence(
    store: Store, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(path) == 0
    assert "No queue was sampled yet" in capsys.readouterr().out
    record(store, "nova", {0: AFTER})
    assert run(path, "nothing") == 2
    assert "no queue and no family is called 'nothing'" in capsys.readouterr().err
