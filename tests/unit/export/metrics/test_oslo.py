"""The names of oslo.metrics are its own: its names, its labels, its buckets."""

from __future__ import annotations

from oslo_metrics.metrics import oslo_messaging as theirs

from rpcscope.export.metrics import oslo
from rpcscope.export.metrics.meter import Choices, Meters
from rpcscope.model import Batch, MessageKind, Outcome
from tests.contract.records import make_call
from tests.support.measured import summed, told
from tests.unit.export.metrics.conftest import Measured

CLIENT = {
    "oslo_messaging_rpc_client_invocation_start_total": theirs.rpc_client_invocation_start_total,
    "oslo_messaging_rpc_client_invocation_end_total": theirs.rpc_client_invocation_end_total,
    "oslo_messaging_rpc_client_exception_total": theirs.rpc_client_exception_total,
    "oslo_messaging_rpc_client_processing_seconds": theirs.rpc_client_processing_seconds,
}


def test_names_labels_and_buckets_are_those_of_oslo_metrics() -> None:
    assert {metric.name for metric in oslo.METRICS} == set(CLIENT)
    for metric in oslo.METRICS:
        (described,) = CLIENT[metric.name].describe()
        assert (described.type, sorted(metric.labels)) == (metric.kind, sorted(CLIENT[metric.name]._labelnames))
    assert [*oslo.SECONDS, float("inf")] == theirs.rpc_client_processing_seconds._kwargs["buckets"] or list(
        theirs.rpc_processing_seconds_buckets
    ) == list(oslo.SECONDS)


def test_what_they_count_is_what_we_count(with_hosts: Measured) -> None:
    found = told(with_hosts.meters.families())
    starts = summed(found, "oslo_messaging_rpc_client_invocation_start_total", "call_type")
    rpcs = summed(found, "rpcscope_rpcs_total", "kind")
    assert starts == {("call",): rpcs[("call",)], ("cast",): rpcs[("cast",)] + rpcs[("fanout",)]}
    ends = summed(found, "oslo_messaging_rpc_client_invocation_end_total", "call_type")
    failed = summed(found, "oslo_messaging_rpc_client_exception_total", "exception")
    outcomes = summed(found, "rpcscope_rpc_outcomes_total", "outcome")
    assert ends[("call",)] == outcomes[("ok",)]
    assert failed[("MessagingTimeout",)] == outcomes[("timed_out",)]
    assert sum(failed.values()) == sum(outcomes[(word,)] for word in ("failed", "expected_failure", "timed_out"))


def test_the_method_is_the_one_that_a_client_calls_and_what_is_not_set_is_none() -> None:
    meters = Meters(Choices(oslo=True))
    calls = (
        make_call(1, outcome=Outcome.OK, method="object_action(Instance.save)", namespace="", server="compute-1"),
        make_call(2, kind=MessageKind.FANOUT, outcome=Outcome.NONE, exchange="scheduler_fanout", topic="", server=""),
    )
    meters.meter("nova").take(Batch(recording_id=1, calls=calls))
    labels = ("call_type", "exchange", "topic", "namespace", "server", "fanout", "method", "timeout")
    assert set(summed(told(meters.families()), "oslo_messaging_rpc_client_invocation_start_total", *labels)) == {
        ("call", "nova", "compute", "None", "None", "None", "object_action", "None"),
        ("cast", "None", "scheduler", "baseapi", "None", "True", "build_and_run_instance", "None"),
    }
