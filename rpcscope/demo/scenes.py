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

from rpcscope.model import RPCS, Call, MessageKind, Operation, Process
from rpcscope.templates.model import DEST, EVERY_INSTANCE, SOURCE
from rpcscope.templates.tree import Node, delivered, grow, over, published

__all__ = ["DEST", "EVERY_INSTANCE", "SOURCE", "Scene", "Step", "scenes", "walk"]


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
        _scene(operation, grow(operation, caused[operation.id], known))
        for operation in operations
        if caused[operation.id]
    ]


def walk(steps: Iterable[Step]) -> Iterator[Step]:
    """Every step of the trees, parents before children; a step's number is its position here, from 0."""
    for step in steps:
        yield step
        yield from walk(step.children)


def _scene(operation: Operation, roots: tuple[Node, ...]) -> Scene:
    """Roots are timed from each other's publish, since nobody waits between them."""
    befores = [published(root.call) for root in roots]
    return Scene(
        kind=operation.kind,
        request_id=operation.request_id,
        instances=operation.instances,
        source=operation.source_host,
        dest=operation.dest_host,
        roots=tuple(
            _step(operation, root, before) for root, before in zip(roots, befores[:1] + befores[:-1], strict=True)
        ),
    )


def _step(operation: Operation, node: Node, before: int) -> Step:
    call = node.call
    at, children = delivered(call), []
    for child in node.children:
        children.append(_step(operation, child, at))
        at = over(child.call)
    answered = call.kind is MessageKind.REQUEST
    return Step(
        method=call.method,
        namespace=call.namespace,
        version=call.version,
        kind=call.kind,
        exchange=call.exchange,
        topic=node.topic,
        role_from=node.sender,
        role_to=node.role,
        host_from=_place(operation, node.sender_host),
        host_to=_place(operation, call.server),
        request_bytes=call.request_bytes // max(1, call.publishes),
        reply_bytes=call.reply_bytes // max(1, call.replies) if answered else 0,
        timeout_ms=call.expiration_ms or 60_000,
        delay_ns=max(0, published(call) - before),
        service_ns=max(0, (call.replied_ns or at) - at) if answered else 0,
        failure=call.failure,
        instance=node.instance,
        detail=node.detail,
        stale=node.stale,
        children=tuple(children),
    )


def _place(operation: Operation, host: str) -> str:
    if host and host == operation.source_host:
        return SOURCE
    return DEST if host and host == operation.dest_host else host
