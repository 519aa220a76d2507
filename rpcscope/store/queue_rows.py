"""Queues, families, nodes and churn as rows, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row

from rpcscope.model import Batch, Churn, ChurnEvent, FamilySample, NodeState, QueuePoll, QueueSample
from rpcscope.store.schema import RATES
from rpcscope.store.text import fit, fit_number, scrub

Names = Mapping[str, int]
Texts = Mapping[int, str]

NAME_COLUMNS = ("vhost_id", "queue_id", "family_id", "type_id", "node_id", "state_id", "source_id")
_COUNTS = ("ready", "unacked", "consumers", "memory")
_NODE_NUMBERS = ("mem_used", "mem_limit", "disk_free", "disk_limit")
_NODE_FLAGS = ("running", "mem_alarm", "disk_alarm", "blocked")


def queue_names(batch: Batch) -> set[str]:
    """Every text of a batch's queues that the dictionary of names holds."""
    texts: set[str] = set()
    for p in batch.queue_polls:
        texts.update((p.vhost, p.source))
    for q in batch.queue_samples:
        texts.update((q.vhost, q.queue, q.type, q.node, q.state))
    for f in batch.family_samples:
        texts.update((f.vhost, f.family))
    for c in batch.churn:
        texts.update((c.vhost, c.queue))
    return texts | {n.node for n in batch.node_states}


def poll_row(p: QueuePoll, names: Names) -> dict[str, Any]:
    """The row of `queue_poll`, but for its recording."""
    return {
        "at_ns": p.at_ns,
        "vhost_id": names[p.vhost],
        "source_id": names[p.source],
        "queues": p.queues,
        "took_ns": p.took_ns,
        "own_cpu_ns": p.own_cpu_ns,
        "interval_ns": p.interval_ns,
        "complete": p.complete,
    }


def sample_row(q: QueueSample, names: Names) -> dict[str, Any]:
    """The row of `queue_sample`, but for its recording."""
    return {
        "at_ns": q.at_ns,
        "vhost_id": names[q.vhost],
        "queue_id": names[q.queue],
        **_measures(q),
        "type_id": names[q.type],
        "node_id": names[q.node],
        "durable": q.durable,
        "state_id": names[q.state],
    }


def family_row(f: FamilySample, names: Names) -> dict[str, Any]:
    """The row of `queue_family_sample`, but for its recording."""
    return {
        "at_ns": f.at_ns,
        "vhost_id": names[f.vhost],
        "family_id": names[f.family],
        "queues": f.queues,
        "consumerless": f.consumerless,
        **_measures(f),
    }


def node_row(n: NodeState, names: Names) -> dict[str, Any]:
    """The row of `node_state`, but for its recording."""
    numbers = {word: fit_number(getattr(n, word)) for word in _NODE_NUMBERS}
    flags = {word: getattr(n, word) for word in _NODE_FLAGS}
    partitions = scrub(" ".join(n.partitions))[:10_000]
    return {"at_ns": n.at_ns, "node_id": names[n.node], **numbers, **flags, "partitions": partitions}


def churn_row(c: ChurnEvent, names: Names) -> dict[str, Any]:
    """The row of `churn_event`, but for its recording."""
    return {
        "at_ns": c.at_ns,
        "event": int(c.event),
        "vhost_id": names[c.vhost],
        "queue_id": names[c.queue],
        "connection": fit(c.connection),
        "client_name": fit(c.client_name),
    }


def poll_of(row: Row[Any], texts: Texts) -> QueuePoll:
    """The poll of a row."""
    return QueuePoll(
        at_ns=row.at_ns,
        vhost=texts[row.vhost_id],
        source=texts[row.source_id],
        queues=row.queues,
        took_ns=row.took_ns,
        own_cpu_ns=row.own_cpu_ns,
        interval_ns=row.interval_ns,
        complete=row.complete,
    )


def sample_of(row: Row[Any], texts: Texts) -> QueueSample:
    """The queue of a row."""
    return QueueSample(
        at_ns=row.at_ns,
        vhost=texts[row.vhost_id],
        queue=texts[row.queue_id],
        **_measured(row),
        type=texts[row.type_id],
        node=texts[row.node_id],
        durable=row.durable,
        state=texts[row.state_id],
    )


def family_of(row: Row[Any], texts: Texts) -> FamilySample:
    """The family of a row."""
    return FamilySample(
        at_ns=row.at_ns,
        vhost=texts[row.vhost_id],
        family=texts[row.family_id],
        queues=row.queues,
        consumerless=row.consumerless,
        **_measured(row),
    )


def node_of(row: Row[Any], texts: Texts) -> NodeState:
    """The node of a row."""
    words = {word: getattr(row, word) for word in (*_NODE_NUMBERS, *_NODE_FLAGS)}
    return NodeState(at_ns=row.at_ns, node=texts[row.node_id], partitions=tuple(row.partitions.split()), **words)


def churn_of(row: Row[Any], texts: Texts) -> ChurnEvent:
    """The event of a row."""
    return ChurnEvent(
        at_ns=row.at_ns,
        event=Churn(row.event),
        vhost=texts[row.vhost_id],
        queue=texts[row.queue_id],
        connection=row.connection,
        client_name=row.client_name,
    )


def _measures(sample: QueueSample | FamilySample) -> dict[str, Any]:
    rates = {f"{word}_milli": _milli(getattr(sample, f"{word}_rate")) for word in RATES}
    return {word: fit_number(getattr(sample, word)) for word in _COUNTS} | rates


def _measured(row: Row[Any]) -> dict[str, Any]:
    rates = {word: getattr(row, f"{word}_milli") for word in RATES}
    counts = {word: getattr(row, word) for word in _COUNTS}
    return counts | {f"{word}_rate": None if milli is None else milli / 1000 for word, milli in rates.items()}


def _milli(rate: float | None) -> int | None:
    return None if rate is None else fit_number(round(rate * 1000))
