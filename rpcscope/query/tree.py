"""The call tree of an operation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rpcscope.query.calls import CallView


@dataclass(slots=True)
class Node:
    """A call with the calls its handling caused, by time."""

    view: CallView
    children: list[Node] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """The call's fields and its `children`."""
        return {**self.view.as_dict(), "children": [child.as_dict() for child in self.children]}


def grow(views: list[CallView]) -> list[Node]:
    """The roots: calls whose parent is not among them. A call is never its own ancestor."""
    nodes = {view.call.unique_id: Node(view) for view in views}
    roots = []
    for view in views:
        node = nodes[view.call.unique_id]
        parent = nodes.get(view.call.parent_unique_id)
        if parent is None or _descends(nodes, view.call.parent_unique_id, view.call.unique_id):
            roots.append(node)
        else:
            parent.children.append(node)
    return roots


def _descends(nodes: dict[str, Node], start: str, target: str) -> bool:
    """Whether `target` is `start` or above it: parts of a hostile recording may form a ring."""
    for _ in range(len(nodes)):
        if start == target:
            return True
        node = nodes.get(start)
        if node is None:
            return False
        start = node.view.call.parent_unique_id
    return True


def walk(roots: list[Node]) -> Iterator[tuple[int, Node]]:
    """Nodes with their depth, parents before children."""
    stack = [(0, node) for node in reversed(roots)]
    while stack:
        depth, node = stack.pop()
        yield depth, node
        stack.extend((depth + 1, child) for child in reversed(node.children))
