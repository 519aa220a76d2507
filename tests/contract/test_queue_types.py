"""Queues by type and durability, on each database."""

from __future__ import annotations

from typing import Any

from rpcscope.model import Batch, QueueSample
from rpcscope.store import Store
from tests.contract.records import SECOND, START, begun, recording_of


def sample(queue: str, at_s: int = 0, **words: Any) -> QueueSample:
    known: dict[str, Any] = {"type": "classic", "durable": False, **words}
    return QueueSample(at_ns=START + at_s * SECOND, vhost="nova", queue=queue, ready=0, **known)


def test_queues_are_counted_once_by_type_and_durability(store: Store) -> None:
    writer, base = begun(store)
    samples = (
        sample("conductor"), sample("conductor", 5), sample("compute.host-1"), sample("compute", durable=True),
        sample("cinder", type="quorum", durable=True), sample("odd", type="", durable=None), sample("late", 3_600),
    )  # fmt: skip
    writer.write(Batch(recording_id=recording_of(base), queue_samples=samples, last_ns=START))
    found = store.reader().queue_types(START, START + 60 * SECOND)
    counts = {(one.vhost, one.type, one.durable): one.queues for one in found}
    assert counts == {
        ("nova", "classic", False): 2, ("nova", "classic", True): 1, ("nova", "quorum", True): 1, ("nova", "", None): 1,
    }  # fmt: skip
    assert {one.example for one in found if one.type == "quorum"} == {"cinder"}
