"""Operations that a template describes, as a tap would have recorded them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rpcscope.model import Call, Clock, MessageKind, Operation, Outcome, ParentSource, Process, Status, Tally
from rpcscope.templates.known import known
from rpcscope.templates.model import Step
from rpcscope.templates.sample import quantile
from rpcscope.templates.seen import Seen, hosts
from rpcscope.templates.tree import grow
from rpcscope.templates.waits import marked

MS = 1_000_000
HOP_NS = 100_000  # in a queue
HOSTS = {"source": "host-a", "dest": "host-b"}
_KINDS = {"call": MessageKind.REQUEST, "cast": MessageKind.CAST, "fanout": MessageKind.FANOUT}


def a_call(id: int, method: str, at_ns: int, parent: int = 0, **more: Any) -> Call:
    """A call that was answered 5 ms after it came."""
    known_of: dict[str, Any] = {
        "kind": MessageKind.REQUEST,
        "outcome": Outcome.OK,
        "flags": 0,
        "unique_id": f"{id:032x}",
        "msg_id": f"{id:032x}",
        "operation_id": 1,
        "cause_id": 1,
        "parent_unique_id": f"{parent:032x}" if parent else "",
        "parent_source": ParentSource.INFERRED,
        "namespace": "",
        "version": "3.0",
        "exchange": "nova",
        "topic": "conductor",
        "server": "",
        "from_process": 0,
        "to_process": 0,
        "published_ns": at_ns,
        "delivered_ns": at_ns + HOP_NS,
        "replied_ns": at_ns + HOP_NS + 5 * MS,
        "reply_delivered_ns": at_ns + 2 * HOP_NS + 5 * MS,
        "last_ns": at_ns + 2 * HOP_NS + 5 * MS,
        "expiration_ms": 60_000,
        "clock": Clock.TAP,
        "publishes": 1,
        "replies": 1,
        "heartbeats": 0,
        "copies": 2,
        "request_bytes": 2_000,
        "reply_bytes": 300,
        "routed": 1,
        "failure": "",
    }
    return Call(id=id, method=method, parent_id=parent, **known_of | more)


def a_cast(id: int, method: str, at_ns: int, parent: int = 0, **more: Any) -> Call:
    """A cast: nobody answers."""
    silent: dict[str, Any] = {
        "kind": MessageKind.CAST,
        "outcome": Outcome.NONE,
        "msg_id": "",
        "replied_ns": None,
        "reply_delivered_ns": None,
        "last_ns": at_ns + HOP_NS,
        "expiration_ms": None,
        "replies": 0,
        "reply_bytes": 0,
        "copies": 1,
    }
    return a_call(id, method, at_ns, parent, **silent | more)


def an_operation(**more: Any) -> Operation:
    """One about one server, between two hosts."""
    known_of: dict[str, Any] = {
        "id": 1,
        "request_id": "req-1",
        "global_request_id": "",
        "kind": "live-migration",
        "kind_rank": 4,
        "background": False,
        "status": Status.DONE,
        "error": "",
        "instances": ("one",),
        "source_host": HOSTS["source"],
        "dest_host": HOSTS["dest"],
        "project_id": "",
        "started_ns": 0,
        "last_ns": 0,
        "finished_ns": 0,
        "complete": True,
        "by_request": Tally(),
        "by_cause": Tally(),
        "owed_call": 0,
        "owed_method": "",
        "owed_process": 0,
        "owed_host": "",
        "owed_since_ns": None,
    }
    return Operation(**known_of | more)


def seen(calls: Sequence[Call], processes: dict[int, Process] | None = None, **more: Any) -> Seen:
    """An operation as learning takes it."""
    operation = an_operation(**more)
    roots = grow(operation, calls, processes or {})
    return Seen(
        kind=operation.kind,
        error=operation.error,
        instances=len(operation.instances),
        background=operation.background,
        roots=tuple(marked(root, known()) for root in roots),
        hosts=hosts(operation, roots),
        recordings=(0,),
    )


def emit(roots: Sequence[Step], count: int, *, kind: str) -> list[Seen]:
    """So many operations; the first takes the least of all times, the last the most."""
    ranks = [rank / (count - 1) if count > 1 else 0.0 for rank in range(count)]
    return [seen(list(_Emitter(rank).level(roots, 0, 1_000 * MS)), kind=kind) for rank in ranks]


@dataclass
class _Emitter:
    rank: float
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    ended: dict[int, list[int]] = field(default_factory=dict)  # by parent: when its steps were over

    def level(self, steps: Sequence[Step], parent: int, start: int) -> list[Call]:
        ends: list[int] = []
        found: list[Call] = []
        for step in steps:
            base = start if step.after < 0 else ends[step.after]
            calls, end = self._step(step, parent, base + self._ns(step.delay.quantiles_s))
            found += calls
            ends.append(end)
        self.ended[parent] = ends
        return found

    def _step(self, step: Step, parent: int, at: int) -> tuple[list[Call], int]:
        number = next(self.ids)
        below = self.level(step.steps, number, at + HOP_NS)
        make = a_call if step.kind == "call" else a_cast
        call = make(
            number, step.method, at, parent, kind=_KINDS[step.kind], topic=step.topic, namespace=step.namespace,
            exchange=step.exchange or f"{step.topic}_fanout", version=step.version, failure=step.failure,
            server=HOSTS.get(step.host, ""), request_bytes=step.request.quantiles[0],
            operation_id=2 if step.stale else 1,
        )  # fmt: skip
        if step.kind != "call":
            return [call, *below], at
        replied = max([at + HOP_NS, *self.ended[number]]) + self._ns(step.work.quantiles_s)
        end = replied + HOP_NS
        answered = replace(
            call, replied_ns=replied, reply_delivered_ns=end, last_ns=end, reply_bytes=step.reply.quantiles[0],
            expiration_ms=round(step.timeout_s * 1000),
        )  # fmt: skip
        return [answered, *below], end

    def _ns(self, quantiles_s: Sequence[float]) -> int:
        return round(quantile(quantiles_s, self.rank) * 1e9) if quantiles_s else 0
