"""Which operations of a store a side of a comparison is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from rpcscope.errors import UsageError
from rpcscope.query.times import iso
from rpcscope.store.protocol import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What began in a time, in some recordings; as they are, everything."""

    from_ns: int | None = None
    to_ns: int | None = None  # not in it
    recordings: frozenset[int] | None = None  # by their ids; None: all
    labels: Mapping[str, str] = field(default_factory=dict)  # by which the recordings were chosen

    def has(self, recording: int) -> bool:
        """Whether a recording is one of them."""
        return self.recordings is None or recording in self.recordings

    @property
    def words(self) -> str:
        """For people; "" of everything."""
        named = [f"{key}={value}" for key, value in self.labels.items()]
        if self.from_ns is not None or self.to_ns is not None:
            named.append(f"{_second(self.from_ns)}..{_second(self.to_ns)}")
        return " ".join(named)


def select(
    reader: Reader, labels: Mapping[str, str] | None = None, *, from_ns: int | None = None, to_ns: int | None = None
) -> Selection:
    """The recordings that carry all of these labels, and what began in a time.

    Raises:
        UsageError: no recording carries them, or the time ends before it begins.
    """
    if from_ns is not None and to_ns is not None and from_ns >= to_ns:
        raise UsageError("the time of a side ends before it begins: exchange its two ends")
    if not labels:
        return Selection(from_ns=from_ns, to_ns=to_ns)
    known = reader.labels()
    found = frozenset(number for number, mine in known.items() if labels.items() <= mine.items())
    if not found:
        asked = " ".join(f"{key}={value}" for key, value in labels.items())
        raise UsageError(f"no recording has the label {asked}; {_known(known.values())}")
    return Selection(from_ns=from_ns, to_ns=to_ns, recordings=found, labels=dict(labels))


def _known(labels: Collection[Mapping[str, str]]) -> str:
    pairs = sorted({f"{key}={value}" for mine in labels for key, value in mine.items()})
    if not pairs:
        return "none has any: give them with `rpcscope import --label`"
    more = f" and {len(pairs) - 10} more" if len(pairs) > 10 else ""
    return f"choose one of {', '.join(pairs[:10])}{more}"


def _second(ns: int | None) -> str:
    return f"{shown[:19]}Z" if (shown := iso(ns)) else ""
