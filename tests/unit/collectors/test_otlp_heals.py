"""The spans that a real nova 34 exported are broken into many traces; they come out as one tree for each operation.

Truth: tests/captures/nova34-parents, where a hook of the recording's own carried the context over every thread, so that
each request names the one whose handling caused it. It is another recording of the same operations, so trees are
compared by what they are made of: each RPC with all that is above it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache

import pytest

from rpcscope.capture import CaptureReader
from rpcscope.cli.span_file import SpanFile
from rpcscope.model import Account, Call, Inside, Observation, Operation, ParentSource, Sighting, Status, Topology
from tests.support.memory import Memory, record
from tests.support.wire import CAPTURES

SPANS = CAPTURES / "nova34-otlp" / "spans.json.zst"
BOOT, MIGRATION = "req-752bae94-6e39-4377-aed9-1d0e32f70638", "req-85b4604c-0b8e-4b01-bdae-447c692737b6"
OF_BOOT, OF_MIGRATION = "01_boot_1", "09_live_migrate_no_host"
Tree = Counter[tuple[str, ...]]
"""How often each path of methods is in a tree, from its root down."""


@cache
def spans() -> tuple[Inside, ...]:
    with SpanFile(SPANS) as file:
        return tuple(one for batch in file.batches() for one in batch if isinstance(one, Inside))


def wire(folder: str, capture: str) -> list[Sighting]:
    with CaptureReader(CAPTURES / folder / f"{capture}.jsonl.zst") as reader:
        return [one for batch in reader.batches() for one in batch]


@cache
def alone() -> Memory:
    """What spans tell where no tap is on the bus."""
    return record(spans(), mode="inside")


@cache
def beside(capture: str) -> Memory:
    """The firehose with the spans that came while it was recorded, each when it came."""
    seen = wire("nova34-otlp", capture)
    events = [one for one in seen if isinstance(one, Observation)]
    from_ns, to_ns = events[0].at_ns, events[-1].at_ns
    told = [one for one in spans() if from_ns <= one.at_ns <= to_ns + 1_000_000_000]
    mixed: list[Sighting] = [one for one in seen if isinstance(one, Topology)]
    mixed += sorted([*events, *told], key=lambda one: one.at_ns)
    return record(mixed)


@cache
def truth() -> tuple[tuple[Call, str], ...]:
    """Each request of the other recording with the unique id of its true parent."""
    name = f"{OF_MIGRATION}.parents.json"
    parents = json.loads((CAPTURES / "nova34-parents" / name).read_text("utf-8"))
    memory = record(wire("nova34-parents", OF_MIGRATION))
    return tuple((call, parents[call.unique_id] or "") for call in memory.calls() if call.unique_id in parents)


def bare(method: str) -> str:
    """What spans tell of a method: not which object's it is."""
    return method.partition("(")[0]


def tree(calls: Iterable[tuple[Call, str]], root: str, name: Callable[[str], str] = bare) -> Tree:
    """All below the only root of this method, and the root itself."""
    by_id = {call.unique_id: (call, parent) for call, parent in calls}
    found: Tree = Counter()
    for call, parent in by_id.values():
        path = [name(call.method)]
        while parent:
            above, parent = by_id[parent]
            path.insert(0, name(above.method))
        found[tuple(path)] += path[0] == root
    return +found


def of(memory: Memory, operation: Operation) -> list[tuple[Call, str]]:
    """The RPCs of an operation by cause, each with its parent."""
    return [(one, one.parent_unique_id) for one in memory.calls() if one.cause_id == operation.id]


def native_traces(request_id: str) -> int:
    """Into how many traces the spans of an operation are broken."""
    return len({one.trace_id for one in spans() if one.request_id == request_id})


CASES = [
    pytest.param(BOOT, OF_BOOT, "schedule_and_build_instances", 13, 16, id="boot"),
    pytest.param(MIGRATION, OF_MIGRATION, "live_migrate_instance", 14, 44, id="live migration"),
]


@pytest.mark.parametrize(("request_id", "capture", "root", "traces", "rpcs"), CASES)
def test_spans_alone_come_out_as_the_true_tree(
    request_id: str, capture: str, root: str, traces: int, rpcs: int
) -> None:
    assert native_traces(request_id) == traces
    memory = alone()
    calls = of(memory, memory.operation(request_id))
    assert len(calls) == rpcs
    assert sum(not parent for _, parent in calls) == 1
    assert tree(calls, root) == tree(truth(), root)


@pytest.mark.parametrize(("request_id", "capture", "root", "traces", "rpcs"), CASES)
def test_spans_beside_the_firehose_come_out_as_the_true_tree(
    request_id: str, capture: str, root: str, traces: int, rpcs: int
) -> None:
    memory = beside(capture)
    calls = of(memory, memory.operation(request_id))
    assert len(calls) == rpcs
    assert tree(calls, root, str) == tree(truth(), root, str)


@pytest.mark.parametrize(("request_id", "capture", "root", "traces", "rpcs"), CASES)
def test_a_call_that_both_saw_is_one_call_and_counted_once(
    request_id: str, capture: str, root: str, traces: int, rpcs: int
) -> None:
    both = beside(capture)
    bus = record(wire("nova34-otlp", capture))
    ours, theirs = both.operation(request_id), bus.operation(request_id)
    assert (ours.by_request, ours.by_cause) == (theirs.by_request, theirs.by_cause)
    known = {call.id for call, _ in of(both, ours)}
    sides = Counter(one.call_id for one in accounts(both) if one.call_id in known)
    assert set(sides) == known, "a call of the operation was told by no span"
    assert set(sides.values()) == {2}


def accounts(memory: Memory) -> list[Account]:
    """The last that was stored of each."""
    newest = {(one.call_id, one.side, one.process): one for batch in memory.batches for one in batch.accounts}
    return list(newest.values())


def test_what_a_span_names_and_what_is_inferred_are_told_apart() -> None:
    memory = alone()
    by_source = {
        request_id: Counter(call.parent_source for call, _ in of(memory, memory.operation(request_id)))
        for request_id in (BOOT, MIGRATION)
    }
    none, named, inferred = ParentSource.NONE, ParentSource.TRACEPARENT, ParentSource.INFERRED
    assert by_source[BOOT] == {none: 1, named: 2, inferred: 13}
    assert by_source[MIGRATION] == {none: 1, named: 29, inferred: 14}


def test_how_a_cast_ended_is_unknown_where_spans_alone_tell_of_it() -> None:
    assert {alone().operation(request_id).status for request_id in (BOOT, MIGRATION)} == {Status.UNKNOWN}
    assert {beside(OF_BOOT).operation(BOOT).status} == {Status.DONE}
