"""Recorded operations become scenes: call trees that services can play again.

Scene live-migration
  CAST api -> conductor live_migrate_instance
    REQUEST conductor -> scheduler select_destinations
    REQUEST conductor -> compute @dest check_can_live_migrate_destination
      REQUEST compute @dest -> compute @source check_can_live_migrate_source
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rpcscope.demo.details import details
from rpcscope.model import RPCS, Call, MessageKind, Operation, Process

SOURCE, DEST = "source", "dest"
EVERY_INSTANCE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One RPC of a scene, and those that its handling causes, in order."""

    method: str  # as Call.method
    namespace: str
    version: str
    kind: MessageKind  # REQUEST, CAST or FANOUT
    exchange: str
    topic: str
    role_from: str  # api, conductor, scheduler, compute
    role_to: str
    host_from: str = ""  # "source", "dest" or a host's name for computes; "" for other services
    host_to: str = ""  # the same, of the server it is addressed to; "" for any of the topic
    request_bytes: int = 0  # of the body
    reply_bytes: int = 0  # of the body; 0 for casts and fanouts
    timeout_ms: int = 60_000  # the caller's
    delay_ns: int = 0  # between what its parent did before (for roots: the root before) and its publish
    service_ns: int = 0  # between the end of its last child, or its delivery, and its reply
    failure: str = ""  # class name of the exception that answers it
    instance: int = EVERY_INSTANCE  # position in Scene.instances of the server it is about
    detail: str = ""  # what its arguments must tell: an action event's name, a migration's status
    stale: bool = False  # it carries another request id: the one its sender had when it started
    children: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One operation to play."""

    kind: str
    request_id: str  # of the recording; every play gets a new one
    instances: tuple[str, ...]  # of the recording, likewise
    source: str = ""  # the recording's hosts; "" when it has none
    dest: str = ""
    roots: tuple[Step, ...]


def scenes(operations: Iterable[Operation], calls: Iterable[Call], processes: Iterable[Process]) -> list[Scene]:
    """The operations that made RPCs happen, each with its RPCs as trees, in the operations' order.

    A request that was never answered in the recording is answered in its scene.
    """
    caused: dict[int, list[Call]] = defaultdict(list)
    for call in calls:
        if call.kind in RPCS:
            caused[call.cause_id].append(call)
    known = {process.id: process for process in processes}
    return [
        _Director(operation, caused[operation.id], known).scene() for operation in operations if caused[operation.id]
    ]


def walk(steps: Iterable[Step]) -> Iterator[Step]:
    """Every step of the trees, parents before children; a step's number is its position here, from 0."""
    for step in steps:
        yield step
        yield from walk(step.children)


class _Director:
    """Makes the scene of one operation."""

    def __init__(self, operation: Operation, calls: list[Call], processes: dict[int, Process]) -> None:
        self._operation = operation
        self._processes = processes
        self._details = details(operation, calls)
        ids = {call.id for call in calls}
        self._children: dict[int, list[Call]] = defaultdict(list)
        for call in sorted(calls, key=_published):
            self._children[call.parent_id if call.parent_id in ids else 0].append(call)

    def scene(self) -> Scene:
        """The whole of it. Roots are timed from each other's publish, since nobody waits between them."""
        operation, roots = self._operation, self._children[0]
        befores = [_published(root) for root in roots]
        return Scene(
            kind=operation.kind,
            request_id=operation.request_id,
            instances=operation.instances,
            source=operation.source_host,
            dest=operation.dest_host,
            roots=tuple(
                self._step(root, "api", before, self._instance(root, roots, EVERY_INSTANCE))
                for root, before in zip(roots, befores[:1] + befores[:-1], strict=True)
            ),
        )

    def _step(self, call: Call, sender: str, before: int, instance: int) -> Step:
        topic = call.topic or call.exchange.removesuffix("_fanout")
        role = topic.removesuffix("-alt")
        process = self._processes.get(call.from_process)
        at, children = _delivered(call), []
        for child in self._children[call.id]:
            children.append(self._step(child, role, at, self._instance(child, self._children[call.id], instance)))
            at = _over(child)
        answered = call.kind is MessageKind.REQUEST
        return Step(
            method=call.method,
            namespace=call.namespace,
            version=call.version,
            kind=call.kind,
            exchange=call.exchange,
            topic=topic,
            role_from=_role(process) if process else sender,
            role_to=role,
            host_from=self._place(process.host) if process and _role(process) == "compute" else "",
            host_to=self._place(call.server),
            request_bytes=call.request_bytes // max(1, call.publishes),
            reply_bytes=call.reply_bytes // max(1, call.replies) if answered else 0,
            timeout_ms=call.expiration_ms or 60_000,
            delay_ns=max(0, _published(call) - before),
            service_ns=max(0, (call.replied_ns or at) - at) if answered else 0,
            failure=call.failure,
            instance=instance,
            detail=self._details.get(call.id, ""),
            stale=call.operation_id != self._operation.id,
            children=tuple(children),
        )

    def _place(self, host: str) -> str:
        if host and host == self._operation.source_host:
            return SOURCE
        return DEST if host and host == self._operation.dest_host else host

    def _instance(self, call: Call, siblings: list[Call], parent: int) -> int:
        """One of several servers, when its RPC is sent once for each of them."""
        count = len(self._operation.instances)
        if count == 1 or parent != EVERY_INSTANCE:
            return max(0, parent)
        alike = [sibling.id for sibling in siblings if sibling.method == call.method]
        return alike.index(call.id) if len(alike) == count else EVERY_INSTANCE


def _role(process: Process) -> str:
    return process.role.removesuffix("-alt") or "api"


def _published(call: Call) -> int:
    return call.published_ns or _delivered(call)


def _delivered(call: Call) -> int:
    return call.delivered_ns or call.published_ns or call.last_ns


def _over(call: Call) -> int:
    """When its sender can go on."""
    if call.kind is not MessageKind.REQUEST:
        return _published(call)
    return call.reply_delivered_ns or call.replied_ns or call.last_ns
