"""The two sides of a comparison, as they stand in an address: everything, a recording, or a label, and a time of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated

from fastapi import Depends, Query

from rpcscope.compare.comparison import Comparison, compare
from rpcscope.compare.newest import Reading
from rpcscope.compare.population import population
from rpcscope.compare.selection import Selection, select
from rpcscope.compare.thresholds import Thresholds
from rpcscope.errors import UsageError
from rpcscope.store.protocol import Reader
from rpcscope_web.ranges import TimeRange, moment_of

MOST_OPERATIONS, MOST_CALLS, MOST_KINDS = 60, 1_500, 10
"""What a page reads of a side: as long as it may take."""
_MOST_CHOICES = 100
RECORDING, LABEL, EVERYTHING = "recording", "label", "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSides:
    """The parameters of an address; "" is not chosen yet."""

    a: str = ""  # all | recording:ID | label:KEY=VALUE
    b: str = ""
    a_from: str = ""  # ISO 8601
    a_to: str = ""
    b_from: str = ""
    b_to: str = ""
    kind: str = ""

    def query(self) -> dict[str, str]:
        """The parameters of a link to the same."""
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def is_chosen(self) -> bool:
        """Both sides are."""
        return bool((self.a or self.a_from or self.a_to) and (self.b or self.b_from or self.b_to))


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that a side may be."""

    value: str
    words: str


_Side = Annotated[
    str, Query(max_length=400, description="all, recording:ID, or label:KEY=VALUE.", examples=["label:release=2026.2"])
]
_Time = Annotated[str, Query(max_length=40, description="ISO 8601; UTC when no zone is given.")]
_Kind = Annotated[str, Query(max_length=255, description="Only operations of this kind.")]


def sides_of(
    a: _Side = "", b: _Side = "", a_from: _Time = "", a_to: _Time = "", b_from: _Time = "", b_to: _Time = "",
    kind: _Kind = "",
) -> WantedSides:  # fmt: skip
    """The sides of a request."""
    return WantedSides(a=a, b=b, a_from=a_from, a_to=a_to, b_from=b_from, b_to=b_to, kind=kind)


AskedSides = Annotated[WantedSides, Depends(sides_of)]


def choices(reader: Reader) -> list[Choice]:
    """What a side may be: everything, each label, the newest recordings."""
    labels = reader.labels()
    pairs = sorted({f"{key}={value}" for mine in labels.values() for key, value in mine.items()})
    newest = sorted((info.recording for info in reader.recordings()), key=lambda one: -one.id)
    return [
        Choice(EVERYTHING, "everything"),
        *(Choice(f"{LABEL}:{pair}", pair) for pair in pairs[:_MOST_CHOICES]),
        *(Choice(f"{RECORDING}:{one.id}", f"{one.label} (recording {one.id})") for one in newest[:_MOST_CHOICES]),
    ]


def compared(reader: Reader, range: TimeRange, wanted: WantedSides) -> Comparison:
    """Both sides within the time of the page. Raises UsageError."""
    reading = Reading(
        most=MOST_OPERATIONS, most_calls=MOST_CALLS, most_kinds=MOST_KINDS, kind=wanted.kind or None,
        background=bool(wanted.kind),
    )  # fmt: skip
    sides = (
        _selection(reader, range, wanted.a, wanted.a_from, wanted.a_to),
        _selection(reader, range, wanted.b, wanted.b_from, wanted.b_to),
    )
    names = (_name(reader, side) for side in sides)
    a, b = (population(reader, side, name, reading) for side, name in zip(sides, names, strict=True))
    return compare(a, b, Thresholds())


def _selection(reader: Reader, range: TimeRange, text: str, start: str, end: str) -> Selection:
    from_ns = max(range.from_ns, moment_of(start, 0))
    to_ns = min(range.to_ns, moment_of(end, range.to_ns))
    what, colon, which = text.partition(":")
    if what == LABEL and "=" in which:
        key, _, value = which.partition("=")
        return select(reader, {key: value}, from_ns=from_ns, to_ns=to_ns)
    chosen = select(reader, from_ns=from_ns, to_ns=to_ns)
    if what in ("", EVERYTHING) and not colon:
        return chosen
    known = {info.recording.id for info in reader.recordings()}
    if what != RECORDING or not which.isascii() or not which.isdigit() or int(which) not in known:
        raise UsageError("a side is all, recording:ID of one that is stored, or label:KEY=VALUE: choose it on the page")
    return Selection(from_ns=chosen.from_ns, to_ns=chosen.to_ns, recordings=frozenset({int(which)}))


def _name(reader: Reader, side: Selection) -> str:
    if side.labels:
        return " ".join(f"{key}={value}" for key, value in side.labels.items())
    if side.recordings is None:
        return "everything"
    return " ".join(info.recording.label for info in reader.recordings() if info.recording.id in side.recordings)
