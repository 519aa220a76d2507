"""A real oslo.messaging that traces itself, over a real RabbitMQ, into our receiver."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from rpcscope.model import Call, Inside, MessageKind, Outcome, ParentSource
from rpcscope_collectors.otlp import OtlpTap
from rpcscope_collectors.otlp_door import Door
from tests.support.memory import record
from tests.support.rabbitmq import Cloud

pytestmark = pytest.mark.server

ROOT = Path(__file__).parents[2]
PATHS = ":".join(str(ROOT / part) for part in ("", "collectors", "collectors/oslo-tap/src"))
NAMED, INFERRED = ParentSource.TRACEPARENT, ParentSource.INFERRED
TREE = Counter({
    ("direct",): 1, ("direct", "leaf"): 1, ("pooled",): 1, ("pooled", "leaf"): 1, ("threaded",): 1,
    ("threaded", "leaf"): 1, ("wait",): 3, ("heard",): 2, ("broken",): 1,
})  # fmt: skip


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


def test_with_the_hook_the_spans_themselves_tell_what_was_handed_to_a_thread(cloud: Cloud) -> None:
    calls = record(told(cloud, "carry"), mode="inside").calls()
    assert paths(calls) == TREE
    assert sources(calls) == {"direct": NAMED, "pooled": NAMED, "threaded": NAMED}
