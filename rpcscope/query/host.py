"""What hit one host in a time: calls to it and from it by method, and the operations that they belong to."""

from __future__ import annotations

from dataclasses import dataclass

from rpcscope.model import MessageKind, Process
from rpcscope.query.calls import KIND_WORDS
from rpcscope.query.operations import STUCK_AFTER_S, Operations, OperationView, process_name
from rpcscope.query.processes import processes
from rpcscope.query.times import iso, ms
from rpcscope.store.places import HostMethod, HostTouch
from rpcscope.store.protocol import OperationFilter, Reader


@dataclass(frozen=True, slots=True)
class Touched:
    """An operation, and what it had to do with the host."""

    operation: OperationView
    touch: HostTouch

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            "operation": self.operation.as_dict(),
            "received": self.touch.received,
            "sent": self.touch.sent,
            "first_at": iso(self.touch.first_ns),
            "last_at": iso(self.touch.last_ns),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class HostView:
    """One host in a time."""

    name: str
    processes: tuple[Process, ...]
    received: tuple[HostMethod, ...]  # the most frequent first
    sent: tuple[HostMethod, ...]
    operations: int  # that touched it
    touched: tuple[Touched, ...]  # the newest of them
    since_ns: int | None  # only calls since then were looked at; None: all of the time
    sent_is_known: bool  # a process is known to be there, so what it sent can be told

    @property
    def is_known(self) -> bool:
        """It was met at some time, or in this one."""
        return bool(self.processes or self.received or self.sent)

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            "host": self.name,
            "processes": [_process(one) for one in self.processes],
            "received": [method_dict(one) for one in self.received],
            "sent": [method_dict(one) for one in self.sent] if self.sent_is_known else None,
            "operations": self.operations,
            "touched": [one.as_dict() for one in self.touched],
            "looked_since": iso(self.since_ns),
        }


def host_view(
    reader: Reader, name: str, since_ns: int, until_ns: int, *, limit: int = 50, stuck_after_s: float = STUCK_AFTER_S
) -> HostView:
    """What hit a host from one time up to another. Operations that began earlier are in it, by their calls.

    The calls of the time are read, the newest 200,000 at most: a quarter of a second.
    """
    work = reader.host_work(name, since_ns, until_ns, limit=limit)
    there = {one.id: one for one in processes(reader).values() if one.host == name}
    touches = {touch.request_id: touch for touch in reversed(work.touches)}
    asked = Operations(reader, stuck_after_s=stuck_after_s)
    parts = reader.operations(OperationFilter(related=touches))
    views = [view for view in asked.of_parts(parts) if view.whole.request_id in touches]
    views.sort(key=lambda view: -touches[view.whole.request_id].last_ns)
    return HostView(
        name=name,
        processes=tuple(sorted(there.values(), key=lambda one: (one.gone_ns is not None, one.role, one.key))),
        received=work.received,
        sent=work.sent,
        operations=work.operations,
        touched=tuple(Touched(view, touches[view.whole.request_id]) for view in views),
        since_ns=work.since_ns,
        sent_is_known=bool(there),
    )


def method_dict(one: HostMethod) -> dict[str, object]:
    """The fields of the JSON contract."""
    return {
        "method": one.method,
        "kind": KIND_WORDS[MessageKind(one.kind)],
        "calls": one.calls,
        "failed": one.failed,
        "timed_out": one.timed_out,
        "server_ms": ms(mean_ns(one)),
        "slowest_ms": ms(one.slowest_ns),
        "bytes": one.bytes,
    }


def mean_ns(one: HostMethod) -> int | None:
    """From the delivery to the reply, of those that were answered."""
    return one.server_ns // one.answered if one.answered else None


def _process(one: Process) -> dict[str, object]:
    return {
        "process": process_name(one),
        "role": one.role or None,
        "peer": one.peer or None,
        "seen_at": iso(one.seen_ns),
        "gone_at": iso(one.gone_ns),
    }
