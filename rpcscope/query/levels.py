"""Numbers of queues over a time, as a chart draws them: each holds until the next, None is unknown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from rpcscope.query.queues import LONGEST_INTERVAL_NS
from rpcscope.query.times import SECOND
from rpcscope.store.depth_rows import Level, PollStep, QueueStep
from rpcscope.store.protocol import Reader

POINTS = 600
"""Parts of a time of which the extremes are drawn."""
_LATE_NS = 15 * SECOND
"""How late a look may be beyond twice its interval: a broker that is busy answers slowly."""
Point = tuple[int, Level | None]
Points = tuple[Point, ...]
Span = tuple[int, int]


class Watched:
    """The times in which the queues of each vhost were looked at, often enough to say what was in between."""

    def __init__(self, reader: Reader, from_ns: int, to_ns: int, step_ns: int) -> None:
        self._from_ns, self._to_ns, self._step_ns = from_ns, to_ns, step_ns
        # What the last look before the time saw holds in it. Whole steps, so that steps mean the same everywhere.
        before_ns = -(-3 * LONGEST_INTERVAL_NS // step_ns) * step_ns
        self._looks: defaultdict[str, list[PollStep]] = defaultdict(list)
        for step in reader.poll_steps(from_ns - before_ns, to_ns, step_ns):
            self._looks[step.vhost].append(step)
        self._spans = {vhost: self._cut(_spans(mine)) for vhost, mine in self._looks.items()}

    @property
    def vhosts(self) -> frozenset[str]:
        """Whose queues were looked at."""
        return frozenset(self._looks)

    def spans(self, vhost: str) -> Sequence[Span]:
        """Within the time that is asked for, in order."""
        return self._spans.get(vhost, ())

    def drawn(self, vhost: str, points: Sequence[Point]) -> Points:
        """The points within these times, with what held when each began, and the unknown after each."""
        found: list[Point] = []
        for start, end in self.spans(vhost):
            mine = [point for point in points if start < point[0] <= end]
            before = next((level for at, level in reversed(points) if at <= start), None)
            found += ([(start, before)] if before is not None else []) + mine
            if found:
                found.append((end, found[-1][1]))
                found += [(end, None)] if end < self._to_ns else []
        return tuple(found)

    def seen(self, vhost: str, points: Points) -> Points:
        """Points of what every look tells, and the unknown where a look did not tell of it: it was gone."""
        told = {self._step(at_ns) for at_ns, _ in points}
        silent = [(look.first_ns, None) for look in self._looks[vhost] if self._step(look.first_ns) not in told]
        return tuple(sorted([*points, *silent], key=lambda point: point[0]))

    def _step(self, at_ns: int) -> int:
        return (at_ns - self._from_ns) // self._step_ns

    def _cut(self, spans: Iterable[Span]) -> list[Span]:
        cut = ((max(start, self._from_ns), min(end, self._to_ns)) for start, end in spans)
        return [(start, end) for start, end in cut if start < end]


def _spans(steps: Sequence[PollStep]) -> list[Span]:
    """Two looks that are further apart than a slow broker makes them are two times."""
    spans: list[Span] = []
    for step in sorted(steps, key=lambda step: step.first_ns):
        end = step.last_ns + 2 * step.interval_ns + step.took_ns + _LATE_NS
        if spans and step.first_ns <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((step.first_ns, end))
    return spans


def points_of(steps: Iterable[QueueStep]) -> dict[tuple[str, str], Points]:
    """By vhost and name. Of several recorders that look at the same queue, the one that told the most."""
    found: defaultdict[tuple[str, str], defaultdict[int, list[Point]]] = defaultdict(lambda: defaultdict(list))
    for step in steps:
        mine = found[step.vhost, step.name][step.recording_id]
        mine.append((step.first_ns, step.extreme))
        if step.end != step.extreme:
            mine.append((step.last_ns, step.end))
    return {key: _woven(list(several.values())) for key, several in found.items()}


def _woven(several: Sequence[Sequence[Point]]) -> Points:
    """Recorders that follow each other, or look at the same at once: of those the longer one's points."""
    woven: list[Point] = []
    for points in sorted(several, key=len, reverse=True):
        taken = (woven[0][0], woven[-1][0]) if woven else (0, -1)
        woven = sorted([*woven, *(p for p in points if not taken[0] <= p[0] <= taken[1])], key=lambda point: point[0])
    return tuple(woven)
