"""Where services and the lines between them are: columns from those who ask to those who work on hosts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from rpcscope.query.services import Edge, Service

WIDTH, GAP, MARGIN = 168, 262, 10
STEEP = 0.8  # of its way a line keeps its height at both ends, where it is labelled; 0.5 is an even S
PORT = 38  # between two lines that end at one side of a service, so that what is written on them can be read
LEAST_HEIGHT = 66
_BETWEEN, _LANE = 30, 26
_OUTSIDE = 175  # right of the last column, for what is written on a bow
Point = tuple[float, float]


@dataclass(slots=True)
class Box:
    """A service in its column; or a place where a line passes a column on its way."""

    column: int
    service: Service | None
    height: float = _LANE
    y: float = 0
    left: list[Route] = field(default_factory=list)  # lines that end at this side
    right: list[Route] = field(default_factory=list)

    @property
    def x(self) -> float:
        """Its left side."""
        return MARGIN + self.column * (WIDTH + GAP)


@dataclass(slots=True)
class Route:
    """A line from box to box; `is_bow` where both ends are at the right side of one column."""

    edge: Edge
    boxes: list[Box]
    is_bow: bool
    ends: list[Point] = field(default_factory=list)  # where it leaves and reaches the boxes, in its direction


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything placed."""

    width: float
    height: float
    boxes: tuple[Box, ...]  # of services
    routes: tuple[Route, ...]


def plan(services: Sequence[Service], edges: Sequence[Edge]) -> Plan:
    """Services in columns by their layer, the busiest above; lines between them."""
    layers = sorted({one.layer for one in services})
    boxes = {one.name: Box(layers.index(one.layer), one) for one in services}
    columns: defaultdict[int, list[Box]] = defaultdict(list)
    for box in boxes.values():
        columns[box.column].append(box)
    known = [edge for edge in edges if edge.sender in boxes and edge.worker in boxes]
    routes = [_route(edge, boxes[edge.sender], boxes[edge.worker], columns) for edge in known]
    for box in boxes.values():
        box.height = max(LEAST_HEIGHT, PORT * max(len(box.left), len(box.right)) + 8)
    height = max((_tall(column) for column in columns.values()), default=0)
    for column in columns.values():
        _stack(column, (height - _tall(column)) / 2 + MARGIN)
    _connect([box for column in columns.values() for box in column])
    width = (
        2 * MARGIN
        + len(layers) * WIDTH
        + max(0, len(layers) - 1) * GAP
        + _OUTSIDE * any(route.is_bow for route in routes)
    )
    return Plan(width, height + 2 * MARGIN, tuple(boxes.values()), tuple(routes))


def _route(edge: Edge, sender: Box, worker: Box, columns: dict[int, list[Box]]) -> Route:
    step = 1 if worker.column > sender.column else -1
    between = [Box(column, None) for column in range(sender.column + step, worker.column, step)]
    if sender.column == worker.column:
        between = []
    found = Route(edge, [sender, *between, worker], sender.column == worker.column)
    for box in between:
        columns[box.column].append(box)
    for one, other in zip(found.boxes, found.boxes[1:], strict=False):
        (one.right if found.is_bow or step > 0 else one.left).append(found)
        (other.right if found.is_bow or step < 0 else other.left).append(found)
    return found


def _tall(column: Sequence[Box]) -> float:
    return sum(box.height for box in column) + _BETWEEN * (len(column) - 1)


def _stack(column: Sequence[Box], y: float) -> None:
    for box in column:
        box.y = y
        y += box.height + _BETWEEN


def _connect(boxes: Sequence[Box]) -> None:
    """Ports of each side in the order of where their lines go, so that they cross little."""
    ports: defaultdict[int, dict[tuple[int, bool], list[Point]]] = defaultdict(lambda: defaultdict(list))
    for box in boxes:
        for is_right, side in ((False, box.left), (True, box.right)):
            ordered = sorted(enumerate(side), key=lambda pair: (_towards(box, pair[1]), pair[0]))
            for place, (_, route) in enumerate(ordered):
                y = box.y + box.height * (place + 0.5) / len(ordered)
                ports[id(route)][id(box), is_right].append((box.x + WIDTH * is_right, y))
    for box in boxes:
        for route in (*box.left, *box.right):
            if not route.ends:
                route.ends = _ends(route, ports[id(route)])


def _ends(route: Route, ports: dict[tuple[int, bool], list[Point]]) -> list[Point]:
    found: list[Point] = []
    for one, other in zip(route.boxes, route.boxes[1:], strict=False):
        right = other.column > one.column
        found.append(ports[id(one), right or route.is_bow].pop(0))
        found.append(ports[id(other), route.is_bow or not right].pop(0))
    return found


def _towards(box: Box, route: Route) -> tuple[float, str, str]:
    """The height of the box at the other end of the part of the line that ends here."""
    place = next(number for number, one in enumerate(route.boxes) if one is box)
    other = route.boxes[place + 1] if place + 1 < len(route.boxes) else route.boxes[place - 1]
    middle = other.y + other.height / 2
    # Bows leave below all other lines.
    return (middle + (100_000 if route.is_bow else 0), route.edge.sender, route.edge.worker)
