"""A quiet cloud in a store, and everything that can be wrong with it, planted one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rpcscope.model import (
    Account,
    Batch,
    Call,
    Churn,
    ChurnEvent,
    Flag,
    Gap,
    GapCause,
    InFlightSample,
    Layout,
    MessageKind,
    NodeState,
    Outcome,
    Process,
    Progress,
    ProgressSample,
    QueueConsumer,
    QueuePoll,
    QueueSample,
    QueueSamples,
    Side,
    Status,
)
from rpcscope.sampling import Sampler
from rpcscope.store import RecorderHealth, Store
from tests.contract.records import SECOND, START, begin, make_call, make_operation, make_process, recording_of

END = START + 3_600 * SECOND
VHOST = "nova"
CASTER, WORKER, WORKER_2, COMPUTE, COMPUTE_2 = 8, 9, 10, 11, 12
ANSWERED: dict[str, Any] = {"outcome": Outcome.OK, "flags": 0, "failure": "", "routed": 1}
SILENT: dict[str, Any] = {
    "outcome": Outcome.TIMED_OUT, "flags": 0, "failure": "", "replied_ns": None, "reply_delivered_ns": None,
    "replies": 0, "heartbeats": 0,
}  # fmt: skip
STUCK: dict[str, Any] = {
    "status": Status.RUNNING, "finished_ns": None, "owed_host": "host-2", "owed_call": 5,
    "owed_method": "build_and_run_instance", "owed_since_ns": START + 700 * SECOND,
}  # fmt: skip
QUIET = {"conductor": 4, "compute.host-1": 1, "compute.host-2": 1, "reply_a": 1, "notifications.info": 1}
"""Queues with their consumers."""


class Cloud:
    """One recorder of one broker, in mode full, from START to END."""

    def __init__(self, store: Store, mode: str = "full") -> None:
        self.store, self._writer = store, store.writer()
        self.base = (
            begin(self._writer, scope="rabbit vhost nova default", label=VHOST, tap_mode=mode).recording.id << 40
        )
        self._sampler, self._calls = Sampler(), 0
        self._looked_ns, self._looks = 0, 0
        self._queues: dict[str, dict[str, Any]] = {name: {"consumers": count} for name, count in QUIET.items()}

    def write(self, **what: Any) -> None:
        """One batch; the recorder was heard of at its end."""
        self._writer.write(Batch(recording_id=recording_of(self.base), last_ns=END - SECOND, **what))

    def report(self, **words: Any) -> None:
        """What the recorder says of itself."""
        said: dict[str, Any] = {
            "at_ns": END - SECOND, "since_ns": START, "host": "mon1", "pid": 1, "stored_ns": END - SECOND,
            "events_rate": 1.0, "backlog": 0, "cpu_share": 0.1, "lag_ns": SECOND // 10, "nodes_traced": 3, "nodes": 3,
        }  # fmt: skip
        self._writer.report(RecorderHealth(recording_id=recording_of(self.base), **(said | words)))

    def calls(self, count: int, **words: Any) -> None:
        """Calls of a kind, spread evenly over the hour."""
        made: list[Call] = []
        for place in range(count):
            self._calls += 1
            number = self.base + self._calls
            at = START + 60 * SECOND + place * 3_400 * SECOND // count
            known = {"published_ns": at, "from_process": self.base + CASTER, "to_process": self.base + COMPUTE}
            made.append(make_call(number, **(known | ANSWERED | words)))
        self.write(calls=tuple(made))

    @property
    def last_call(self) -> int:
        """The number of the last call, without that of the recording."""
        return self._calls

    def operation(self, number: int, **words: Any) -> None:
        """An operation of a person that is over, unless told otherwise."""
        at = START + 600 * SECOND + number * SECOND
        known: dict[str, Any] = {
            "status": Status.DONE, "error": "", "started_ns": at, "last_ns": at + SECOND, "finished_ns": at + SECOND,
            "owed_call": 0, "owed_method": "", "owed_process": 0, "owed_host": "", "owed_since_ns": None,
        }  # fmt: skip
        self.write(operations=(make_operation(self.base + number, **(known | words)),))

    def poll(self, **queues: dict[str, Any]) -> None:
        """The next look at the queues, where some are from now on as told; names with __ for a dot."""
        self._queues |= {name.replace("__", "."): words for name, words in queues.items()}
        at_ns = self._next()
        samples = tuple(_sample(name, at_ns, words) for name, words in self._queues.items())
        poll = QueuePoll(
            at_ns=at_ns, vhost=VHOST, source="management", queues=len(samples), took_ns=SECOND // 100, own_cpu_ns=1,
            interval_ns=30 * SECOND, complete=True,
        )  # fmt: skip
        kept = self._sampler.take(QueueSamples(poll=poll, samples=samples))
        self.write(queue_polls=(kept.poll,), family_samples=kept.families, queue_samples=kept.changed)

    def _next(self) -> int:
        """When it is looked next: the first time long ago, so that growth is known, then at the end."""
        self._looked_ns = END - 60 * SECOND if self._looked_ns else END - 690 * SECOND
        self._looks += 1
        return self._looked_ns + self._looks * SECOND

    def nodes(self, name: str = "rabbit@b", **odd: Any) -> None:
        """Two nodes, the second named and as told."""
        well: dict[str, Any] = {
            "at_ns": self._next(), "running": True, "mem_used": 10**8, "mem_limit": 10**9, "mem_alarm": False,
            "disk_free": 10**10, "disk_limit": 10**9, "disk_alarm": False,
        }  # fmt: skip
        self.write(node_states=(NodeState(node="rabbit@a", **well), NodeState(node=name, **(well | odd))))

    def quiet(self) -> None:
        """All is well."""
        self.report()
        self.write(processes=tuple(map(self.process, _PROCESSES)))
        self.poll()
        self.poll()
        self.nodes()
        for to in (WORKER, WORKER_2):
            self.calls(60, topic="conductor", server="", to_process=self.base + to, method="build_instances")
        self.calls(4, server="host-1")
        self.calls(4, server="host-2", to_process=self.base + COMPUTE_2)
        self.calls(10, kind=MessageKind.NOTIFICATION, topic="notifications.info", server="", outcome=Outcome.NONE)
        self.operation(1)
        self.write(layouts=(self._layout("reply_a", WORKER), self._layout("reply_b", CASTER)))

    def shared_reply_queue(self) -> None:
        self.write(layouts=(self._layout("reply_a", WORKER, WORKER_2),))

    def _layout(self, queue: str, *numbers: int) -> Layout:
        who = tuple(QueueConsumer(queue=queue, process=f"10.0.0.1:nova:{number}") for number in numbers)
        return Layout(at_ns=END - 60 * SECOND, vhost=VHOST, exchanges=(), bindings=(), consumers=who)

    def process(self, number: int) -> Process:
        """One of those that there are, as this recorder knows it."""
        program, host, role = _PROCESSES[number]
        key = f"10.0.0.1:nova:{number}"
        return make_process(self.base + number, key=key, program=program, host=host, role=role, pid=100 + number)


_PROCESSES = {
    CASTER: ("nova-api", "ctl", ""), WORKER: ("nova-conductor", "ctl", "conductor"),
    WORKER_2: ("nova-conductor", "ctl", "conductor"), COMPUTE: ("nova-compute", "host-1", "compute"),
    COMPUTE_2: ("nova-compute", "host-2", "compute"),
}  # fmt: skip


def _sample(name: str, at_ns: int, words: dict[str, Any]) -> QueueSample:
    known: dict[str, Any] = {"ready": 0, "unacked": 0, "consumers": 1, "type": "quorum", "durable": True}
    return QueueSample(at_ns=at_ns, vhost=VHOST, queue=name, **(known | words))


def _silent_server(cloud: Cloud) -> None:
    cloud.calls(3, server="host-3", to_process=0, delivered_ns=None, copies=0, **SILENT)


def _repeated(cloud: Cloud) -> None:
    cloud.calls(3, server="host-2", method="get_console_output", to_process=cloud.base + COMPUTE_2, **SILENT)


def _fanouts(cloud: Cloud) -> None:
    cloud.calls(1_000, kind=MessageKind.FANOUT, outcome=Outcome.NONE, exchange="scheduler_fanout", topic="",
                server="", method="update_instance_info", routed=200, copies=0, to_process=0)  # fmt: skip


def _failures(cloud: Cloud) -> None:
    for number in range(20, 23):
        cloud.operation(number, kind="evacuate", status=Status.FAILED, error="NoValidHost", instances=("uuid-x",))


def _swamped(cloud: Cloud) -> None:
    samples = InFlightSample(at_ns=END - 60 * SECOND, process=cloud.base + WORKER, queue="", method="build_instances",
                             count=300, oldest_ns=END - 90 * SECOND)  # fmt: skip
    cloud.write(in_flight=(samples,))


def _reconnects(cloud: Cloud) -> None:
    at = END - 300 * SECOND
    cloud.write(
        churn=tuple(
            ChurnEvent(at_ns=at + n * 1_000, event=Churn.CONNECTION_CLOSED, vhost=VHOST, connection=f"c{n}")
            for n in range(80)
        )
    )


def _gap(cloud: Cloud) -> None:
    gap = Gap(from_ns=START + 10 * SECOND, to_ns=START + 20 * SECOND, cause=GapCause.DROPPED, estimate=40)
    cloud.write(gaps=(gap,))


def _disagreement(cloud: Cloud) -> None:
    """The bus shows that it went well, its worker says that it raised."""
    cloud.calls(1, server="host-1", method="get_console", request_bytes=10)
    told = Account(
        call_id=cloud.base + cloud.last_call, side=Side.SERVER, process=cloud.base + COMPUTE, source="driver",
        host="host-1", at_ns=END - SECOND, outcome=Outcome.FAILED, failure="Boom",
    )  # fmt: skip
    cloud.write(accounts=(told,))


def _endless(cloud: Cloud) -> None:
    """The memory is gone over again and again, and as much is left as before."""
    cloud.operation(31, request_id="req-moves", kind="live-migration")
    samples = tuple(
        ProgressSample(
            call_id=cloud.base + 9_000 + place, operation_id=cloud.base + 31, unique_id=f"{place:032x}",
            at_ns=START + 800 * SECOND + place * 5 * SECOND, instance="003a7e15-8c0a-4889-a087-bc54a24feb64",
            progress=Progress(
                migration="2f58666f-6fa2-4915-b79c-d9829f11798c", status="running", memory_total=64 * 10**9,
                memory_processed=place * 5 * 10**9, memory_remaining=4 * 10**9,
            ),
        )
        for place in range(10)
    )  # fmt: skip
    cloud.write(progress=samples)


def _stuck(cloud: Cloud) -> None:
    cloud.operation(30, request_id="req-stuck", **STUCK)


def _flagged(flag: Flag, **words: Any) -> Callable[[Cloud], None]:
    return lambda cloud: cloud.calls(2, flags=int(flag), server="host-1", **words)


TROUBLES: dict[str, Callable[[Cloud], None]] = {
    "broker-nodes": lambda cloud: cloud.nodes(mem_alarm=True, blocked=40),
    "broker-limits": lambda cloud: cloud.nodes("rabbit@c", mem_used=9 * 10**8),
    "recorders": lambda cloud: cloud.report(nodes_traced=1),
    "blind-taps": _gap,
    "stuck-operations": _stuck,
    "endless-migrations": _endless,
    "taps-disagree": _disagreement,
    "silent-servers": _silent_server,
    "timeouts": lambda cloud: cloud.calls(1, server="host-1", **SILENT),
    "late-replies": _flagged(Flag.LATE_REPLY, outcome=Outcome.TIMED_OUT),
    "repeated-timeouts": _repeated,
    "swamped": _swamped,
    "consumerless-queues": lambda cloud: cloud.poll(compute__host_9={"consumers": 0, "ready": 3}),
    "growing-queues": lambda cloud: cloud.poll(conductor={"ready": 700, "publish_rate": 9.0, "ack_rate": 1.0}),
    "unacknowledged": lambda cloud: cloud.poll(scheduler={"unacked": 900, "consumers": 2}),
    "lost-reply-queues": lambda cloud: cloud.poll(reply_gone={"consumers": 0, "ready": 2}),
    "shared-reply-queues": Cloud.shared_reply_queue,
    "deaf-callers": lambda cloud: cloud.calls(3, server="host-1", from_process=cloud.base + WORKER_2,
                                              reply_delivered_ns=None),
    "unroutable": _flagged(Flag.UNROUTABLE, kind=MessageKind.CAST, outcome=Outcome.NONE, routed=0),
    "redeliveries": _flagged(Flag.REDELIVERED),
    "republished": _flagged(Flag.REPUBLISHED),
    "repeated-failures": _failures,
    "uneven-split": lambda cloud: cloud.calls(600, topic="conductor", server="", method="build_instances",
                                              copies=2, to_process=cloud.base + WORKER),
    "fanout-amplification": _fanouts,
    "unread-notifications": lambda cloud: cloud.poll(versioned_notifications__info={"consumers": 0, "ready": 90}),
    "reconnects": _reconnects,
    "transient-queues": lambda cloud: cloud.poll(console={"type": "classic", "durable": False}),
    "different-timeouts": lambda cloud: cloud.calls(1, server="host-1", expiration_ms=30_000),
}  # fmt: skip
"""By the name of the flag."""

ALONG: dict[str, set[str]] = {
    "silent-servers": {"timeouts", "repeated-timeouts"}, "repeated-timeouts": {"timeouts"},
    "late-replies": {"timeouts"},
}  # fmt: skip
"""Other flags that are true then, too."""
