"""Work in flight over a time: what is told, what is unknown, and never one for the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rpcscope.cli.inflight_view import spark
from rpcscope.cli.main import _run
from rpcscope.model import (
    Batch,
    InFlightSample,
    Layout,
    Process,
    QueueConsumer,
    QueuePoll,
    QueueSample,
    TapPhase,
)
from rpcscope.query.in_flight_over import in_flight_over
from rpcscope.query.steps import added, buckets, highest, peak, value_at
from rpcscope.query.work import InFlightOver, Work, waiting
from rpcscope.store import Store, open_store

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND


def at(second: float) -> int:
    return START + round(second * SECOND)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "store.db")


@pytest.fixture
def store(path: str) -> Iterator[Store]:
    with open_store(path, create=True) as opened:
        yield opened


class Told:
    """One recording and what it stores."""

    def __init__(self, store: Store, *, scope: str = "broker:5672 tap", mode: str = "control", **words: Any) -> None:
        self._writer = store.writer()
        self.number = self._writer.start(
            source="firehose", scope=scope, digest="", label="/nova", tap_mode=mode, conditions="", started_ns=START
        ).recording.id
        self.base = self.number << 40

    def process(self, pid: int, **words: Any) -> Process:
        defaults: dict[str, Any] = {
            "program": "nova-conductor", "peer": "10.0.0.1", "host": "ctl", "role": "conductor", "seen_ns": START,
        }  # fmt: skip
        known = defaults | words
        key = f"{known['peer']}:{known['program']}:{pid}"
        return Process(id=self.base + pid, key=key, pid=pid, gone_ns=None, **known)

    def write(self, last: float, **records: Any) -> None:
        self._writer.write(Batch(recording_id=self.number, last_ns=at(last), **records))

    def sample(self, second: float, pid: int, count: int, method: str = "do", queue: str = "") -> InFlightSample:
        oldest_ns = at(second) - SECOND if count else 0
        return InFlightSample(
            at_ns=at(second), process=pid and self.base + pid, queue=queue, method=method, count=count,
            oldest_ns=oldest_ns,
        )  # fmt: skip


def phase(second: float, mode: str) -> TapPhase:
    return TapPhase(at_ns=at(second), mode=mode)


def over(store: Store, begin: float, end: float) -> InFlightOver:
    return in_flight_over(store.reader(), at(begin), at(end))


def only(found: InFlightOver) -> Work:
    [row] = found.rows
    return row


def steps(*pairs: tuple[float, int | None]) -> tuple[tuple[int, int | None], ...]:
    return tuple((at(second), value) for second, value in pairs)


def test_each_process_is_told_by_its_methods_and_their_sum(store: Store) -> None:
    told = Told(store)
    told.write(
        20, phases=(phase(0, "control"),), processes=(told.process(1), told.process(2)),
        in_flight=(
            told.sample(2, 1, 20), told.sample(4, 1, 3, "other"), told.sample(6, 1, 0), told.sample(8, 1, 0, "other"),
            told.sample(5, 2, 4),
        ),
    )  # fmt: skip
    first, second = over(store, 0, 20).rows
    assert (first.process, first.host, first.vhost) == ("nova-conductor:1", "ctl", "/nova")
    assert first.methods["do"] == steps((0, 0), (2, 20), (6, 0))
    assert first.methods["other"] == steps((0, 0), (4, 3), (8, 0))
    assert first.total == steps((0, 0), (2, 20), (4, 23), (6, 3), (8, 0))
    assert (first.oldest_ns, second.oldest_ns) == (0, at(4))
    assert second.process == "nova-conductor:2"


def test_a_window_begins_with_what_was_in_flight_before_it(store: Store) -> None:
    told = Told(store)
    told.write(300, phases=(phase(0, "control"),), processes=(told.process(1),), in_flight=(told.sample(2, 1, 7),))
    assert only(over(store, 100, 300)).total == steps((100, 7))
    assert over(store, 0, 1).rows == ()


def test_where_a_mode_sees_no_deliveries_it_is_unknown_and_never_zero(store: Store) -> None:
    told = Told(store)
    told.write(
        100,
        phases=(phase(0, "control"), phase(10, "publish"), phase(50, "control"), phase(60, "full")),
        processes=(told.process(1),),
        in_flight=(told.sample(5, 1, 7), told.sample(55, 1, 2), told.sample(65, 1, 1)),
    )
    assert only(over(store, 0, 100)).total == steps((0, 0), (5, 7), (10, None), (50, 0), (55, 2), (65, 1))
    found = over(store, 20, 40)
    assert (found.is_known, found.rows) == (False, ())


def test_a_recording_of_before_work_was_counted_tells_nothing(store: Store) -> None:
    Told(store).write(100)
    assert not over(store, 0, 100).is_known


def test_a_quiet_recorder_that_is_known_to_see_tells_that_nothing_was_in_flight(store: Store) -> None:
    Told(store).write(100, phases=(phase(0, "control"),))
    assert (over(store, 0, 100).is_known, over(store, 0, 100).rows) == (True, ())


def test_a_file_is_known_from_its_first_sample_to_its_end(store: Store) -> None:
    told = Told(store, scope="file", mode="")
    told.write(30, processes=(told.process(1),), in_flight=(told.sample(5, 1, 7),), ended=True)
    assert only(over(store, 0, 100)).total == steps((5, 7), (30, None))


def test_runs_and_twins_of_one_broker_are_one_and_other_brokers_are_not(store: Store) -> None:
    runs = [Told(store, scope=scope) for scope in ("one:5672 tap", "one:5672 tap", "one:5672 twin", "two:5672 tap")]
    for run, begin in zip(runs, (0, 20, 20, 20), strict=True):
        run.write(
            begin + 20, phases=(phase(begin, "control"),), processes=(run.process(1),),
            in_flight=(run.sample(begin + 1, 1, 5),), ended=True,
        )  # fmt: skip
    one, two = over(store, 0, 40).rows
    assert one.total == steps((0, 0), (1, 5), (20, 0), (21, 5))
    assert two.total == steps((20, 0), (21, 5))


def test_a_recorder_that_was_just_heard_holds_until_now_and_one_that_is_silent_does_not(store: Store) -> None:
    for pid, last in ((1, 95.0), (2, 50.0)):
        told = Told(store, scope=f"broker{pid}:5672 tap")
        told.write(
            last, phases=(phase(0, "control"),), processes=(told.process(pid),), in_flight=(told.sample(5, pid, 7),)
        )
    now = {row.process: value_at(row.total, at(100)) for row in over(store, 0, 100).rows}
    assert now == {"nova-conductor:1": 7, "nova-conductor:2": None}


def test_a_process_is_beside_the_depth_of_the_queues_it_consumes(store: Store) -> None:
    told = Told(store)
    one = told.process(1)
    consumers = tuple(
        QueueConsumer(queue=queue, process=one.key)
        for queue in ("conductor", "conductor.ctl", "reply_abc", "conductor_fanout_abc")
    )
    poll = QueuePoll(
        at_ns=at(0), vhost="/nova", source="management", queues=2, took_ns=1, own_cpu_ns=1, interval_ns=1, complete=True
    )
    samples = [("conductor", -100, 3), ("conductor", 10, 5), ("conductor.ctl", 5, 1), ("conductor.ctl", 20, 0)]
    told.write(
        30, phases=(phase(0, "control"),), processes=(one,), in_flight=(told.sample(2, 1, 7),), queue_polls=(poll,),
        queue_samples=tuple(
            QueueSample(at_ns=at(second), vhost="/nova", queue=queue, ready=ready, unacked=0)
            for queue, second, ready in samples
        ),
        layouts=(Layout(at_ns=at(0), vhost="/nova", exchanges=(), bindings=(), consumers=consumers),),
    )  # fmt: skip
    row = only(over(store, 0, 30))
    assert row.queues == ("conductor", "conductor.ctl")
    assert row.depth == steps((0, None), (5, 4), (10, 6), (20, 5))


def test_without_a_layout_the_queues_are_those_of_topic_and_host_and_their_depth_is_unknown(store: Store) -> None:
    told = Told(store)
    told.write(
        9, phases=(phase(0, "control"),), processes=(told.process(1),),
        in_flight=(told.sample(2, 1, 7), told.sample(3, 0, 2, queue="compute.host-1")),
    )  # fmt: skip
    process, queue = over(store, 0, 9).rows
    assert (process.queues, process.depth) == (("conductor", "conductor.ctl"), ())
    assert (queue.queue, queue.process, queue.queues) == ("compute.host-1", "", ("compute.host-1",))


def test_waiting_is_what_is_more_than_the_pool_and_unknown_stays_unknown() -> None:
    assert [waiting(count, 64) for count in (None, 0, 64, 65, 200)] == [None, 0, 0, 1, 136]


def test_steps_are_added_compared_and_cut() -> None:
    one, other = ((1, 5), (4, None), (6, 2)), ((2, 1), (5, 7))
    assert added([one, other]) == ((1, None), (2, 6), (4, None), (5, None), (6, 9))
    assert highest([one, other]) == ((1, 5), (2, 5), (4, 1), (5, 7), (6, 7))
    assert [value_at(one, when) for when in (0, 1, 3, 4, 9)] == [None, 5, 5, None, 2]
    assert (peak(one), peak(((1, None),)), peak(())) == (5, None, None)
    assert buckets(one, 0, 8, 4) == [5, 5, None, 2]
    assert buckets(((2, 3),), 0, 8, 4) == [None, 3, 3, 3]


def test_a_line_of_bars_tells_unknown_from_nothing_and_nothing_from_little() -> None:
    line = spark(((0, 0), (10, 1), (20, 1000), (25, None)), 0, 30)
    assert (line[:10], line[10:20], line[20:25], line[25:]) == ("▁" * 10, "▂" * 10, "█" * 5, "·" * 5)
    assert len(line) == 30


def test_the_command_tells_people_and_programs_the_same(
    store: Store, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = Told(store)
    told.write(
        60, phases=(phase(0, "control"),), processes=(told.process(1),),
        in_flight=(told.sample(10, 1, 20), told.sample(30, 1, 3)),
    )  # fmt: skip
    assert _run(["inflight", "--db", path, "--pool-size", "1", "--format", "json"]) == 0
    [row] = json.loads(capsys.readouterr().out)["in_flight"]
    assert (row["now"], row["peak"], row["waiting"], row["waiting_peak"]) == (3, 20, 2, 19)
    assert (row["process"], row["depth_now"], row["queue"]) == ("nova-conductor:1", None, None)
    assert _run(["inflight", "--db", path, "--pool-size", "1"]) == 0
    shown = capsys.readouterr().out
    [line] = [line for line in shown.splitlines() if line.startswith("nova-conductor:1")]
    assert line.split()[:11] == ["nova-conductor:1", "ctl", "3", ">=", "2", "31.0", "s", "20", ">=", "19", "?"]
    assert _run(["inflight", "--db", path, "--format", "csv"]) == 0
    assert capsys.readouterr().out.startswith("vhost,process,host,queue,now,peak,waiting,")


def test_the_command_says_what_it_does_not_know(store: Store, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["inflight", "--db", path]) == 0
    assert "Unknown: no recording of this time tells" in capsys.readouterr().out
    Told(store).write(60, phases=(phase(0, "control"),))
    assert _run(["inflight", "--db", path]) == 0
    assert "Nothing was in flight for longer than a moment." in capsys.readouterr().out
    assert _run(["inflight", "--db", path, "--since", "1m", "--until", "5m"]) == 2
    assert "the window ends before it begins" in capsys.readouterr().err
