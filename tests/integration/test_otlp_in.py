"""A real oslo.messaging that traces itself, over a real RabbitMQ, into our receiver."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from rpcscope.model import Call, Inside, MessageKind, Outcome, ParentSource
from rpcscope_collectors.otlp import OtlpTap
from rpcscope_collectors.otlp_door import Door
from tests.support.cli import Cli, new_cli
from tests.support.memory import record
from tests.support.rabbitmq import Cloud
from tests.support.spans import REQUEST_ID, consumer, producer, request_json

ROOT = Path(__file__).parents[2]
PATHS = ":".join(str(ROOT / part) for part in ("", "collectors", "collectors/oslo-tap/src"))
NAMED, INFERRED = ParentSource.TRACEPARENT, ParentSource.INFERRED
TREE = Counter({
    ("direct",): 1, ("direct", "leaf"): 1, ("pooled",): 1, ("pooled", "leaf"): 1, ("threaded",): 1,
    ("threaded", "leaf"): 1, ("wait",): 3, ("heard",): 2, ("broken",): 1,
})  # fmt: skip


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return new_cli(tmp_path)


def told(cloud: Cloud, mode: str) -> list[Inside]:
    """What both processes told until they ended, which is when their exporters have sent everything."""
    tap = OtlpTap(Door.parse("127.0.0.1:0"))
    tap.open()
    try:
        _run(cloud.server.transport_url(cloud.vhost), tap.port, mode)
    finally:
        tap.close()
    assert (tap.count.rejected, tap.count.refused) == (0, 0)
    return tap.take(10_000)


def _run(url: str, port: int, mode: str) -> None:
    def command(role: str) -> list[str]:
        module = [sys.executable, "-m", "tests.support.traced_service"]
        return [*module, role, url, f"http://127.0.0.1:{port}", mode]

    env = {"PYTHONPATH": PATHS, "PATH": "/usr/bin"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command("serve"), env=env, stdin=pipe, stdout=pipe, stderr=pipe) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            assert server.stdout.readline() == b"ready\n"
            called = subprocess.run(command("call"), env=env, capture_output=True, timeout=120, check=False)
        finally:
            server.stdin.close()
        server.stdin = None
        server.communicate(timeout=120)
    assert called.stdout == b"done\n", called.stderr.decode()


def paths(calls: Sequence[Call]) -> Counter[tuple[str, ...]]:
    by_id = {call.unique_id: call for call in calls}
    found: Counter[tuple[str, ...]] = Counter()
    for call in calls:
        path, above = [call.method], call
        while above.parent_unique_id and len(path) < 9:
            above = by_id[above.parent_unique_id]
            path.insert(0, above.method)
        found[tuple(path)] += 1
    return found


def sources(calls: Sequence[Call]) -> dict[str, ParentSource]:
    """How the parent of each leaf is known, by the parent's method."""
    by_id = {call.unique_id: call.method for call in calls}
    return {by_id[call.parent_unique_id]: call.parent_source for call in calls if call.method == "leaf"}


@pytest.mark.server
def test_a_service_that_traces_itself_is_recorded_without_any_tap_on_its_broker(cloud: Cloud) -> None:
    memory = record(told(cloud, "stock"), mode="inside")
    calls = memory.calls()
    assert paths(calls) == TREE
    assert Counter(call.kind for call in calls) == {MessageKind.REQUEST: 10, MessageKind.CAST: 2}
    outcomes = {call.method: (call.outcome, call.failure) for call in calls}
    assert outcomes["broken"] == (Outcome.FAILED, "ValueError")
    assert (outcomes["direct"], outcomes["heard"]) == ((Outcome.OK, ""), (Outcome.NONE, ""))
    assert sources(calls) == {"direct": NAMED, "pooled": INFERRED, "threaded": INFERRED}
    assert "PS7q" not in repr(memory.batches)


@pytest.mark.server
def test_with_the_hook_the_spans_themselves_tell_what_was_handed_to_a_thread(cloud: Cloud) -> None:
    calls = record(told(cloud, "carry"), mode="inside").calls()
    assert paths(calls) == TREE
    assert sources(calls) == {"direct": NAMED, "pooled": NAMED, "threaded": NAMED}


def test_a_recorder_takes_spans_where_no_broker_is_named_and_says_what_became_of_them(cli: Cli) -> None:
    other = producer(kind="INTERNAL", span_id="aaaaaaaaaaaaaaaa")
    with cli.running("record", "--otlp-listen", "127.0.0.1:0") as recorder:
        recorder.wait_for("path /v1/traces")
        (port,) = re.findall(r"at port (\d+)", recorder.said)
        body = json.dumps(request_json(producer(), consumer(), other)).encode()
        sent = urllib.request.Request(f"http://127.0.0.1:{port}/v1/traces", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(sent, timeout=60) as answer:
            assert (answer.status, answer.read()) == (200, b"{}")
        done = recorder.end()
    assert done.code == 0, done.err
    assert "spans: 3 seen = 2 kept + 1 rejected" in done.err
    (operation,) = cli.json("operations", "--all")
    assert (operation["request_id"], operation["messages"]) == (REQUEST_ID, 2)
    (call,) = cli.json("calls", "--all")
    assert (call["kind"], call["method"], call["outcome"]) == ("call", "object_action", "ok")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--otlp-listen", "here"), "as in 127.0.0.1:4318"),
        (("--otlp-listen", "0.0.0.0:4318"), "give --otlp-token-file"),
        (("--otlp-token-file", "/nowhere"), "is for --otlp-listen"),
        (("--otlp-listen", "127.0.0.1:0", "--otlp-token-file", "/nowhere"), "can not be read"),
    ],
)
def test_where_spans_can_not_be_taken_is_said(cli: Cli, options: tuple[str, ...], says: str) -> None:
    done = cli.run("record", *options)
    assert done.code == 2
    assert says in done.sentence
