"""The critical path: which chain of waits made the time that an operation took.

Read backwards from its end. Of what a call caused, the one that was over last before a moment held it up until then;
what went on beside it did not. Where nothing below a call was going on, the call itself took the time. The parts
follow each other without a hole: together they are the duration.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rpcscope.query.calls import CallView
from rpcscope.query.stages import EXECUTION, POOL_WAIT, REPLY_WAIT, WAIT, WHOLE, begin, ends, staged
from rpcscope.query.times import ms
from rpcscope.query.trace import Trace
from rpcscope.query.tree import Node

OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Link:
    """A part of the path."""

    stage: str  # of rpcscope.query.stages, or outside: no RPC that somebody waited for was going on
    from_ns: int
    to_ns: int
    view: CallView | None  # None: outside

    @property
    def took_ns(self) -> int:
        """How long."""
        return self.to_ns - self.from_ns

    @property
    def who(self) -> str:
        """Where the time went: the worker, or the queue that it waited in."""
        if self.view is None:
            return ""
        if self.stage == EXECUTION:
            return str(self.view.worker)
        return f"queue {self.view.call.topic}" if self.stage == WAIT and self.view.call.topic else str(self.view.worker)

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            "stage": self.stage,
            "ms": ms(self.took_ns),
            "method": self.view.call.method if self.view else None,
            "unique_id": self.view.call.unique_id if self.view else None,
            "who": self.who or None,
        }


@dataclass(slots=True)
class _Frame:
    """A call, or the operation, that is being read backwards."""

    node: Node | None
    from_ns: int
    at_ns: int  # read down to here
    below: list[Node] = field(default_factory=list)  # not looked at yet, the one that was over last at the end


def critical_path(trace: Trace) -> list[Link]:
    """The parts by time. Their lengths add up to `to_ns - from_ns` of the trace."""
    over = ends(trace.roots, 0 if trace.is_over else trace.to_ns, waited_for=True)
    frames = [_Frame(None, trace.from_ns, trace.to_ns, _by_end(trace.roots, over))]
    found: list[Link] = []
    while frames:
        frame = frames[-1]
        held = _held_up(frame, over)
        if held is None:
            found.extend(_own(frame, frame.from_ns))
            frames.pop()
            if frames:
                frames[-1].at_ns = frame.from_ns
            continue
        until = over[held.view.call.unique_id]
        found.extend(_own(frame, until))
        start = max(begin(held.view.call), frame.from_ns)
        frames.append(_Frame(held, start, until, _by_end(held.children, over)))
    return list(_joined(reversed(found)))


def _by_end(nodes: Iterable[Node], over: dict[str, int]) -> list[Node]:
    return sorted(nodes, key=lambda node: (over[node.view.call.unique_id], begin(node.view.call)))


def _held_up(frame: _Frame, over: dict[str, int]) -> Node | None:
    """The call below that was over last before the moment that is looked at."""
    while frame.below:
        node = frame.below.pop()
        if frame.from_ns < over[node.view.call.unique_id] <= frame.at_ns:
            return node
    return None


def _own(frame: _Frame, from_ns: int) -> Iterator[Link]:
    """What the call itself did between, the last first."""
    to_ns = frame.at_ns
    if frame.node is None:
        if to_ns > from_ns:
            yield Link(OUTSIDE, from_ns, to_ns, None)
        return
    for start, name in reversed(_starts(frame.node.view)):
        if to_ns <= from_ns:
            return
        if start < to_ns or start == 0:
            yield Link(name, max(start, from_ns), to_ns, frame.node.view)
            to_ns = max(start, from_ns)


def _starts(view: CallView) -> list[tuple[int, str]]:
    """When each stage began; the last goes on as long as there is work below, the first began before all."""
    call = view.call
    parts = staged(view)
    found = [(stage.from_ns, stage.name) for stage in parts]
    if POOL_WAIT in (stage.name for stage in parts):
        more = [] if parts[-1].name == EXECUTION else [(parts[-1].to_ns, EXECUTION)]
        return [(0, found[0][1]), *found[1:], *more]
    if call.delivered_ns is not None and call.replied_ns is None:
        found.append((call.delivered_ns, EXECUTION))
    elif not found:
        found.append((begin(call), WHOLE))
    elif found[-1][1] == REPLY_WAIT and call.reply_delivered_ns is not None:
        found.append((call.reply_delivered_ns, EXECUTION))
    return [(0, found[0][1]), *found[1:]]


def _joined(links: Iterable[Link]) -> Iterator[Link]:
    """Neighbours of one call and stage as one."""
    last: Link | None = None
    for link in links:
        if last and last.view is link.view and last.stage == link.stage:
            last = Link(last.stage, last.from_ns, link.to_ns, last.view)
            continue
        if last:
            yield last
        last = link
    if last:
        yield last


@dataclass(frozen=True, slots=True)
class Holder:
    """Where a part of the time went."""

    stage: str
    who: str
    took_ns: int
    share: float  # of the whole, 0 to 1
    method: str  # in which most of it went
    method_share: float  # of this part


def holders(path: list[Link]) -> list[Holder]:
    """Where the time went, most first."""
    whole = sum(link.took_ns for link in path) or 1
    methods: defaultdict[tuple[str, str], defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for link in path:
        methods[link.stage, link.who][link.view.call.method if link.view else ""] += link.took_ns
    found = [_holder(stage, who, parts, whole) for (stage, who), parts in methods.items()]
    return sorted(found, key=lambda holder: -holder.took_ns)


def _holder(stage: str, who: str, parts: dict[str, int], whole: int) -> Holder:
    took_ns, most = sum(parts.values()), max(parts, key=lambda method: parts[method])
    return Holder(stage, who, took_ns, took_ns / whole, most, parts[most] / max(1, took_ns))
