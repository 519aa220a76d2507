"""Every metric that rpcscope serves, once: dashboards, alert rules and the documentation are checked against it."""

from __future__ import annotations

from rpcscope.export.metrics.family import Kind, Metric

PREFIX = "rpcscope_"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Bounds of durations and waits: from a cast on one host to twice oslo.messaging's usual RPC timeout."""
OPERATION_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
RPCS = (1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 75.0, 100.0, 200.0, 500.0)
_RECORDER = ("recording", "vhost", "scope", "mode")


def _metric(name: str, kind: Kind, meaning: str, *labels: str, unit: str = "1", hosts: bool = False) -> Metric:
    return Metric(name=PREFIX + name, kind=kind, meaning=meaning, labels=labels, unit=unit, has_hosts=hosts)


# ---------------------------------------------------------------- RPCs
RPCS_TOTAL = _metric(
    "rpcs_total", "counter", "Calls, casts and fanouts published.",
    "vhost", "kind", "method", "client", "topic", unit="{rpc}", hosts=True,
)  # fmt: skip
OUTCOMES = _metric(
    "rpc_outcomes_total", "counter", "Calls that are over, by how they ended.",
    "vhost", "method", "outcome", unit="{call}", hosts=True,
)  # fmt: skip
FLAGS = _metric(
    "rpc_flags_total", "counter", "RPCs of which something is remarkable: a late reply, no queue, a second delivery.",
    "vhost", "method", "flag", unit="{rpc}",
)  # fmt: skip
CLIENT_SECONDS = _metric(
    "rpc_client_duration_seconds", "histogram", "From the publish of a call to the publish of its reply.",
    "vhost", "method", "client", unit="s",
)  # fmt: skip
SERVER_SECONDS = _metric(
    "rpc_server_duration_seconds", "histogram", "From the first delivery of a call to the publish of its reply.",
    "vhost", "method", "topic", unit="s", hosts=True,
)  # fmt: skip
WAIT_SECONDS = _metric(
    "broker_wait_seconds", "histogram", "From the publish of an RPC to its first delivery.",
    "vhost", "kind", "topic", unit="s", hosts=True,
)  # fmt: skip
BYTES = _metric(
    "rpc_bytes_total", "counter", "Bytes of the bodies published.", "vhost", "method", "direction", unit="By"
)

# ---------------------------------------------------------------- operations
OPERATIONS = _metric(
    "operations_total", "counter", "Operations that are over, or of which nobody knows.", "kind", "status",
    unit="{operation}",
)  # fmt: skip
OPERATION_RPCS = _metric(
    "operation_rpcs", "histogram", "RPCs that carry the request id of an operation that is over.", "kind", unit="{rpc}"
)
OPERATION_DURATION = _metric(
    "operation_duration_seconds", "histogram", "From the first message of an operation to its end.", "kind", unit="s"
)
RUNNING = _metric("operations_running", "gauge", "Operations that owe something now.", "kind", unit="{operation}")
STUCK = _metric(
    "operations_stuck", "gauge", "Those that owe something and made no step for a minute.", "kind", unit="{operation}"
)

# ---------------------------------------------------------------- work and queues, as of the last look
IN_FLIGHT = _metric(
    "in_flight_requests", "gauge", "Calls delivered to processes of a service and not answered.",
    "vhost", "service", "method", unit="{call}", hosts=True,
)  # fmt: skip
IN_FLIGHT_OLDEST = _metric(
    "in_flight_oldest_seconds", "gauge", "How long the oldest of them has been in hand.", "vhost", "service", unit="s",
    hosts=True,
)  # fmt: skip
UNTAKEN = _metric(
    "untaken_requests", "gauge", "Calls that nobody took from their queue yet.", "vhost", "family", unit="{call}"
)
DEPTH = _metric(
    "queue_messages", "gauge", "Messages in the queues of a family: ready, or given out and unacked.",
    "vhost", "family", "state", unit="{message}",
)  # fmt: skip
QUEUES = _metric("queues", "gauge", "Queues of a family.", "vhost", "family", unit="{queue}")
CONSUMERLESS = _metric(
    "queues_consumerless", "gauge", "Queues of a family that are known to have no consumer.", "vhost", "family",
    unit="{queue}",
)  # fmt: skip
CONSUMERS = _metric("queue_consumers", "gauge", "Consumers of a family.", "vhost", "family", unit="{consumer}")

# ---------------------------------------------------------------- recorders
SEEN = _metric("events_total", "counter", "Events seen by the tap.", *_RECORDER, unit="{event}")
MESSAGES = _metric("messages_total", "counter", "Messages published.", *_RECORDER, unit="{message}")
COPIES = _metric("copies_total", "counter", "Deliveries of messages.", *_RECORDER, unit="{message}")
REJECTED = _metric(
    "rejected_total", "counter", "Events that are no oslo.messaging messages.", *_RECORDER, unit="{event}"
)
DUPLICATES = _metric("duplicates_total", "counter", "Events that the broker gave twice.", *_RECORDER, unit="{event}")
EVICTED = _metric("evicted_total", "counter", "Calls given up to bound memory.", *_RECORDER, unit="{call}")
EVENTS_RATE = _metric(
    "events_per_second", "gauge", "Events a second over the last minute.", *_RECORDER, unit="{event}/s"
)
LAG = _metric("lag_seconds", "gauge", "How late events are read.", *_RECORDER, unit="s")
BACKLOG = _metric("backlog_events", "gauge", "Events read and not yet taken up.", *_RECORDER, unit="{event}")
LAST_COMMIT = _metric(
    "last_commit_timestamp_seconds", "gauge", "When the database last took something.", *_RECORDER, unit="s"
)
STARTED = _metric("started_timestamp_seconds", "gauge", "When recording began.", *_RECORDER, unit="s")
NODES_TRACED = _metric(
    "nodes_traced", "gauge", "Nodes of the broker that were seen tracing.", *_RECORDER, unit="{node}"
)
NODES = _metric("nodes", "gauge", "Nodes of the broker that run.", *_RECORDER, unit="{node}")
RECORDER_UP = _metric(
    "recorder_up", "gauge", "1 while a recorder is heard of, 0 once it was silent for 20 seconds.", *_RECORDER
)
GAPS = _metric("gaps_total", "counter", "Times in which the tap was blind.", *_RECORDER, "cause", unit="{gap}")
BLIND = _metric("blind_seconds_total", "counter", "How long the tap was blind.", *_RECORDER, "cause", unit="s")
MISSED = _metric(
    "missed_messages_total", "counter", "Messages missed, where the broker's counters tell.", *_RECORDER, "cause",
    unit="{message}",
)  # fmt: skip
UNESTIMATED = _metric(
    "gaps_unestimated_total", "counter", "Gaps of which nobody knows how much was missed.", *_RECORDER, "cause",
    unit="{gap}",
)  # fmt: skip

# ---------------------------------------------------------------- the process that serves this
CPU = _metric("cpu_seconds_total", "counter", "CPU that the process used which tells this.", unit="s")
MEMORY = _metric("resident_memory_bytes", "gauge", "Memory of the process which tells this.", unit="By")
FOLDED = _metric(
    "metrics_folded_total", "counter", 'RPCs and operations counted under "other", because there were too many names.'
)
PUSHES_FAILED = _metric(
    "metrics_pushes_failed_total", "counter", "Pushes of metrics that an OTLP endpoint did not take.", unit="{push}"
)
BEHIND = _metric("metrics_behind", "gauge", "1 while more is stored than was counted here.")

METRICS = tuple(one for one in list(globals().values()) if isinstance(one, Metric))
