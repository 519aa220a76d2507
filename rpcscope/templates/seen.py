"""One recorded operation as learning takes it: its tree, and which of its hosts plays which role."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rpcscope.model import MessageKind, Operation
from rpcscope.templates.model import DEST, EVERY_INSTANCE, SOURCE, RpcKind
from rpcscope.templates.tree import Node, nodes, published

KINDS: Mapping[MessageKind, RpcKind] = {
    MessageKind.REQUEST: "call",
    MessageKind.CAST: "cast",
    MessageKind.FANOUT: "fanout",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One operation, or one run of a periodic task."""

    kind: str
    error: str  # class of what made it fail; "" of one that was done
    instances: int
    background: bool
    roots: tuple[Node, ...]
    hosts: Mapping[str, str]  # role by name
    recordings: tuple[int, ...]  # Recording.id of those that saw parts of it

    @property
    def started_ns(self) -> int:
        """Its first publish."""
        return min(published(root.call) for root in self.roots)

    def nodes(self) -> Iterator[Node]:
        """All of its tree, parents before children."""
        return nodes(self.roots)


class Shape(NamedTuple):
    """What must be equal for two calls to be the same step."""

    method: str
    kind: RpcKind
    topic: str
    namespace: str
    host: str  # role
    sender: str
    sender_host: str  # role
    failure: str
    stale: bool
    instance: int
    wait: str
    place: int  # among those that are equal in all this below the same call, from 1


Structure = tuple[tuple[Shape, "Structure"], ...]
"""A tree of shapes, whatever came before or after what in time."""


SHARED = ("conductor", "scheduler")
"""Services that no flow places on a host, also where a message names theirs."""


def hosts(operation: Operation, roots: Sequence[Node]) -> dict[str, str]:
    """Roles by host. One that the rules do not tell is the source when it is the first, else a dest."""
    found = {operation.source_host: SOURCE} if operation.source_host else {}
    if operation.dest_host:
        found[operation.dest_host] = DEST
    for node in nodes(roots):
        for host in (node.sender_host, _server(node)):
            if host and host not in found:
                found[host] = DEST if found else SOURCE
    return found


def shaped(seen: Seen, siblings: Sequence[Node], *, roots: bool = False) -> dict[Shape, Node]:
    """Siblings by their shapes. `siblings` are in the order of time."""
    places: Counter[Shape] = Counter()
    found: dict[Shape, Node] = {}
    for node in siblings:
        shape = _shape(seen, node, roots)
        places[shape] += 1
        found[shape._replace(place=places[shape])] = node
    return found


def structure(seen: Seen, siblings: Sequence[Node], *, roots: bool = False) -> Structure:
    """What operations of one variant have in common."""
    found = shaped(seen, siblings, roots=roots)
    return tuple(sorted((shape, structure(seen, node.children)) for shape, node in found.items()))


def _server(node: Node) -> str:
    return "" if node.role in SHARED else node.call.server


def _shape(seen: Seen, node: Node, is_root: bool) -> Shape:
    call = node.call
    return Shape(
        method=call.method,
        kind=KINDS[call.kind],
        topic=node.topic,
        namespace=call.namespace,
        host=seen.hosts.get(_server(node), ""),
        sender=node.sender if is_root else "",
        sender_host=seen.hosts.get(node.sender_host, "") if is_root else "",
        failure=call.failure,
        stale=node.stale,
        instance=node.instance if seen.instances > 1 else EVERY_INSTANCE,
        wait=node.wait,
        place=0,
    )
