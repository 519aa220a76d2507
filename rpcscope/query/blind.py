"""What the taps could not see in a time: every total of that time is touched by it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from rpcscope.model import Gap, GapCause
from rpcscope.query.times import SECOND, iso
from rpcscope.query.words import CAUSES
from rpcscope.store.protocol import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Blind:
    """The gaps of one cause that touch a time, cut to it."""

    cause: GapCause
    gaps: int
    blind_ns: int
    from_ns: int  # where the first begins
    to_ns: int  # where the last ends
    estimate: int | None  # messages missed, where the broker's counters told; None: of none
    unknown: int  # gaps of which nobody knows how much was missed

    @property
    def why(self) -> str:
        """The cause in words."""
        return CAUSES[self.cause]

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            "cause": self.cause.name.lower(),
            "gaps": self.gaps,
            "blind_s": self.blind_ns / SECOND,
            "from": iso(self.from_ns),
            "to": iso(self.to_ns),
            "missed": self.estimate,
            "unknown": self.unknown,
        }


def blind(reader: Reader, from_ns: int, to_ns: int) -> list[Blind]:
    """Gaps by their cause that touch a time, the longest first."""
    by_cause: defaultdict[GapCause, list[Gap]] = defaultdict(list)
    for gap in reader.gaps(from_ns, to_ns):
        by_cause[gap.cause].append(gap)
    found = [_blind(cause, gaps, from_ns, to_ns) for cause, gaps in by_cause.items()]
    return sorted(found, key=lambda one: (-one.blind_ns, one.cause))


def _blind(cause: GapCause, gaps: list[Gap], from_ns: int, to_ns: int) -> Blind:
    known = [gap.estimate for gap in gaps if gap.estimate is not None]
    spans = [(max(gap.from_ns, from_ns), min(gap.to_ns, to_ns)) for gap in gaps]
    return Blind(
        cause=cause,
        gaps=len(gaps),
        blind_ns=sum(end - start for start, end in spans),
        from_ns=min(start for start, _ in spans),
        to_ns=max(end for _, end in spans),
        estimate=sum(known) if known else None,
        unknown=len(gaps) - len(known),
    )
