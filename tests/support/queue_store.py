"""An hour of queues: one loses its consumer, casts wait in it; churn, a layout, a node with an alarm."""

from __future__ import annotations

from collections.abc import Iterable

from rpcscope.model import (
    Batch,
    Binding,
    Call,
    Churn,
    ChurnEvent,
    Exchange,
    InFlightSample,
    Layout,
    MessageKind,
    NodeState,
    Outcome,
    QueueConsumer,
    QueuePoll,
    QueueSample,
    QueueSamples,
    TapPhase,
)
from rpcscope.sampling import Sampler
from rpcscope.store import Store
from rpcscope.store.writer import SqlWriter
from tests.contract.records import SECOND, START, begun, make_call, make_operation, make_process, recording_of

EVERY_S = 30
LAST_S = 3_600
LOST_S = 2_400
"""When compute.host-2 lost its consumer; from then on a message comes every 10 s."""
REPLY = "reply_" + "0" * 32
WAITING = 5


def fill(store: Store, vhost: str, *, computes: int = 3, silent_s: range = range(0)) -> None:
    """An hour of one vhost; nobody looked in `silent_s`."""
    writer, base = begun(store, scope=f"rabbit1:5672 vhost {vhost} default", label=vhost, started_ns=START)
    _processes(writer, base, computes)
    sampler = Sampler()
    for at_s in range(0, LAST_S + 1, EVERY_S):
        if at_s not in silent_s:
            _look(writer, base, sampler, vhost, at_s, computes)
    writer.write(
        Batch(
            recording_id=recording_of(base), last_ns=START + LAST_S * SECOND, layouts=(_layout(vhost, computes),),
            churn=tuple(_churn(vhost)), open_calls=tuple(_waiting(base)), node_states=(_node(),),
            operations=(make_operation(base + 900, request_id="req-waits", kind="create"),),
        )
    )  # fmt: skip


def _processes(writer: SqlWriter, base: int, computes: int) -> None:
    people = [make_process(base + 1, key="10.0.0.9:nova-conductor:1", program="nova-conductor", pid=1, host="ctl",
                           role="conductor")]  # fmt: skip
    people += [
        make_process(base + 2 + n, key=f"10.0.0.1:nova-compute:{n}", pid=n, host=f"host-{n}") for n in range(computes)
    ]
    phase = TapPhase(at_ns=START, mode="control", why="start")
    writer.write(Batch(recording_id=recording_of(base), processes=tuple(people), phases=(phase,), last_ns=START))


def _look(writer: SqlWriter, base: int, sampler: Sampler, vhost: str, at_s: int, computes: int) -> None:
    at_ns = START + at_s * SECOND
    lost = at_s >= LOST_S
    found = {"conductor": (at_s // 600, 1), "scheduler": (0, 2), REPLY: (0, 0 if lost else 1)}
    found |= {f"compute.host-{n}": (0, 1) for n in range(computes)}
    if lost:
        found["compute.host-2"] = ((at_s - LOST_S) // 10, 0)
    samples = tuple(
        QueueSample(at_ns=at_ns, vhost=vhost, queue=queue, ready=ready, unacked=0, consumers=consumers, type="classic")
        for queue, (ready, consumers) in found.items()
    )
    poll = QueuePoll(
        at_ns=at_ns, vhost=vhost, source="prometheus", queues=len(samples), took_ns=SECOND // 10,
        own_cpu_ns=SECOND // 20, interval_ns=EVERY_S * SECOND, complete=True,
    )  # fmt: skip
    taken = sampler.take(QueueSamples(poll=poll, samples=samples))
    held = InFlightSample(
        at_ns=at_ns,
        process=base + 1,
        queue="",
        method="object_action(Instance.save)",
        count=at_s // 60,
        oldest_ns=at_ns,
    )
    writer.write(
        Batch(
            recording_id=recording_of(base), queue_polls=(taken.poll,), queue_samples=taken.changed,
            family_samples=taken.families, in_flight=(held,), last_ns=at_ns,
        )
    )  # fmt: skip


def _churn(vhost: str) -> Iterable[ChurnEvent]:
    at_ns = START + LOST_S * SECOND
    yield ChurnEvent(at_ns=at_ns, event=Churn.CONSUMER_DELETED, vhost=vhost, queue="compute.host-2")
    yield ChurnEvent(at_ns=at_ns, event=Churn.CONNECTION_CLOSED, vhost="")
    yield ChurnEvent(at_ns=START + SECOND, event=Churn.QUEUE_CREATED, vhost=vhost, queue=REPLY)


def _layout(vhost: str, computes: int) -> Layout:
    topics = ["conductor", "scheduler", *(f"compute.host-{n}" for n in range(computes))]
    consumers = [QueueConsumer(queue="conductor", process="10.0.0.9:nova-conductor:1")]
    consumers += [
        QueueConsumer(queue=f"compute.host-{n}", process=f"10.0.0.1:nova-compute:{n}")
        for n in range(computes)
        if n != 2
    ]
    return Layout(
        at_ns=START + LAST_S * SECOND, vhost=vhost, exchanges=(Exchange(name="nova", kind="topic", durable=False),),
        bindings=tuple(Binding(exchange="nova", destination=one, to_queue=True, routing_key=one) for one in topics),
        consumers=tuple(consumers),
    )  # fmt: skip


def _waiting(base: int) -> Iterable[Call]:
    for n in range(WAITING):
        yield make_call(
            base + 100 + n, unique_id=f"{base + n:032x}", kind=MessageKind.CAST, outcome=Outcome.NONE, topic="compute",
            server="host-2", method="build_and_run_instance" if n else "terminate_instance", routed=1, replies=0,
            published_ns=START + (LOST_S + n) * SECOND, delivered_ns=None, replied_ns=None, reply_delivered_ns=None,
            expiration_ms=None, operation_id=base + 900, cause_id=base + 900, msg_id="", request_bytes=500,
        )  # fmt: skip


def _node() -> NodeState:
    return NodeState(
        at_ns=START + LAST_S * SECOND, node="rabbit@one", running=True, mem_alarm=True, mem_used=2_000_000_000,
        mem_limit=1_900_000_000, blocked=3, partitions=("rabbit@two",),
    )  # fmt: skip
