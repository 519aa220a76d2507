"""`rpcscope queues NAME` tells what waits in a queue: what was published to it and nobody took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.casts import METHODS, body, cast, declare, drained, request_id
from tests.support.cli import Cli, Running, new_cli
from tests.support.rabbitmq import Cloud
from tests.support.recording import broker_options
from tests.support.wire import UNIQUE_ID

pytestmark = pytest.mark.server
QUEUE = "compute.host-1"
GIVE_UP_S = 90.0
Answer = dict[str, Any]


@pytest.fixture
def cli(cloud: Cloud, tmp_path: Path) -> Cli:
    with closing(cloud.connect()) as connection:
        declare(connection.channel(), QUEUE)
    return new_cli(tmp_path)


@contextmanager
def recording(cloud: Cloud, cli: Cli, *options: str) -> Iterator[Running]:
    with cli.running("record", *broker_options(cloud), *options) as recorder:
        recorder.wait_for("rpcscope: recording")
        yield recorder
        done = recorder.end()
        assert done.code == 0, done


def told(cli: Cli, name: str = QUEUE) -> Answer:
    (answer,) = cli.json("queues", name)["waiting"]
    found: Answer = answer
    return found


def told_when(cli: Cli, enough: Callable[[Answer], bool], name: str = QUEUE) -> Answer:
    """The answer, once it is so."""
    deadline = time.monotonic() + GIVE_UP_S
    while not enough(answer := told(cli, name)):
        assert time.monotonic() < deadline, answer
        time.sleep(0.2)
    return answer


def counts(answer: Answer, share: str) -> dict[str | None, int]:
    return {row["name"]: row["messages"] for row in answer[share]}


def test_fifty_casts_that_nobody_takes_are_told_by_method_kind_and_request_until_they_are_taken(
    cloud: Cloud, cli: Cli
) -> None:
    requests = [request_id() for _ in range(5)]
    sent = [body(METHODS[number % 3], requests[number % 5]) for number in range(50)]
    with recording(cloud, cli):
        began_ns = time.time_ns()
        cast(cloud, QUEUE, sent)
        answer = told_when(cli, lambda one: one["messages"] == 50 and (one["depth"] or {}).get("ready") == 50)
        assert counts(answer, "by_method") == dict(zip(METHODS, (17, 17, 16), strict=True))
        assert counts(answer, "by_request") == dict.fromkeys(requests, 10)
        assert sum(counts(answer, "by_kind").values()) == 50
        assert answer["bytes"] == sum(map(len, sent))
        assert 0 < answer["oldest_ms"] < (time.time_ns() - began_ns) / 1e6
        assert (answer["expired"], answer["doubtful"], answer["unknown"], answer["notes"]) == (0, 0, None, [])
        shown = cli.ok("queues", QUEUE)
        assert "  by messages  50 published and not taken," in shown
        assert "  by broker    50 ready, 0 unacknowledged at 20" in shown
        assert "build_and_run_instance" in shown
        assert told(cli, "compute.*")["messages"] == 50
        assert len(drained(cloud, QUEUE)) == 50
        answer = told_when(cli, lambda one: one["messages"] == 0 and one["depth"]["ready"] == 0)
    assert (answer["by_method"], answer["oldest_at"], answer["notes"]) == ([], None, [])
    (ended,) = cli.json("queues", QUEUE)["waiting"]
    assert ended["notes"][0].startswith("The recording has ended: this is what waited at 20")


def test_what_was_sent_before_the_recorder_began_is_the_brokers_alone(cloud: Cloud, cli: Cli) -> None:
    cast(cloud, QUEUE, [body(METHODS[0], request_id()) for _ in range(7)])
    with recording(cloud, cli):
        cast(cloud, QUEUE, [body(METHODS[1], request_id()) for _ in range(4)])
        answer = told_when(cli, lambda one: one["messages"] == 4 and (one["depth"] or {}).get("ready") == 11)
    assert counts(answer, "by_method") == {METHODS[1]: 4}
    (note,) = answer["notes"]
    assert note.startswith(f"The broker counts 7 more: published before {answer['from']}, from when on")


def test_calls_whose_time_is_over_do_not_wait_though_the_broker_counts_them(cloud: Cloud, cli: Cli) -> None:
    call = {"_msg_id": UNIQUE_ID, "_reply_q": "reply_1", "_timeout": None}
    with recording(cloud, cli):
        cast(cloud, QUEUE, [body(METHODS[0], request_id())])  # in front of it: what never expires
        cast(cloud, QUEUE, [body(METHODS[1], request_id(), **call)], timeout_ms=1_000)
        answer = told_when(cli, lambda one: one["expired"] == 1 and (one["depth"] or {}).get("ready") == 2)
    assert counts(answer, "by_method") == {METHODS[0]: 1}
    assert answer["notes"] == [
        "Not counted: 1 call whose time is over. The broker drops such a call once it is the first in its queue, "
        "and counts it until then."
    ]


@pytest.mark.long
def test_what_was_purged_is_told_as_a_difference(cloud: Cloud, cli: Cli) -> None:
    with recording(cloud, cli):
        cast(cloud, QUEUE, [body(METHODS[0], request_id()) for _ in range(3)])
        told_when(cli, lambda one: one["messages"] == 3 and (one["depth"] or {}).get("ready") == 3)
        with closing(cloud.connect()) as connection:
            connection.channel().queue_purge(QUEUE)
        answer = told_when(cli, lambda one: one["depth"]["ready"] == 0)
    assert answer["messages"] == 3
    assert answer["notes"][0].startswith("The broker counts 3 fewer: published")
    assert "purged" in answer["notes"][0]


@pytest.mark.parametrize("mode", ["publish", "bindings"])
def test_a_mode_that_sees_no_deliveries_can_not_tell(cloud: Cloud, cli: Cli, mode: str) -> None:
    with recording(cloud, cli, "--mode", mode):
        cast(cloud, QUEUE, [body(METHODS[0], request_id())])
        answer = told_when(cli, lambda one: bool(one["depth"]))
    numbers = ("messages", "bytes", "expired", "doubtful", "whole", "from", "oldest_at")
    assert [answer[word] for word in numbers] == [None] * 7
    assert answer["unknown"] == (
        f"mode {mode} sees no deliveries, so what was taken is not known: record with --mode control"
    )
    shown = cli.ok("queues", QUEUE)
    assert "published and not taken" not in shown
    assert f"What is in it can not be told: mode {mode} sees no deliveries" in shown
