"""Finds where a handler waits for what is no RPC: a driver's work, that a flow may time by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rpcscope.templates.known import Known, Wait
from rpcscope.templates.tree import Node


def marked(node: Node, known: Known) -> Node:
    """The tree with `wait` and `repeats` told."""
    children = tuple(marked(child, known) for child in node.children)
    for wait in known.wait:
        if node.call.method in wait.below:
            ended, repeats = _place(wait, [child.call.method for child in children])
            if ended is not None:
                return replace(
                    node,
                    children=tuple(
                        replace(child, wait=wait.name) if place == ended else child
                        for place, child in enumerate(children)
                        if place not in repeats
                    ),
                    repeats=tuple(children[place] for place in repeats),
                )
    return replace(node, children=children)


def _place(wait: Wait, methods: Sequence[str]) -> tuple[int | None, range]:
    """Which child the wait comes before, and which are sent while it lasts."""
    if wait.step:
        upto = methods.index(wait.before) if wait.before in methods else 0
        return next((n for n in reversed(range(upto)) if methods[n] == wait.step), None), range(0)
    begin = 0
    for method in wait.after:
        if method not in methods[begin:]:
            return None, range(0)
        begin = methods.index(method, begin) + 1
    end = next((n for n in range(begin, len(methods)) if methods[n] not in wait.repeats), None)
    return end, range(begin, end or begin)
