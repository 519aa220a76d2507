"""What of a whole recording a tap would have got that changed its mode now and then."""

from __future__ import annotations

from collections.abc import Sequence

from rpcscope.model import LiveSighting, Observation, Sighting, TapPhase
from rpcscope_collectors.bindings import is_control
from tests.support.requests_only import only_requests

MODES = ("publish", "control", "full", "bindings", "off")
DELIVER = "deliver."


def in_phases(events: Sequence[Sighting], phases: Sequence[tuple[int, str]]) -> list[LiveSighting]:
    """Of the events from each place on, up to the next, what its mode shows; before the first place all."""
    found: list[LiveSighting] = []
    ends = [place for place, _ in phases[1:]] + [len(events)]
    found += events[: phases[0][0]] if phases else events
    for (place, mode), end in zip(phases, ends, strict=False):
        found.append(TapPhase(at_ns=_time_at(events, place), mode=mode, why="test"))
        found += seen_in(mode, events[place:end])
    return found


def seen_in(mode: str, events: Sequence[Sighting]) -> list[Sighting]:
    """What a tap in this mode hands on of these events."""
    if mode == "bindings":
        return only_requests(events, snapshots=True)
    return [seen for seen in events if not isinstance(seen, Observation) or _is_seen(mode, seen.routing_key)]


def _is_seen(mode: str, key: str) -> bool:
    if not key.startswith(DELIVER):
        return mode != "off"
    return mode == "full" or (mode == "control" and is_control(key.removeprefix(DELIVER)))


def _time_at(events: Sequence[Sighting], place: int) -> int:
    """When the tap changed: before the next event, as far as that has a time."""
    times = (seen.at_ns for seen in events[place:] if isinstance(seen, Observation))
    return next(times, max(seen.at_ns for seen in events if isinstance(seen, Observation)))
