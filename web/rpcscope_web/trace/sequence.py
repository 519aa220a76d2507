"""Where each message of an operation is in its sequence diagram, in pixels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rpcscope.model import MessageKind
from rpcscope.query.calls import CallView
from rpcscope.query.lifelines import Arrow, lifelines
from rpcscope.query.times import MS, SECOND
from rpcscope_web.trace.beside import is_bad

MOST_MESSAGES = 400
TIME_PX, LANE_PX, HEAD_PX, ROW_PX, SELF_PX = 92, 196, 40, 26, 34


@dataclass(frozen=True, slots=True)
class Lane:
    """The lifeline of a process."""

    name: str
    x: int


@dataclass(frozen=True, slots=True)
class Line:
    """One message."""

    arrow: Arrow
    from_x: int
    to_x: int
    y: int
    kind: str  # call | cast | fanout | reply | failed: a reply that tells of a failure that is not expected

    def since(self, origin_ns: int) -> str:
        """Its time after another, to the millisecond: neighbours of a long operation differ by so little."""
        passed = max(0, self.arrow.at_ns - origin_ns)
        return f"{passed / MS:,.1f} ms" if passed < SECOND else f"{passed / SECOND:,.3f} s"

    @property
    def middle(self) -> float:
        """Where its words are."""
        return (self.from_x + self.to_x) / 2

    @property
    def to_itself(self) -> bool:
        """The process called itself."""
        return self.from_x == self.to_x


@dataclass(frozen=True, slots=True)
class Sequence:
    """The picture."""

    lanes: tuple[Lane, ...]
    lines: tuple[Line, ...]
    left_out: int

    @property
    def width(self) -> int:
        """In pixels."""
        return TIME_PX + len(self.lanes) * LANE_PX

    @property
    def height(self) -> int:
        """In pixels."""
        return HEAD_PX + (len(self.lines) + 1) * ROW_PX


def sequence(views: Iterable[CallView]) -> Sequence:
    """Processes from left to right by their first appearance, messages from top to bottom by time."""
    found = lifelines(views, MOST_MESSAGES)
    places = {name: TIME_PX + LANE_PX // 2 + place * LANE_PX for place, name in enumerate(found.names)}
    lines = [
        Line(arrow, places[arrow.source], places[arrow.target], HEAD_PX + (row + 1) * ROW_PX, _kind(arrow))
        for row, arrow in enumerate(found.arrows)
    ]
    return Sequence(tuple(Lane(name, x) for name, x in places.items()), tuple(lines), found.left_out)


def _kind(arrow: Arrow) -> str:
    if arrow.is_reply:
        return "failed" if is_bad(arrow.view) and arrow.view.call.failure else "reply"
    kinds = {MessageKind.CAST: "cast", MessageKind.FANOUT: "fanout"}
    return kinds.get(arrow.view.call.kind, "call")
