"""Metrics as an OTLP request. Sums are since the process began (cumulative); what is not known has no point.

Names are those of Prometheus without what it adds: `rpcscope_rpcs_total` is the sum `rpcscope.rpcs`, and
`rpcscope_lag_seconds` the gauge `rpcscope.lag` with the unit `s`. A backend that makes Prometheus's names of them
arrives at the same ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1 import metrics_pb2 as pb
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from rpcscope import __version__
from rpcscope.export.metrics.catalogue import PREFIX
from rpcscope.export.metrics.family import Distribution, Family, Metric, Value, Values

_SUFFIXES = {"s": "_seconds", "By": "_bytes"}
_CUMULATIVE = pb.AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE


def request(families: Iterable[Family], *, instance: str, since_ns: int, now_ns: int) -> bytes:
    """A request with all points.

    Args:
        instance: tells this process from every other one.
        since_ns: when it began to count.
    """
    metrics = [_metric(one, since_ns, now_ns) for one in families if one.samples]
    scope = pb.ScopeMetrics(scope=InstrumentationScope(name="rpcscope", version=__version__), metrics=metrics)
    known = (("service.name", "rpcscope"), ("service.version", __version__), ("service.instance.id", instance))
    resource = Resource(attributes=[_pair(name, text) for name, text in known])
    made = ExportMetricsServiceRequest(resource_metrics=[pb.ResourceMetrics(resource=resource, scope_metrics=[scope])])
    return bytes(made.SerializeToString())


def otlp_name(metric: Metric) -> str:
    """What a metric is called in OTLP."""
    name = metric.name.removesuffix("_total").removesuffix(_SUFFIXES.get(metric.unit, ""))
    return f"rpcscope.{name.removeprefix(PREFIX)}" if name.startswith(PREFIX) else name


def _metric(one: Family, since_ns: int, now_ns: int) -> pb.Metric:
    metric = one.metric
    made = pb.Metric(name=otlp_name(metric), description=metric.meaning, unit=metric.unit)
    if metric.kind == "histogram":
        made.histogram.aggregation_temporality = _CUMULATIVE
        made.histogram.data_points.extend(_histograms(one, since_ns, now_ns))
    elif metric.kind == "counter":
        made.sum.aggregation_temporality = _CUMULATIVE
        made.sum.is_monotonic = True
        made.sum.data_points.extend(_numbers(one, since_ns, now_ns))
    else:
        made.gauge.data_points.extend(_numbers(one, 0, now_ns))
    return made


def _numbers(one: Family, since_ns: int, now_ns: int) -> Iterator[pb.NumberDataPoint]:
    for values, value in one.samples:
        if not isinstance(value, Distribution):
            attributes = _attributes(one.labels, values)
            yield _number(value, attributes, since_ns, now_ns)


def _number(value: Value, attributes: list[KeyValue], since_ns: int, now_ns: int) -> pb.NumberDataPoint:
    point = pb.NumberDataPoint(attributes=attributes, start_time_unix_nano=since_ns, time_unix_nano=now_ns)
    if isinstance(value, int):
        point.as_int = value
    elif isinstance(value, float):
        point.as_double = value
    return point


def _histograms(one: Family, since_ns: int, now_ns: int) -> Iterator[pb.HistogramDataPoint]:
    for values, value in one.samples:
        if isinstance(value, Distribution):
            yield pb.HistogramDataPoint(
                attributes=_attributes(one.labels, values), start_time_unix_nano=since_ns, time_unix_nano=now_ns,
                count=value.count, sum=value.total, bucket_counts=value.counts, explicit_bounds=value.bounds,
            )  # fmt: skip


def _attributes(labels: tuple[str, ...], values: Values) -> list[KeyValue]:
    return [_pair(label, text) for label, text in zip(labels, values, strict=True)]


def _pair(name: str, text: str) -> KeyValue:
    return KeyValue(key=name, value=AnyValue(string_value=text))
