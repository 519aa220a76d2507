"""An operation told as text, as a Mermaid diagram, and beside its relatives."""

from __future__ import annotations

import re

from rpcscope.model import Batch, Outcome, Tally
from rpcscope.query.counting import counted
from rpcscope.query.mermaid import mermaid
from rpcscope.query.outline import outline
from rpcscope.query.relatives import relatives
from rpcscope.query.trace import Trace, traces
from rpcscope.store import Store
from rpcscope.store.protocol import OperationFilter
from tests.contract.records import begun, make_operation, make_process, recording_of
from tests.unit.query.one import BEGAN, SECOND_REQUEST, call, cast, stored

NAME = r"[A-Za-z0-9_.@()/*, ?-]+"
ARROW = rf"p\d+(-\)|->>|-->>|-x|--x)p\d+: {NAME}"
LINE = re.compile(rf"sequenceDiagram|    (%% {NAME}|participant p\d+ as {NAME}|{ARROW}|Note over p0: {NAME})")


def boot(store: Store) -> Trace:
    reader = store.reader()
    part = next(part for part in reader.operations(OperationFilter(kind="create")) if not part.error)
    return traces(reader, part.request_id)[0]


def test_the_sum_of_a_boot_is_the_founding_answer(captures: Store) -> None:
    found = counted(boot(captures).operation)
    assert found == "15 RPCs = 12 calls + 2 casts + 1 fanout; + 12 replies = 27 messages"


def test_a_sum_without_replies_to_be_seen_says_so(empty_store: Store) -> None:
    writer, base = begun(empty_store, tap_mode="bindings")
    part = make_operation(base + 1, request_id="req-1", by_request=Tally(calls=2, notifications=1))
    writer.write(Batch(recording_id=recording_of(base), operations=(part,)))
    (trace,) = traces(empty_store.reader(), "req-1")
    assert counted(trace.operation) == "2 RPCs = 2 calls; + ? replies + 1 notification = ? messages"


def test_the_text_of_a_boot_has_a_line_for_each_rpc_that_it_caused(captures: Store) -> None:
    lines = outline(boot(captures)).splitlines()
    assert lines[0].startswith("create  done  ")
    assert len([line for line in lines if re.match(r" +[\d,.]+ ms  ", line)]) == 16
    assert any("    call object_action(Instance.save)  nova-compute@" in line for line in lines)


def test_a_boot_as_mermaid_has_an_arrow_for_each_message_that_it_caused(captures: Store) -> None:
    lines = mermaid(boot(captures)).splitlines()
    assert all(LINE.fullmatch(line) for line in lines), lines
    heads = [found[1] for line in lines if (found := re.match(r" +p\d+(-\)|-->>|->>)p\d+:", line))]
    assert (heads.count("->>"), heads.count("-)"), heads.count("-->>")) == (13, 3, 13)


def test_hostile_names_stay_within_their_line_and_mean_nothing(empty_store: Store) -> None:
    evil = "end\n<script>x</script>;\u202e#quot;%%{init}"
    trace = stored(
        empty_store,
        [call(1, 0, 1, 2, method=evil, failure=evil, outcome=Outcome.FAILED), call(2, 3, 4, method=evil)],
        (make_process(8, program=evil, host=evil), make_process(9, program=evil, host="")),
        kind=evil,
    )
    lines = mermaid(trace).splitlines()
    assert all(LINE.fullmatch(line) for line in lines), lines
    assert "(end)" in lines[2]
    assert not set("\u202e\x00") & set(outline(trace))
    assert len(outline(trace).splitlines()) == 6


def test_what_was_never_answered_ends_in_a_cross(empty_store: Store) -> None:
    found = mermaid(stored(empty_store, [call(1, 0, 1, outcome=Outcome.UNANSWERED, method="ping"), cast(2, 5)]))
    assert "p0-xp1: ping at 0.0 ms" in found


def test_relatives_share_a_server_or_a_global_request_id(empty_store: Store) -> None:
    trace = stored(empty_store, [call(1, 0, 1, 2)], instances=("server-1",), global_request_id="req-global")
    writer, base = begun(empty_store, scope="other")
    others = (
        make_operation(base + 1, request_id="req-a", global_request_id="", instances=("server-1",), started_ns=BEGAN),
        make_operation(
            base + 2, request_id="req-b", global_request_id="req-global", instances=(), started_ns=BEGAN + 1
        ),
        make_operation(base + 3, request_id="req-c", global_request_id="", instances=("server-2",)),
    )
    writer.write(Batch(recording_id=recording_of(base), operations=others))
    found = [(one.operation.whole.request_id, one.why) for one in relatives(empty_store.reader(), trace)]
    assert found == [("req-a", "server"), ("req-b", "global request id")]


def test_a_global_request_id_names_all_its_operations(empty_store: Store) -> None:
    stored(empty_store, [call(1, 0, 1, 2)], global_request_id="req-global")
    stored(empty_store, [call(1, 0, 1, 2)], request_id=SECOND_REQUEST, global_request_id="req-global")
    reader = empty_store.reader()
    assert len(traces(reader, "req-global")) == 2
    assert len(traces(reader, SECOND_REQUEST)) == 1


def test_of_an_operation_without_end_the_oldest_calls_are_read(empty_store: Store) -> None:
    stored(empty_store, [call(n, n, n, n + 1) for n in range(1, 12)])
    (trace,) = traces(empty_store.reader(), "req-1", most=10)
    assert (len(trace.calls), trace.is_cut) == (10, True)
    assert not traces(empty_store.reader(), "req-1", most=11)[0].is_cut
