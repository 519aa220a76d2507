"""What the reader gives to those who follow a store as it grows."""

from __future__ import annotations

from dataclasses import dataclass, field

from rpcscope.model import Call


@dataclass(frozen=True, slots=True)
class Mark:
    """How far one has read. Only what made it knows what it means."""

    tops: dict[int, int] = field(default_factory=dict)  # by recording: up to this id all is read
    batches: dict[int, int] = field(default_factory=dict)  # by recording that is read to its end: its batches then
    opened: frozenset[int] = frozenset()  # ids up to the tops that were open


@dataclass(frozen=True, slots=True)
class Closed:
    """Calls that were closed since a mark."""

    calls: tuple[Call, ...]
    opened: tuple[Call, ...]  # calls that were not stored before and are open
    settled: tuple[int, ...]  # ids of calls that were open and are no longer
    mark: Mark
    is_all: bool  # no more than that were stored
