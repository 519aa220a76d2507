"""Which recorded operations are learned from, and why others are not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from rpcscope.model import RPCS, Call, Flag, MessageKind, Status
from rpcscope.query.ids import recording_of
from rpcscope.query.operations import Operations, OperationView
from rpcscope.query.processes import processes
from rpcscope.query.several import caused
from rpcscope.store.protocol import OperationFilter, Reader
from rpcscope.templates.background import runs
from rpcscope.templates.known import Known
from rpcscope.templates.seen import Seen, hosts
from rpcscope.templates.startup import PREFIX, joined
from rpcscope.templates.tree import Node, grow, nodes
from rpcscope.templates.waits import marked

MOST_OPERATIONS = 1_000
"""Of a kind, the newest."""
MOST_CALLS = 50_000
"""Of one operation: a request id that a process keeps for ever has no end of them."""
MOST_TOGETHER = 200_000
"""Calls of a kind."""
_TOGETHER = 50
_UNKNOWN = Flag.NO_REQUEST | Flag.EVICTED | Flag.UNSEEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which operations to learn from."""

    kinds: Collection[str] = ()  # empty: all
    failed: bool = True  # also those that failed
    background: bool = True  # also what timers and starting services do
    since_ns: int | None = None  # started at this time or later
    until_ns: int | None = None  # started before this time
    most: int = MOST_OPERATIONS


LeftOut = dict[str, Counter[str]]
"""By kind: why, and how many operations."""


def chosen(reader: Reader, choice: Choice, names: Known) -> tuple[list[Seen], LeftOut]:
    """What is learned from, and what is left out."""
    left_out: defaultdict[str, Counter[str]] = defaultdict(Counter)
    views = list(_views(reader, choice, left_out))
    people = processes(reader)
    found: list[Seen] = []
    for some in _batches(views):
        calls = caused(reader, {number: view.whole.request_id for view in some for number in view.ids})
        for view in some:
            mine = [call for call in calls.get(view.whole.request_id, ()) if call.kind in RPCS]
            roots = grow(view.whole, mine, people, view.ids)
            why = _unfit(mine, roots)
            if why:
                left_out[view.whole.kind][why] += 1
            else:
                found += _seen(view, roots, names)
    found = joined(found)
    if choice.kinds:
        found = [one for one in found if one.kind in choice.kinds]
        return found, {kind: why for kind, why in left_out.items() if kind in choice.kinds}
    return found, dict(left_out)


def _views(reader: Reader, choice: Choice, left_out: dict[str, Counter[str]]) -> Iterator[OperationView]:
    """Operations that are whole as far as they tell themselves, the newest of each kind."""
    counts: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    wanted = OperationFilter(
        background=None if choice.background else False, since_ns=choice.since_ns, until_ns=choice.until_ns
    )
    for view in Operations(reader).find(wanted):
        whole = view.whole
        # One request id of a timer may hold tasks of several kinds.
        if choice.kinds and not whole.background and whole.kind not in choice.kinds:
            continue
        if not whole.by_cause.rpcs:  # all that carries its request id was caused by others, and is learned with them
            continue
        why = _doubtful(view, choice)
        if not why and counts[whole.kind] >= choice.most:
            why = f"older than the newest {choice.most:,}"
        if not why and calls[whole.kind] + whole.by_cause.rpcs > MOST_TOGETHER:
            why = f"older than the newest {MOST_TOGETHER:,} calls"
        if why:
            left_out[whole.kind][why] += 1
        else:
            counts[whole.kind] += 1
            calls[whole.kind] += whole.by_cause.rpcs
            yield view


def _doubtful(view: OperationView, choice: Choice) -> str:
    """Why an operation is left out; "" when it is not."""
    whole = view.whole
    if view.gaps:
        return "a tap was blind during it"
    if view.requests_only:
        return "replies were not to be seen"
    if not whole.complete and not whole.background:
        return "its beginning was not recorded"
    if view.status is Status.FAILED and not choice.failed:
        return "it failed"
    if view.status not in (Status.DONE, Status.FAILED) and not whole.background:
        return "it was not over"
    if whole.by_cause.rpcs > MOST_CALLS:
        return f"it has more than {MOST_CALLS:,} calls"
    return ""


def _unfit(calls: Sequence[Call], roots: Sequence[Node]) -> str:
    if any(call.flags & _UNKNOWN or call.published_ns is None for call in calls):
        return "not all of it was seen"
    if any(call.kind is MessageKind.REQUEST and call.replied_ns is None for call in calls):
        return "a call of it had no answer"
    if sum(1 for _ in nodes(roots)) != len(calls):
        return "its calls are too deep, or in a ring"
    return "" if calls else "none of its calls is stored any more"


def _seen(view: OperationView, roots: tuple[Node, ...], names: Known) -> Iterator[Seen]:
    whole = view.whole
    cut = list(runs(roots, names)) if whole.background and not whole.kind.startswith(PREFIX) else []
    for kind, mine in cut or [(whole.kind or "unattributed", roots)]:
        yield Seen(
            kind=kind,
            error=whole.error if view.status is Status.FAILED else "",
            instances=0 if whole.background else len(whole.instances),
            background=whole.background,
            roots=tuple(marked(root, names) for root in mine),
            hosts=hosts(whole, mine),
            recordings=tuple(map(recording_of, view.ids)),
        )


def _batches(views: Sequence[OperationView]) -> Iterator[list[OperationView]]:
    rest = iter(views)
    while some := list(islice(rest, _TOGETHER)):
        yield some
