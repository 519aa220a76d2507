"""Where each call of an operation is in its waterfall."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rpcscope.model import MessageKind, ParentSource
from rpcscope.query.calls import CallView
from rpcscope.query.critical import Link
from rpcscope.query.stages import STAGE_WORDS, begin, end, ends, given_up, staged
from rpcscope.query.times import MS
from rpcscope.query.trace import Trace
from rpcscope.query.tree import Node
from rpcscope.query.usual import Usual, UsualStep, steps
from rpcscope_web.trace.beside import Place, is_bad, place, reason, said
from rpcscope_web.trace.scale import Scale, Tick

MOST_ROWS = 1_500
ROW_PX = 24
_LONGEST_BRANCH = 40
"""Rows."""
_AHEAD = 0.06
"""Of the time of an operation that is not over: room for what is still expected."""

LEGEND = (
    *STAGE_WORDS.items(),
    ("work", "work of a cast, as far as it is seen"),
    ("fade", "no reply seen"),
    ("timeout", "the caller gave up"),
    ("usual", "usual: 5th to 95th percentile"),
    ("critical", "critical path"),
    ("inferred", "parent inferred"),
    ("traced", "parent by traceparent"),
    ("blind", "a tap was blind"),
)

Span = tuple[float, float]
"""Where it begins and how wide it is, in per cent."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One stage."""

    stage: str
    x: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One call."""

    view: CallView
    depth: int
    bars: tuple[Bar, ...]
    whole: Bar  # under them, so that the shortest call is seen
    work: Span | None  # the work of a cast, as far as it is seen by what it caused
    fade: Span | None  # no reply was seen
    timeout: float | None  # where the caller gave up
    usual: Span | None  # between these ends the same step of other operations
    step: UsualStep | None
    is_slow: bool  # longer than 95 % of the others
    critical: tuple[Span, ...]
    words: str  # how long it took, or how it ended
    why: str  # what failed; how many heartbeats
    is_bad: bool
    words_at: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """The line from a call to one that it caused."""

    x: float
    from_y: int
    to_y: int
    is_traced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """The picture."""

    rows: tuple[Row, ...]
    left_out: int
    ticks: tuple[Tick, ...]
    branches: tuple[Branch, ...]
    blind: tuple[Span, ...]
    origin_ns: int

    @property
    def shows(self) -> set[str]:
        """What of the legend is in it."""
        rows, found = self.rows, {bar.stage for row in self.rows for bar in row.bars}
        parts = {
            "work": any(row.work for row in rows),
            "fade": any(row.fade for row in rows),
            "timeout": any(row.timeout is not None for row in rows),
            "usual": any(row.usual for row in rows),
            "critical": any(row.critical for row in rows),
            "traced": any(branch.is_traced for branch in self.branches),
            "inferred": any(not branch.is_traced for branch in self.branches),
            "blind": bool(self.blind),
        }
        return found | {name for name, is_there in parts.items() if is_there}

    @property
    def height(self) -> int:
        """Of all rows, in pixels."""
        return len(self.rows) * ROW_PX


def waterfall(trace: Trace, path: list[Link], usual: Usual, zoom: str = "") -> Waterfall:
    """Rows in the order of the tree. `zoom`: the unique id of the call that is to fill the picture."""
    nodes = trace.walk()
    scale = _scale(trace, zoom)
    shown = nodes[:MOST_ROWS]
    maker = _Rows(trace, scale, path, usual)
    return Waterfall(
        rows=tuple(maker.row(depth, node) for depth, node in shown),
        left_out=len(nodes) - len(shown),
        ticks=tuple(scale.ticks(trace.from_ns)),
        branches=tuple(_branches(shown, scale)),
        blind=tuple(scale.span(loss.from_ns, loss.to_ns) for loss in trace.operation.gaps),
        origin_ns=trace.from_ns,
    )


def _scale(trace: Trace, zoom: str) -> Scale:
    for _, node in trace.walk() if zoom else ():
        if node.view.call.unique_id == zoom:
            start, over = begin(node.view.call), ends([node])[zoom]
            margin = max(1_000, (over - start) // 50)
            return Scale(start - margin, over + margin)
    length = trace.to_ns - trace.from_ns
    return Scale(trace.from_ns, trace.to_ns if trace.is_over else trace.to_ns + round(length * _AHEAD) + MS)


class _Rows:
    """Makes the rows of one picture."""

    def __init__(self, trace: Trace, scale: Scale, path: list[Link], usual: Usual) -> None:
        self._scale = scale
        self._over = ends(trace.roots)
        self._usual = usual
        ordered = sorted((view.call for view in trace.calls), key=begin)
        self._steps = steps(ordered)
        self._critical: dict[str, list[Span]] = {}
        for link in path:
            if link.view is not None:
                self._critical.setdefault(link.view.call.unique_id, []).append(scale.span(link.from_ns, link.to_ns))

    def row(self, depth: int, node: Node) -> Row:
        view, call = node.view, node.view.call
        start, over = begin(call), end(call)
        work = self._work(node)
        fade = self._scale.span(start, self._scale.to_ns) if _is_unanswered(view) else None
        step = self._usual.steps.get(self._steps[call.unique_id])
        band = step.whole if step else None
        parts = staged(view)
        whole = Bar(max(parts, key=lambda s: s.took_ns).name if parts else "none", *self._at(start, over))
        drawn = [span for span in (self._at(start, over), work, fade) if span]
        return Row(
            view=view,
            depth=depth,
            bars=tuple(Bar(stage.name, *self._at(stage.from_ns, stage.to_ns)) for stage in parts),
            whole=whole,
            work=work,
            fade=fade,
            timeout=self._timeout(view),
            usual=self._at(start + band.p5, start + band.p95) if band else None,
            step=step,
            is_slow=bool(band and view.total_ns is not None and view.total_ns > band.p95),
            critical=tuple(self._critical.get(call.unique_id, ())),
            words=said(view),
            why=reason(view),
            is_bad=is_bad(view),
            words_at=place(min(x for x, _ in drawn), max(x + width for x, width in drawn), whole.width),
        )

    def _at(self, from_ns: int, to_ns: int) -> Span:
        return self._scale.span(from_ns, to_ns)

    def _work(self, node: Node) -> Span | None:
        """What goes on below a call after its own last stage."""
        call = node.view.call
        over = self._over[call.unique_id]
        return self._at(end(call), over) if node.children and over > end(call) else None

    def _timeout(self, view: CallView) -> float | None:
        at_ns = given_up(view.call)
        return self._scale.x(at_ns) if at_ns is not None and at_ns <= self._scale.to_ns else None


def _is_unanswered(view: CallView) -> bool:
    return view.call.kind is MessageKind.REQUEST and view.call.replied_ns is None


def _branches(shown: list[tuple[int, Node]], scale: Scale) -> list[Branch]:
    rows: Mapping[str, int] = {node.view.call.unique_id: row for row, (_, node) in enumerate(shown)}
    found = []
    for row, (depth, node) in enumerate(shown):
        call = node.view.call
        if depth and call.parent_unique_id in rows:
            found.append(
                Branch(
                    x=scale.x(begin(call)),
                    from_y=_stub(rows[call.parent_unique_id], row) * ROW_PX + ROW_PX // 2,
                    to_y=row * ROW_PX + ROW_PX // 2,
                    is_traced=call.parent_source is ParentSource.TRACEPARENT,
                )
            )
    return found


def _stub(parent: int, row: int) -> int:
    """The row where a line begins: one from far away would only cross others."""
    return parent if row - parent <= _LONGEST_BRANCH else row - 1
