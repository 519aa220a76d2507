"""What goes to an OTLP endpoint is what /metrics says; an endpoint that is down costs a line and a count."""

from __future__ import annotations

import logging
from contextlib import closing

import pytest

from rpcscope.export.metrics.family import Family
from rpcscope.export.metrics.otlp import otlp_name
from rpcscope.export.metrics.push import Push, for_metrics
from rpcscope.export.traces.answer import Verdict
from rpcscope.export.traces.endpoint import GRPC, HTTP, endpoint
from rpcscope.export.traces.senders import sender_to
from rpcscope.free_ports import free_port
from tests.support.measured import told
from tests.support.otlp_metrics import Received, grpc_receiver, http_receiver, points
from tests.unit.export.metrics.conftest import Measured

SUFFIXES = {"counter": "_total", "gauge": "", "histogram": "_count"}
UNITS = {"s": "_seconds", "By": "_bytes"}


def pushed(measured: Measured, received: Received, protocol: str) -> None:
    to = for_metrics(endpoint(received.url, protocol=protocol))
    with closing(sender_to(to)) as sender:
        assert Push(sender, "it", measured.meters.families, 60).once().verdict is Verdict.TAKEN


@pytest.mark.parametrize("protocol", [HTTP, GRPC])
def test_every_point_has_the_value_that_prometheus_gets(measured: Measured, protocol: str) -> None:
    with http_receiver() if protocol == HTTP else grpc_receiver() as received:
        pushed(measured, received, protocol)
        metrics, expected = received.metrics(), told(measured.meters.families())
    found = {}
    for one in measured.meters.families():
        if one.samples:
            name = one.metric.name + ("_count" if one.metric.kind == "histogram" else "")
            found |= {(name, key): value for key, value in points(metrics[otlp_name(one.metric)]).items()}
    assert len(found) > 400
    assert found == {key: value for key, value in expected.items() if not key[0].endswith(("_bucket", "_sum"))}


def test_prometheus_would_call_them_what_it_calls_ours(with_hosts: Measured) -> None:
    for one in with_hosts.meters.families():
        metric = one.metric
        name = otlp_name(metric).replace(".", "_") + UNITS.get(metric.unit, "")
        assert name + ("_total" if metric.kind == "counter" else "") == metric.name


def test_sums_are_monotonic_and_cumulative_and_histograms_have_our_bounds(measured: Measured) -> None:
    with http_receiver() as received:
        pushed(measured, received, HTTP)
        metrics = received.metrics()
        assert received.paths == ["/v1/metrics"]
        assert received.resource()["service.name"] == "rpcscope"
    rpcs = metrics["rpcscope.rpcs"].sum
    assert (rpcs.is_monotonic, rpcs.aggregation_temporality) == (True, 2)
    point = metrics["rpcscope.rpc_client_duration"].histogram.data_points[0]
    assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
    assert sum(point.bucket_counts) == point.count


@pytest.mark.parametrize(
    ("given", "path"),
    [("", "/v1/metrics"), ("/v1/metrics", "/v1/metrics"), ("/otlp", "/otlp/v1/metrics"), ("/v1/traces", "/v1/metrics")],
)
def test_metrics_go_to_the_path_for_metrics(given: str, path: str) -> None:
    assert for_metrics(endpoint(f"http://127.0.0.1:4318{given}")).path == path


def test_an_endpoint_that_is_down_is_said_once_and_counted_and_told_once_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    port = free_port()
    families: list[Family] = []
    with closing(sender_to(for_metrics(endpoint(f"http://127.0.0.1:{port}")))) as sender:
        push = Push(sender, "the endpoint", lambda: families, 60)
        with caplog.at_level(logging.WARNING):
            assert [push.once().verdict for _ in range(3)] == [Verdict.LATER] * 3
            with http_receiver(port) as received:
                assert push.once().verdict is Verdict.TAKEN
                assert points(received.metrics()["rpcscope.metrics_pushes_failed"]) == {frozenset(): 3}
                received.status = 403
                assert push.once().verdict is Verdict.REFUSED
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 3
    assert "the endpoint can not be reached" in lines[0]
    assert lines[1] == "the endpoint takes metrics again"
    assert "answers 403" in lines[2]


def test_metrics_are_pushed_again_and_again_and_once_more_at_the_end() -> None:
    with http_receiver() as received, closing(sender_to(for_metrics(endpoint(received.url)))) as sender:
        with Push(sender, "it", list, 0.01):
            received.wait(lambda: len(received.paths) >= 2)
        before = len(received.paths)
        assert before >= 3
    assert len(received.paths) == before
