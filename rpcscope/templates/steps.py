"""Operations of one structure become the steps of a variant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rpcscope.model import MessageKind
from rpcscope.templates import messages
from rpcscope.templates.known import Known
from rpcscope.templates.measured import times
from rpcscope.templates.model import Step
from rpcscope.templates.order import agreed, before, by_time
from rpcscope.templates.repeats import with_repeats
from rpcscope.templates.seen import Seen, Shape, shaped
from rpcscope.templates.tree import Node, delivered, over, published


def steps(several: Sequence[Seen], known: Known) -> tuple[Step, ...]:
    """The roots of the variant that all of them took."""
    starts = [seen.started_ns for seen in several]
    level = _aligned(several, [seen.roots for seen in several], roots=True)
    return _level(several, level, starts, known)


def _aligned(
    several: Sequence[Seen], siblings: Iterable[Sequence[Node]], *, roots: bool = False
) -> dict[Shape, list[Node]]:
    """Each sibling in every operation."""
    found: dict[Shape, list[Node]] = {}
    for seen, mine in zip(several, siblings, strict=True):
        for shape, node in shaped(seen, mine, roots=roots).items():
            found.setdefault(shape, []).append(node)
    return found


def _level(
    several: Sequence[Seen], level: dict[Shape, list[Node]], starts: Sequence[int], known: Known
) -> tuple[Step, ...]:
    ordered = by_time(level, starts)
    made: list[Step] = []
    for place, shape in enumerate(ordered):
        after = before(shape, ordered[:place], level, known.last)
        bases = starts if after < 0 else [over(node.call) for node in level[ordered[after]]]
        made.append(_step(several, shape, level[shape], after, bases, known))
    return tuple(made)


def _step(
    several: Sequence[Seen], shape: Shape, mine: Sequence[Node], after: int, bases: Sequence[int], known: Known
) -> Step:
    delays = [published(node.call) - base for node, base in zip(mine, bases, strict=True)]
    below = _aligned(several, [node.children for node in mine])
    inner = _level(several, below, [delivered(node.call) for node in mine], known)
    calls = [node.call for node in mine]
    return Step(
        method=shape.method,
        kind=shape.kind,
        topic=shape.topic,
        exchange="" if shape.kind == "fanout" else messages.most(call.exchange for call in calls),
        namespace=shape.namespace,
        version=messages.most(call.version for call in calls),
        sender=shape.sender,
        sender_host=shape.sender_host,
        host=shape.host,
        after=after,
        delay=times(delays if any(delays) else ()),
        work=times(_works(mine, below)),
        request=messages.requests(calls),
        reply=messages.replies(calls),
        timeout_s=messages.timeout_s(calls),
        failure=shape.failure,
        wait=shape.wait,
        stale=shape.stale,
        instance=shape.instance,
        detail=messages.most(node.detail for node in mine),
        steps=with_repeats(inner, mine, several, known),
    )


def _works(mine: Sequence[Node], below: dict[Shape, list[Node]]) -> list[int]:
    """Of calls: from the end of the last child that it waited for, or its delivery, to the reply, in ns."""
    if any(node.call.kind is not MessageKind.REQUEST for node in mine):
        return []
    replied = [node.call.replied_ns or node.call.last_ns for node in mine]
    ends = [delivered(node.call) for node in mine]
    for children in below.values():
        overs = [over(child.call) for child in children]
        if agreed(end <= reply for end, reply in zip(overs, replied, strict=True)):
            ends = [max(pair) for pair in zip(ends, overs, strict=True)]
    return [reply - end for reply, end in zip(replied, ends, strict=True)]
