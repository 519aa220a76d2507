"""Times in which a tap missed messages or was told to see less: what touches a total says so."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, chain

from rpcscope.model import Gap, GapCause, TapPhase
from rpcscope.modes import OFF, sight
from rpcscope.query.times import SECOND, iso
from rpcscope.store.protocol import Reader

FOREVER = 2**62
"""Nanoseconds; no recording is so late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """One time in which one recording missed messages."""

    recording_id: int
    from_ns: int
    to_ns: int
    cause: str  # a GapCause in small letters; or the mode of a phase without replies: bindings, off
    estimate: int | None  # messages missed, when the broker's counters tell; None: unknown

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            "recording": self.recording_id,
            "from": iso(self.from_ns),
            "to": iso(self.to_ns),
            "blind_s": (self.to_ns - self.from_ns) / SECOND,
            "cause": self.cause,
            "missed": self.estimate,
        }


def gaps_touching(
    reader: Reader, from_ns: int = 0, to_ns: int = FOREVER, recordings: Collection[int] | None = None
) -> tuple[Loss, ...]:
    """What was missed at some time between, both ends included, by its beginning.

    Args:
        recordings: by their ids; None: of all, because what is asked for may have gone over any broker.
    """
    return Gaps(reader, from_ns, to_ns).touching(from_ns, to_ns, recordings)


class Gaps:
    """All that was missed in a time, read once, for many questions."""

    def __init__(self, reader: Reader, from_ns: int = 0, to_ns: int = FOREVER) -> None:
        gaps = reader.gaps_by_recording(from_ns, to_ns)
        known = reader.recordings()
        ends = {info.recording.id: info.last_ns for info in known}
        on_bus = {info.recording.id for info in known if sight(info.recording.tap_mode).bus}
        phases = reader.phases(from_ns, to_ns)
        found = [
            _of_gap(number, gap)
            for number, mine in gaps.items()
            for gap in mine
            if gap.cause is not GapCause.INSIDE or number not in on_bus  # the bus shows what services do not tell
        ]
        told = [
            one
            for number, mine in phases.items()
            for one in _of_phases(number, mine, ends.get(number, 0))
            if not any(_covers(gap, one) for gap in gaps.get(number, ()))
        ]
        self._losses = sorted(chain(found, told), key=_order)
        self._starts = [one.from_ns for one in self._losses]
        self._latest = list(accumulate((one.to_ns for one in self._losses), max))  # end of any so far

    def __bool__(self) -> bool:
        """Something was missed."""
        return bool(self._losses)

    def touching(self, from_ns: int, to_ns: int, recordings: Collection[int] | None = None) -> tuple[Loss, ...]:
        """See `gaps_touching`."""
        found = []
        place = bisect_right(self._starts, to_ns) - 1
        while place >= 0 and self._latest[place] >= from_ns:
            one = self._losses[place]
            if one.to_ns >= from_ns and (recordings is None or one.recording_id in recordings):
                found.append(one)
            place -= 1
        return tuple(reversed(found))


def together(touched: Iterable[Iterable[Loss]]) -> tuple[Loss, ...]:
    """What touches several things, each once, by its beginning."""
    found = {loss: None for losses in touched for loss in losses}
    return tuple(sorted(found, key=_order))


def _order(loss: Loss) -> tuple[int, int, int]:
    return loss.from_ns, loss.to_ns, loss.recording_id


def _of_gap(number: int, gap: Gap) -> Loss:
    return Loss(
        recording_id=number, from_ns=gap.from_ns, to_ns=gap.to_ns, cause=gap.cause.name.lower(), estimate=gap.estimate
    )


def _of_phases(number: int, phases: Iterable[TapPhase], end_ns: int) -> Iterator[Loss]:
    """The phases without replies, where others had them; the last goes on."""
    known = list(phases)
    whole = {sight(phase.mode).replies for phase in known}
    for phase, after in zip(known, [*known[1:], None], strict=True):
        if not sight(phase.mode).replies and (phase.mode == OFF or True in whole):
            to_ns = after.at_ns if after is not None else max(end_ns, phase.at_ns)
            yield Loss(recording_id=number, from_ns=phase.at_ns, to_ns=to_ns, cause=phase.mode, estimate=None)


def _covers(gap: Gap, loss: Loss) -> bool:
    return loss.cause == OFF and gap.from_ns <= loss.from_ns + SECOND and gap.to_ns >= loss.to_ns - SECOND
