"""What recordings could not see: it is unknown, and no total may show it as zero."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from rpcscope.model import TapPhase
from rpcscope.modes import Sight, sight
from rpcscope.query.ids import recording_of
from rpcscope.store.protocol import Reader

FOREVER = (1 << 63) - 1
_Spans = list[tuple[int, int, Sight]]
"""From, to, and what was seen between."""


class Unseen:
    """What the taps of a store saw when. A recording without phases was in its one mode all the time."""

    def __init__(self, reader: Reader) -> None:
        phases = reader.phases(0, FOREVER)
        self._spans: dict[int, _Spans] = {
            one.id: _spans(phases[one.id]) if one.id in phases else [(0, FOREVER, sight(one.tap_mode))]
            for one in (info.recording for info in reader.recordings())
        }

    def __bool__(self) -> bool:
        """There is a time in which replies were not seen."""
        return any(not seen.replies for spans in self._spans.values() for _, _, seen in spans)

    def touches(self, ids: Iterable[int], from_ns: int = 0, to_ns: int = FOREVER) -> bool:
        """Whether replies to any of these calls or operations may have passed unseen between."""
        return any(not seen.replies for seen in self._during(ids, from_ns, to_ns))

    def hides_deliveries(self, ids: Iterable[int], from_ns: int = 0, to_ns: int = FOREVER) -> bool:
        """Whether nobody can tell who took any of these from its queue, because it was not seen."""
        return any(not seen.deliveries for seen in self._during(ids, from_ns, to_ns))

    def hides_copies(self, ids: Iterable[int], from_ns: int = 0, to_ns: int = FOREVER) -> bool:
        """Whether nobody can tell if replies and copies of fanouts were taken, because it was not seen."""
        return any(not seen.copies for seen in self._during(ids, from_ns, to_ns))

    def _during(self, ids: Iterable[int], from_ns: int, to_ns: int) -> Iterable[Sight]:
        for number in {recording_of(one) for one in ids}:
            for start, end, seen in self._spans.get(number, ()):
                if start <= to_ns and from_ns < end:
                    yield seen


def _spans(phases: Sequence[TapPhase]) -> _Spans:
    """What comes before the first phase is what its recording took over: seen as that one."""
    starts = [0, *(phase.at_ns for phase in phases[1:]), FOREVER]
    return [(start, end, sight(one.mode)) for (start, end), one in zip(pairwise(starts), phases, strict=True)]
