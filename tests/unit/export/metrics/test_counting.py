"""What is counted is what the store has, in bounded series, without a name that nobody asked for."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from rpcscope.export.metrics.meter import Choices, Meters
from rpcscope.export.metrics.text import exposition
from rpcscope.export.metrics.views import WORDS
from rpcscope.model import Batch, MessageKind, Outcome
from rpcscope.query.operations import Operations
from rpcscope.store.protocol import OperationFilter
from tests.contract.records import make_call
from tests.support.measured import promtool, summed, told, without_zeros
from tests.unit.export.metrics.conftest import Measured


def test_rpcs_and_bytes_by_method_are_those_that_sql_adds_up(measured: Measured) -> None:
    reader, found = measured.store.reader(), told(measured.meters.families())
    assert not reader.open_calls()
    rpcs: Counter[tuple[str, ...]] = Counter()
    sent: Counter[tuple[str, ...]] = Counter()
    for total in reader.method_totals():
        if total.call_kind in WORDS:
            rpcs[WORDS[total.call_kind], total.method] += total.publishes
            sent[total.method, "request"] += total.request_bytes
            sent[total.method, "reply"] += total.reply_bytes
    assert sum(rpcs.values()) > 1_000
    assert summed(found, "rpcscope_rpcs_total", "kind", "method") == rpcs
    assert summed(found, "rpcscope_rpc_bytes_total", "method", "direction") == +sent


def test_outcomes_and_durations_of_calls_are_those_that_sql_adds_up(measured: Measured) -> None:
    reader, found = measured.store.reader(), told(measured.meters.families())
    totals = [total for total in reader.method_totals() if total.call_kind is MessageKind.REQUEST]
    outcomes = {word: count for (word,), count in summed(found, "rpcscope_rpc_outcomes_total", "outcome").items()}
    assert outcomes["expected_failure"] == sum(total.expected_failures for total in totals) > 0
    assert outcomes["failed"] == sum(total.failed - total.expected_failures for total in totals) > 0
    assert outcomes["timed_out"] == sum(total.timed_out for total in totals) > 0
    (seconds,) = summed(found, "rpcscope_rpc_client_duration_seconds_sum").values()
    assert abs(seconds - sum(total.answer_ns for total in totals) / 1e9) < 1e-6
    (calls,) = summed(found, "rpcscope_rpc_client_duration_seconds_count").values()
    assert calls == sum(total.answered for total in totals)


def test_operations_of_each_kind_and_what_they_cost_are_those_that_the_queries_tell(measured: Measured) -> None:
    found = told(measured.meters.families())
    counted: Counter[tuple[str, ...]] = Counter()
    rpcs: Counter[tuple[str, ...]] = Counter()
    for view in Operations(measured.store.reader()).find(OperationFilter()):
        if view.whole.request_id:
            counted[view.whole.kind, view.status.name.lower()] += 1
            rpcs[(view.whole.kind,)] += 0 if view.whole.background else view.whole.by_request.rpcs
    assert counted["create", "done"] == 20
    assert without_zeros(summed(found, "rpcscope_operations_total", "kind", "status")) == counted
    # Timers go on under one request id for as long as their process runs: they are counted once.
    told_rpcs = summed(found, "rpcscope_operation_rpcs_sum", "kind")
    assert {kind: told_rpcs[kind] for kind in +rpcs} == +rpcs


def test_waits_in_the_broker_are_counted_where_publish_and_delivery_were_seen(measured: Measured) -> None:
    reader, found = measured.store.reader(), told(measured.meters.families())
    waits = [
        call.delivered_ns - call.published_ns
        for call in reader.calls()
        if call.kind in WORDS and call.delivered_ns is not None and call.published_ns is not None
    ]
    (count,) = summed(found, "rpcscope_broker_wait_seconds_count").values()
    (seconds,) = summed(found, "rpcscope_broker_wait_seconds_sum").values()
    assert count == len(waits)
    assert abs(seconds - sum(waits) / 1e9) < 1e-6


def test_promtool_has_nothing_to_say_of_any_of_it(measured: Measured, with_hosts: Measured) -> None:
    for one in (measured, with_hosts):
        assert promtool("check", "metrics", text=exposition(one.meters.families())) == ""


def test_no_request_no_server_no_reply_queue_and_no_host_is_in_a_label(measured: Measured) -> None:
    text = exposition(measured.meters.families())
    assert not re.search(r"req-[0-9a-f]{8}|reply_[0-9a-f]{8}|[0-9a-f]{8}-[0-9a-f]{4}-|[0-9a-f]{32}", text)
    assert "compute-1" not in text


def test_hosts_are_in_labels_where_they_were_asked_for_and_change_no_sum(
    measured: Measured, with_hosts: Measured
) -> None:
    plain, split = told(measured.meters.families()), told(with_hosts.meters.families())
    names = ("rpcscope_rpcs_total", "rpcscope_rpc_outcomes_total", "rpcscope_rpc_server_duration_seconds_count")
    for name in names:
        assert {host for (host,) in summed(split, name, "host")} >= {"compute-1", "compute-2", "compute-3"}
        assert summed(split, name, "method") == summed(plain, name, "method")


def hostile(number: int, **words: Any) -> Batch:
    return Batch(recording_id=1, calls=(make_call(number, outcome=Outcome.OK, flags=0, **words),))


def test_names_without_end_are_counted_as_other_and_nothing_is_lost() -> None:
    meters = Meters(Choices(oslo=True, most=50))
    meter = meters.meter("nova")
    for number in range(5_000):
        meter.take(hostile(number, method=f"m{number}", topic=f"t{number}"))
    found = told(meters.families())
    methods = summed(found, "rpcscope_rpcs_total", "method")
    assert len(methods) == 51
    assert methods[("other",)] == 4_950
    assert sum(methods.values()) == 5_000
    assert sum(summed(found, "oslo_messaging_rpc_client_invocation_start_total", "method").values()) == 5_000
    assert found["rpcscope_metrics_folded_total", frozenset()] == 2 * 4_950
    assert len(found) < 51 * 100


def test_names_that_hold_anything_are_read_by_prometheus() -> None:
    meters = Meters()
    name = 'a "b" \\ c\nd {x="y"} # HELP'
    meters.meter(name).take(hostile(1, method=name))
    text = exposition(meters.families())
    assert summed(told(meters.families()), "rpcscope_rpcs_total", "vhost", "method") == {(name, name): 1}
    assert promtool("check", "metrics", text=text) == ""


def test_calls_whose_end_was_not_to_be_seen_are_unknown_and_take_no_time() -> None:
    meters = Meters()
    words: dict[str, Any] = {"delivered_ns": None, "replied_ns": None, "flags": 0, "outcome": Outcome.NONE}
    meters.meter("nova").take(Batch(recording_id=1, calls=(make_call(1, **words),)))
    found = told(meters.families())
    assert without_zeros(summed(found, "rpcscope_rpc_outcomes_total", "outcome")) == {("unknown",): 1}
    assert not [name for name, _ in found if name.endswith("_seconds_count")]


def test_a_cast_counts_when_it_is_sent_and_not_again_when_it_is_closed() -> None:
    meters = Meters(Choices(oslo=True))
    meter = meters.meter("nova")
    words: dict[str, Any] = {"kind": MessageKind.CAST, "outcome": Outcome.NONE, "replied_ns": None, "flags": 0}
    meter.take(Batch(recording_id=1, open_calls=(make_call(1, delivered_ns=None, **words),)))
    sent = told(meters.families())
    assert summed(sent, "rpcscope_rpcs_total", "kind") == {("cast",): 1}
    assert summed(sent, "rpcscope_broker_wait_seconds_count") == {}
    meter.take(Batch(recording_id=1, open_calls=(make_call(1, **words),)))
    meter.take(Batch(recording_id=1, calls=(make_call(1, publishes=2, request_bytes=900, **words),), settled=(1,)))
    found = told(meters.families())
    assert summed(found, "rpcscope_rpcs_total", "kind") == {("cast",): 2}
    assert summed(found, "rpcscope_broker_wait_seconds_count") == {(): 1}
    assert summed(found, "rpcscope_rpc_bytes_total", "direction")[("request",)] == 900
    assert summed(found, "oslo_messaging_rpc_client_invocation_end_total") == {(): 2}


def test_what_an_earlier_recorder_left_open_counts_by_its_end_alone() -> None:
    meters = Meters()
    meter = meters.meter("nova")
    meter.know([make_call(1, closed=False, flags=0, outcome=Outcome.PENDING)])
    meter.take(Batch(recording_id=1, calls=(make_call(1, flags=0, outcome=Outcome.OK),), settled=(1,)))
    found = told(meters.families())
    assert summed(found, "rpcscope_rpcs_total") == {(): 0}
    assert summed(found, "rpcscope_rpc_outcomes_total", "outcome")[("ok",)] == 1
