"""How deep queues were over a time: the deepest families, or one family with its deepest queues, or one queue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rpcscope.query.levels import POINTS, Points, Watched, points_of
from rpcscope.query.queues import REPEATED_NS, beginning, is_family, is_of
from rpcscope.query.times import iso
from rpcscope.store.protocol import Reader

LINES = 12
OTHERS = "others"
_LOOKED_AT = 200
"""Deep queues whose names only begin like those of the family, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A family or a queue over a time; depth is the highest, consumers the fewest of each part of it."""

    name: str
    vhost: str
    points: Points
    is_sum: bool = False  # of several that are not drawn

    @property
    def most(self) -> int | None:
        """The deepest that it was."""
        known = [level.depth for _, level in self.points if level is not None and level.depth is not None]
        return max(known, default=None)

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract; a time with nothing but null is unknown."""
        return {
            "name": self.name,
            "vhost": self.vhost,
            "sum": self.is_sum,
            "steps": [
                {
                    "at": iso(at_ns),
                    "depth": level.depth if level else None,
                    "unacked": level.unacked if level else None,
                    "consumers": level.consumers if level else None,
                    "publish_rate": level.publish_rate if level else None,
                    "deliver_rate": level.deliver_rate if level else None,
                    "ack_rate": level.ack_rate if level else None,
                }
                for at_ns, level in self.points
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthOver:
    """One time, the deepest first."""

    from_ns: int
    to_ns: int
    lines: tuple[Line, ...]

    @property
    def vhosts(self) -> int:
        """Of how many vhosts it tells."""
        return len({line.vhost for line in self.lines})


def families_over(
    reader: Reader, from_ns: int, to_ns: int, *, vhost: str = "", lines: int = LINES, points: int = POINTS
) -> DepthOver:
    """The deepest families, and the others of each vhost together.

    The database passes three times over the samples of the time: an hour with a look every 5 s at 30 families has
    20,000.
    """
    step_ns = _step(from_ns, to_ns, points)
    watched = Watched(reader, from_ns, to_ns, step_ns)
    names = reader.family_names(from_ns, to_ns)
    # As many of each vhost, with room for its others, unless there is room for all.
    room = max(1, lines // (1 if vhost else max(1, len(watched.vhosts))))
    kept = names if len(names) <= room else names[: max(1, room - 1)]
    found = points_of(reader.family_steps(from_ns, to_ns, step_ns, kept))
    rest = points_of(reader.family_sums(from_ns, to_ns, step_ns, kept)) if len(kept) < len(names) else {}
    drawn = [
        Line(name=name or OTHERS, vhost=where, points=line, is_sum=not name)
        for (where, name), mine in (*found.items(), *rest.items())
        if vhost in ("", where) and (line := watched.drawn(where, watched.seen(where, mine)))
    ]
    return DepthOver(from_ns=from_ns, to_ns=to_ns, lines=tuple(_ordered(drawn)))


def queue_over(
    reader: Reader, name: str, from_ns: int, to_ns: int, *, vhost: str = "", lines: int = LINES, points: int = POINTS
) -> DepthOver:
    """One queue; or a family as a whole, and its deepest queues.

    A queue is stored when it changes, so that the time before is looked at, too: two hours.
    """
    step_ns = _step(from_ns, to_ns, points)
    watched = Watched(reader, from_ns, to_ns, step_ns)
    found: list[Line] = []
    queues = [beginning(name)]
    if is_family(name):
        whole = points_of(reader.family_steps(from_ns, to_ns, step_ns, [name]))
        found += [
            Line(name=name, vhost=where, points=watched.drawn(where, watched.seen(where, mine)), is_sum=True)
            for (where, _), mine in whole.items()
        ]
        deep = reader.deepest_queues(from_ns, to_ns, beginning(name), _LOOKED_AT)
        queues = [queue for queue in deep if is_of(name, queue)][:lines]
    # As many steps before the time as are needed to meet what is stored once an hour.
    before_ns = -(-REPEATED_NS // step_ns) * step_ns
    steps = points_of(reader.queue_steps(from_ns - before_ns, to_ns, step_ns, queues))
    each = (Line(name=queue, vhost=where, points=watched.drawn(where, mine)) for (where, queue), mine in steps.items())
    kept = [line for line in (*each, *found) if vhost in ("", line.vhost) and line.points]
    return DepthOver(from_ns=from_ns, to_ns=to_ns, lines=tuple(_ordered(kept)))


def _step(from_ns: int, to_ns: int, points: int) -> int:
    return max(1, -(-(to_ns - from_ns) // points))


def _ordered(lines: Iterable[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: (line.is_sum, -(line.most or 0), line.vhost, line.name))
