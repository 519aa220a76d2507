"""One difference between two sides."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rpcscope.compare.measures import Scale
from rpcscope.compare.sample import Method
from rpcscope.compare.summary import Summary

STRUCTURE = "none: the same in every operation of each side"


class Change(StrEnum):
    """What became of it from A to B."""

    ADDED = "added"
    GONE = "gone"
    MORE = "more"
    FEWER = "fewer"
    SLOWER = "slower"
    FASTER = "faster"
    LARGER = "larger"
    SMALLER = "smaller"
    FAILING = "failing"  # more often than before
    MENDED = "mended"  # fails less often


_CHANGES = {
    Scale.COUNT: (Change.FEWER, Change.MORE),
    Scale.TIME: (Change.FASTER, Change.SLOWER),
    Scale.BYTES: (Change.SMALLER, Change.LARGER),
    Scale.FAILURES: (Change.MENDED, Change.FAILING),
}


def change_of(scale: Scale, a: Summary, b: Summary) -> Change:
    """The word for a difference."""
    if scale is Scale.COUNT and (a.most == 0 or b.most == 0):
        return Change.ADDED if a.most == 0 else Change.GONE
    before, after = (a.mean, b.mean) if scale in (Scale.COUNT, Scale.FAILURES) else (a.p50, b.p50)
    return _CHANGES[scale][after > before]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A difference in one number of the operations of one kind."""

    kind: str
    method: Method | None  # None: of the operation as a whole
    measure: str  # rpcs, messages, duration, bytes, failed; of a method count, duration, bytes, failures
    scale: Scale
    change: Change
    a: Summary
    b: Summary
    test: str  # its name; STRUCTURE where none was needed
    p: float | None  # as the test gives it; None without a test
    corrected_p: float | None  # after the correction for the number of tests
    probability_larger: float  # that a value of B is larger than one of A; equal ones half
    examples_a: tuple[str, ...]  # request ids of operations that show it
    examples_b: tuple[str, ...]

    @property
    def is_structural(self) -> bool:
        """Without exception, so without a test."""
        return self.p is None

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        method = self.method
        return {
            "kind": self.kind or "unattributed",
            "method": method.name if method else None,
            "service": method.service if method else None,
            "sent_as": method.kind if method else None,
            "measure": self.measure,
            "unit": {Scale.TIME: "ns", Scale.BYTES: "bytes"}.get(self.scale, "messages"),
            "change": self.change.value,
            "a": self.a.as_dict(),
            "b": self.b.as_dict(),
            "test": self.test,
            "p": self.p,
            "corrected_p": self.corrected_p,
            "probability_larger": round(self.probability_larger, 4),
            "examples": {"a": list(self.examples_a), "b": list(self.examples_b)},
        }
