"""What taps inside services tell: a head, then lines. See collectors/oslo-tap, sender.py.

    {"tap": {"program": ..., "pid": ..., "host": ..., "start": ..., "first": 120, "lost": 0, "sent": {"nova": 31}}}
    {"inside": {...}}

A head says how many lines of its process came before: what is missing was lost on the way and becomes a gap, what
comes a second time (a connection broke while it was written) is left out.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from rpcscope import inside_row
from rpcscope.model import Gap, GapCause, Inside

MAX_TELLERS = 10_000
MAX_EXCHANGES = 1000
_MAX_COUNT = 1 << 53
_is_start = re.compile(r"[0-9a-f]{16}").fullmatch


@dataclass(slots=True)
class Teller:
    """One process that tells of itself; names are safe."""

    program: str
    pid: int
    host: str
    next: int | None = None  # number of the line that is expected; None before its first head
    skip: int = 0  # lines that are known
    heard_ns: int = 0
    sent: dict[str, int] = field(default_factory=dict)  # messages it published so far, by exchange

    def __str__(self) -> str:
        return f"{self.program}:{self.pid} on {self.host}"


class Tellers:
    """All processes that tell a recorder. Bounded: those that were silent longest are forgotten."""

    def __init__(self) -> None:
        """Nobody has told anything."""
        self._known: OrderedDict[tuple[str, int, str, str], Teller] = OrderedDict()
        self.heard = 0  # lines taken
        self.repeats = 0  # lines left out because they came before
        self.rejected = 0  # lines that say nothing

    def take(self, lines: Iterable[bytes], at_ns: int, teller: Teller | None = None) -> _Taken:
        """What lines say, and who told the last of them. `teller`: who told the last one before."""
        taken = _Taken([], teller)
        for line in lines:
            if line.strip():
                self._line(line, at_ns, taken)
        return taken

    def all(self) -> list[Teller]:
        """Those who told something lately."""
        return list(self._known.values())

    def _line(self, line: bytes, at_ns: int, taken: _Taken) -> None:
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            row = None
        if not isinstance(row, dict):
            self.rejected += 1
        elif isinstance(row.get("tap"), dict):
            self._head(row["tap"], at_ns, taken)
        elif isinstance(row.get("inside"), dict):
            self._inside(row["inside"], at_ns, taken)
        else:
            self.rejected += 1

    def _inside(self, row: dict[str, Any], at_ns: int, taken: _Taken) -> None:
        teller = taken.teller
        if teller is not None and teller.next is not None:
            teller.next += 1
            if teller.skip:
                teller.skip -= 1
                self.repeats += 1
                return
        told = inside_row.inside(row, at_ns=at_ns)
        if told is None:
            self.rejected += 1
            return
        self.heard += 1
        taken.sightings.append(told)

    def _head(self, head: dict[str, Any], at_ns: int, taken: _Taken) -> None:
        start, first = head.get("start"), _count(head.get("first"))
        if not isinstance(start, str) or not _is_start(start) or first is None:
            self.rejected += 1
            taken.teller = None
            return
        program, pid, host = inside_row.who(head)
        teller = self._known.setdefault((program, pid, host, start), Teller(program, pid, host))
        self._known.move_to_end((program, pid, host, start))
        while len(self._known) > MAX_TELLERS:
            self._known.popitem(last=False)
        missing = 0 if teller.next is None else max(0, first - teller.next)
        teller.skip = 0 if teller.next is None else max(0, teller.next - first)
        teller.next = first
        lost = missing + (_count(head.get("lost")) or 0)
        if lost:
            taken.sightings.append(self._gap(teller, head, lost, at_ns))
        teller.heard_ns = at_ns
        teller.sent = _by_exchange(head.get("sent"))
        taken.teller = teller

    def _gap(self, teller: Teller, head: dict[str, Any], lost: int, at_ns: int) -> Gap:
        """Since it was last heard of, or since it says; by our clock, so not in the future."""
        says = _count(head.get("lost_from_ns")) or teller.heard_ns or at_ns
        from_ns = min(at_ns, max(says, teller.heard_ns))
        return Gap(from_ns=from_ns, to_ns=at_ns, cause=GapCause.INSIDE, estimate=lost, note=str(teller))


@dataclass(slots=True)
class _Taken:
    """Sightings, and who told the last."""

    sightings: list[Inside | Gap]
    teller: Teller | None


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < _MAX_COUNT << 10 else None


def _by_exchange(sent: object) -> dict[str, int]:
    if not isinstance(sent, dict):
        return {}
    found: dict[str, int] = {}
    for name, count in list(sent.items())[:MAX_EXCHANGES]:
        if (number := _count(count)) is not None:
            found[inside_row.name(name)] = number
    return found
