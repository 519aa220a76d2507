"""The way of messages as SVG: exchanges on the left, queues in the middle, processes on the right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from rpcscope.query.routes import Route, Spot, Way
from rpcscope_web.figures.rows import cut
from rpcscope_web.words import plural, visible

WIDTH = 1_000
_BOX, _HEIGHT, _STEP, _TOP = 236, 30, 40, 26
_COLUMNS = (0, (WIDTH - _BOX) // 2, WIDTH - _BOX)
_TITLES = ("Exchanges", "Queues", "Processes")
_LETTERS, _NOTE_LETTERS, _LABEL_LETTERS = 32, 14, 20
_THICKEST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is known of a queue or family beside its way."""

    ready: int | None
    consumerless: int


def picture(route: Route, states: Mapping[str, State], address: Callable[[str], str]) -> Markup:
    """One vhost, or one queue or family of it.

    Args:
        states: by the name of a queue or family; what is not in it was not sampled.
        address: where the page of a queue or family is.
    """
    columns = (route.exchanges, route.queues, route.processes)
    rows = max(1, *(len(column) for column in columns))
    # The shorter columns stand in the middle of the longest.
    offsets = [(rows - len(column)) * _STEP / 2 for column in columns]
    drawn = [
        *(_title(place) for place in range(3)),
        *(_way(way, 0, offsets) for way in route.bindings),
        *(_way(way, 1, offsets) for way in route.consumers),
        *(_labels(route, offsets)),
        *(_box(spot, 0, n, offsets, spot.detail) for n, spot in enumerate(route.exchanges)),
        *(_queue(spot, n, offsets, states.get(spot.name), address) for n, spot in enumerate(route.queues)),
        *(_box(spot, 2, n, offsets, spot.detail) for n, spot in enumerate(route.processes)),
    ]
    height = _TOP + rows * _STEP
    said = (
        f"{plural(len(route.exchanges), 'exchange')} on the left, {plural(len(route.queues), 'queue')} or families in "
        f"the middle, {plural(len(route.processes), 'process', 'processes')} on the right"
    )
    return Markup(
        '<svg class="route" viewBox="-2 0 {w} {h}" width="{w}" height="{h}" role="group" aria-label="{said}">'
        "{all}</svg>"
    ).format(w=WIDTH + 4, h=height, said=said, all=Markup("").join(drawn))


def _title(place: int) -> Markup:
    return Markup('<text class="column" x="{}" y="12">{}</text>').format(_COLUMNS[place], _TITLES[place])


def _y(row: int, offset: float) -> float:
    return _TOP + offset + row * _STEP


def _way(way: Way, column: int, offsets: Sequence[float]) -> Markup:
    x1, x2 = _COLUMNS[column] + _BOX, _COLUMNS[column + 1]
    y1 = _y(way.start, offsets[column]) + _HEIGHT / 2
    y2 = _y(way.end, offsets[column + 1]) + _HEIGHT / 2
    bend = (x2 - x1) / 2
    said = f"{plural(way.count, 'binding')} {way.label}" if column == 0 else plural(way.count, "consumer")
    return Markup(
        '<path class="way{}" d="M{:.0f} {:.1f}C{:.0f} {:.1f} {:.0f} {:.1f} {:.0f} {:.1f}"><title>{}</title></path>'
    ).format(_thick(way.count), x1, y1, x1 + bend, y1, x2 - bend, y2, x2, y2, visible(said))


def _thick(count: int) -> str:
    """Ten times as many are one class thicker."""
    return f" w{min(_THICKEST, len(str(count)))}"


def _labels(route: Route, offsets: Sequence[float]) -> list[Markup]:
    """Routing keys, at the queue, where a queue has one way to it: else they would lie over each other."""
    ends = [way.end for way in route.bindings]
    return [
        Markup('<text class="key" x="{}" y="{:.1f}" text-anchor="end"><title>{}</title>{}</text>').format(
            _COLUMNS[1] - 8,
            _y(way.end, offsets[1]) + _HEIGHT / 2 - 5,
            visible(way.label),
            cut(visible(way.label), _LABEL_LETTERS),
        )
        for way in route.bindings
        if way.label and ends.count(way.end) == 1
    ]


def _box(spot: Spot, column: int, row: int, offsets: Sequence[float], note: str, kind: str = "") -> Markup:
    name, note = visible(spot.name), visible(note)
    many = f" ×{spot.count:,}" if spot.count > 1 else ""
    note = cut(note, _NOTE_LETTERS)
    room = _LETTERS - len(many) - len(note)
    return Markup(
        '<g class="spot{kind}" transform="translate({x} {y:.1f})"><title>{title}</title>'
        '<rect width="{w}" height="{h}" rx="6"/><text x="10" y="20">{name}<tspan class="count">{many}</tspan></text>'
        '<text class="note" x="{right}" y="20" text-anchor="end">{note}</text></g>'
    ).format(
        kind=kind,
        x=_COLUMNS[column],
        y=_y(row, offsets[column]),
        title=f"{name}{many} {note}".strip(),
        w=_BOX,
        h=_HEIGHT,
        name=cut(name, room),
        many=many,
        right=_BOX - 10,
        note=note,
    )


def _queue(
    spot: Spot, row: int, offsets: Sequence[float], state: State | None, address: Callable[[str], str]
) -> Markup:
    kind = " queue" + (" lonely" if state and state.consumerless else "")
    note = "? ready" if state is None or state.ready is None else f"{state.ready:,} ready"
    box = _box(spot, 1, row, offsets, note, kind)
    return Markup('<a href="{}">{}</a>').format(address(spot.name), box)
