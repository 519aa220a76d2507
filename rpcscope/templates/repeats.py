"""Steps that are sent again and again while a handler waits.

live_migration:  ... Migration.save   |<------------ memory-copy ----------->|  MigrationContext.get_by_instance_uuid
                                       Migration.save    Migration.save ...
                                        Instance.save     Instance.save ...
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

import msgspec

from rpcscope.templates import messages
from rpcscope.templates.known import Known, Wait
from rpcscope.templates.measured import times
from rpcscope.templates.model import Step
from rpcscope.templates.seen import KINDS, Seen
from rpcscope.templates.tree import Node, delivered, nodes, over, published

_SECOND = 1e9


def with_repeats(
    made: tuple[Step, ...], parents: Sequence[Node], several: Sequence[Seen], known: Known
) -> tuple[Step, ...]:
    """The steps of a handler, with those that repeat put before the one that ends the wait.

    Where none was recorded, because the wait was shorter than a round, nova's own are taken, with the sizes and times
    that the same methods had elsewhere in these operations.

    Args:
        parents: the handler's call in every operation.
    """
    rules = {wait.name: wait for wait in known.wait if wait.repeats}
    place = next((n for n, step in enumerate(made) if step.wait in rules), None)
    if place is None:
        return made
    wait = rules[made[place].wait]
    rounds = [parent.repeats for parent in parents]
    found = {
        method: [node for mine in rounds for node in mine if node.call.method == method] for method in wait.repeats
    }
    recorded = all(found.values())
    if not recorded:
        found = {method: _elsewhere(method, several) for method in wait.repeats}
    added: list[Step] = []
    for method, mine in found.items():
        if mine:
            after = place + len(added) - 1 if added else made[place].after
            pauses = _pauses(rounds) if recorded and added else []
            detail = made[after].detail if not added and made[after].method == method else ""
            added.append(_repeated(wait, mine, after, pauses, detail, _interval_s(wait, rounds)))
    return (*made[:place], *added, *(_moved(step, place, len(added)) for step in made[place:]))


def _repeated(
    wait: Wait, mine: Sequence[Node], after: int, pauses: Sequence[int], detail: str, interval_s: float
) -> Step:
    calls, first = [node.call for node in mine], mine[0]
    works = [call.replied_ns - delivered(call) for call in calls if call.replied_ns is not None]
    return Step(
        method=first.call.method,
        kind=KINDS[first.call.kind],
        topic=first.topic,
        exchange=messages.most(call.exchange for call in calls),
        namespace=first.call.namespace,
        version=messages.most(call.version for call in calls),
        after=after,
        delay=times(pauses),
        work=times(works),
        request=messages.requests(calls),
        reply=messages.replies(calls),
        timeout_s=messages.timeout_s(calls),
        wait=wait.name,
        repeats_s=interval_s,
        detail=detail,
    )


def _elsewhere(method: str, several: Sequence[Seen]) -> list[Node]:
    return [node for seen in several for node in nodes(seen.roots) if node.call.method == method]


def _pauses(rounds: Sequence[Sequence[Node]]) -> list[int]:
    """Within a round: from the end of one step to the next, in ns."""
    return [
        published(after.call) - over(before.call)
        for mine in rounds
        for before, after in pairwise(mine)
        if before.call.method == mine[0].call.method != after.call.method
    ]


def _interval_s(wait: Wait, rounds: Sequence[Sequence[Node]]) -> float:
    """From one round to the next, as recorded; nova's default where that is too short to tell."""
    between = [
        published(after.call) - published(before.call)
        for mine in rounds
        for before, after in pairwise([node for node in mine if node.call.method == mine[0].call.method])
    ]
    return round(median(between) / _SECOND, 1) if between else wait.every_s or 1.0


def _moved(step: Step, place: int, by: int) -> Step:
    return msgspec.structs.replace(step, after=step.after + by) if step.after >= place else step
