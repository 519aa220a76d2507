"""The calls of one recorded operation as a tree of what each is, who sends it and what it is about.

Both the demonstration, which plays one recording as it was, and templates, which lay many over each other, begin here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rpcscope.model import RPCS, Call, Clock, MessageKind, Operation, Process
from rpcscope.templates.details import details
from rpcscope.templates.model import EVERY_INSTANCE

DEEPEST = 25
"""Calls below each other that are followed: nova's trees end after a handful."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One call, cast or fanout, and those that its handling caused."""

    call: Call
    topic: str  # that it was sent to: compute-alt
    sender: str  # service: api, conductor, scheduler, compute
    sender_host: str  # of a compute: its name; "" of others
    instance: int  # position of the server it is about among the operation's
    detail: str  # what its arguments told
    stale: bool  # it carries a request id of another operation
    children: tuple[Node, ...]  # by the time of their publish
    wait: str = ""  # what may take the place of the time before it, by `waits.marked`
    repeats: tuple[Node, ...] = ()  # children that were sent again and again in such a wait; not in `children`

    @property
    def role(self) -> str:
        """Service that it is addressed to."""
        return role_of_topic(self.topic)


def grow(
    operation: Operation, calls: Iterable[Call], processes: Mapping[int, Process], ids: Collection[int] = ()
) -> tuple[Node, ...]:
    """The roots of an operation by time.

    Args:
        calls: that it caused; those whose parent is not among them are roots. Notifications are left out.
        processes: by Process.id.
        ids: Operation.id of all its parts, where it has several.
    """
    rpcs = [call for call in calls if call.kind in RPCS]
    return _Grower(operation, rpcs, processes, ids or (operation.id,)).roots()


def nodes(roots: Iterable[Node]) -> Iterator[Node]:
    """Every node, parents before children."""
    for node in roots:
        yield node
        yield from nodes(node.children)


def published(call: Call) -> int:
    """When it was sent, as far as that was seen."""
    return call.published_ns or delivered(call)


def delivered(call: Call) -> int:
    """When its handler could begin; its publish where no delivery was seen, or by another clock."""
    seen = call.delivered_ns if call.clock is Clock.TAP else None
    return seen or call.published_ns or call.last_ns


def over(call: Call) -> int:
    """When its sender could go on: a call with its answer, a cast or a fanout once it was sent."""
    if call.kind is not MessageKind.REQUEST:
        return published(call)
    if call.replied_ns is None:
        return call.last_ns
    return (call.reply_delivered_ns if call.clock is Clock.TAP else None) or call.replied_ns


def role_of_topic(topic: str) -> str:
    """The service that consumes a topic: of nova's computes some methods have a topic of their own."""
    return topic.removesuffix("-alt")


class _Grower:
    """Makes the tree of one operation."""

    def __init__(
        self, operation: Operation, calls: list[Call], processes: Mapping[int, Process], ids: Collection[int]
    ) -> None:
        self._operation = operation
        self._ids = ids
        self._processes = processes
        self._details = details(operation, calls)
        known = {call.unique_id for call in calls}
        by_id = {call.id: call.unique_id for call in calls}
        self._below: defaultdict[str, list[Call]] = defaultdict(list)
        for call in sorted(calls, key=published):
            parent = call.parent_unique_id if call.parent_unique_id in known else by_id.get(call.parent_id, "")
            self._below[parent].append(call)

    def roots(self) -> tuple[Node, ...]:
        return self._nodes(self._below[""], "api", EVERY_INSTANCE, DEEPEST)

    def _nodes(self, calls: Sequence[Call], sender: str, instance: int, left: int) -> tuple[Node, ...]:
        return tuple(self._node(call, sender, self._instance(call, calls, instance), left) for call in calls)

    def _node(self, call: Call, sender: str, instance: int, left: int) -> Node:
        topic = call.topic or call.exchange.removesuffix("_fanout")
        process = self._processes.get(call.from_process)
        service = (role_of_topic(process.role) or "api") if process else sender
        below = self._below[call.unique_id] if left > 1 and call.unique_id else ()
        return Node(
            call=call,
            topic=topic,
            sender=service,
            sender_host=process.host if process and service == "compute" else "",
            instance=instance,
            detail=self._details.get(call.id, ""),
            stale=call.operation_id not in self._ids,
            children=self._nodes(below, role_of_topic(topic), instance, left - 1),
        )

    def _instance(self, call: Call, siblings: Sequence[Call], parent: int) -> int:
        """One of several servers, when its RPC is sent once for each of them."""
        count = len(self._operation.instances)
        if count == 1 or parent != EVERY_INSTANCE:
            return max(0, parent)
        alike = [sibling.id for sibling in siblings if sibling.method == call.method]
        return alike.index(call.id) if len(alike) == count else EVERY_INSTANCE
