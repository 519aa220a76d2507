"""Which sibling a step waits for, as far as all operations of a variant agree.

A ----|
       B ------|
       C --|          B and C overlap in some of them: both wait for A, whichever came first
                D     begins after the end of both in all of them: waits for the one that ends last
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from statistics import median

from rpcscope.templates.seen import Shape
from rpcscope.templates.tree import Node, over, published

AGREE = 0.95
"""Of the operations, as many must show an order: a tap may read two events that are close in the wrong order."""


def by_time(level: dict[Shape, list[Node]], starts: Sequence[int]) -> list[Shape]:
    """Siblings by their usual beginning, then their usual end.

    Args:
        level: each sibling in every operation.
        starts: when the parent was delivered in each, in ns.
    """

    def usual(shape: Shape) -> tuple[float, float, Shape]:
        pairs = list(zip(level[shape], starts, strict=True))
        begins = median(published(node.call) - start for node, start in pairs)
        ends = median(over(node.call) - start for node, start in pairs)
        return begins, ends, shape

    return sorted(level, key=usual)


def before(shape: Shape, earlier: Sequence[Shape], level: dict[Shape, list[Node]], last: Collection[str]) -> int:
    """Position in `earlier` of the sibling whose end it waits for; -1: none.

    Args:
        earlier: siblings before it, in the order of `by_time`.
        last: methods that nothing waits for.
    """
    mine = level[shape]
    able = [
        place
        for place, other in enumerate(earlier)
        if other.method not in last
        and (other.sender, other.sender_host) == (shape.sender, shape.sender_host)
        and agreed(over(theirs.call) <= published(node.call) for theirs, node in zip(level[other], mine, strict=True))
    ]
    return max(able, key=lambda place: (_usual_end(level[earlier[place]], mine), place), default=-1)


def agreed(answers: Iterable[bool]) -> bool:
    """Whether nearly all say yes."""
    known = list(answers)
    return sum(known) >= AGREE * len(known)


def _usual_end(theirs: Sequence[Node], mine: Sequence[Node]) -> float:
    """In ns, before those that wait for it begin: 0 is the latest."""
    return median(over(one.call) - published(node.call) for one, node in zip(theirs, mine, strict=True))
