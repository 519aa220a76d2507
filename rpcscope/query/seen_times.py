"""When each recording saw who takes requests and how they end: only then it tells what is in flight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rpcscope.model import InFlightSample, TapPhase
from rpcscope.modes import sight
from rpcscope.store.protocol import Reader, RecordingInfo

HEARD_NS = 15_000_000_000
"""A recorder that runs says at least so often how far it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An unbroken time, cut to the one that is asked for."""

    began_ns: int  # uncut
    from_ns: int
    to_ns: int


def tells(mode: str) -> bool:
    """Whether a tap in this mode sees what is in flight."""
    return sight(mode).deliveries and sight(mode).replies


def seen_times(
    reader: Reader, samples: Mapping[int, Sequence[InFlightSample]], from_ns: int, to_ns: int
) -> dict[int, list[Seen]]:
    """By recording; one that tells nothing in this time is left out.

    Args:
        samples: of the same time and shortly before: what has no phases, such as a file, is seen from its first one.
    """
    phases = reader.phases(from_ns, to_ns)
    found: dict[int, list[Seen]] = {}
    for info in reader.recordings():
        number = info.recording.id
        told = phases.get(number) or _begun(info, samples.get(number, ()))
        if seen := _joined(_spans(told, from_ns, _end(info, to_ns))):
            found[number] = seen
    return found


def _end(info: RecordingInfo, to_ns: int) -> int:
    if info.recording.ended_ns is None and info.last_ns + HEARD_NS >= to_ns:
        return to_ns
    return min(info.last_ns, to_ns)


def _begun(info: RecordingInfo, samples: Sequence[InFlightSample]) -> list[TapPhase]:
    return [TapPhase(at_ns=samples[0].at_ns, mode=info.recording.tap_mode)] if samples else []


def _spans(phases: Sequence[TapPhase], from_ns: int, end_ns: int) -> Iterator[Seen]:
    for phase, after in zip_longest(phases, phases[1:]):
        start, end = max(phase.at_ns, from_ns), end_ns if after is None else min(after.at_ns, end_ns)
        if tells(phase.mode) and start <= end:
            yield Seen(began_ns=phase.at_ns, from_ns=start, to_ns=end)


def _joined(spans: Iterator[Seen]) -> list[Seen]:
    """Two phases that follow each other and both tell are one time."""
    joined: list[Seen] = []
    for one in spans:
        if joined and joined[-1].to_ns == one.from_ns:
            joined[-1] = Seen(began_ns=joined[-1].began_ns, from_ns=joined[-1].from_ns, to_ns=one.to_ns)
        else:
            joined.append(one)
    return joined
