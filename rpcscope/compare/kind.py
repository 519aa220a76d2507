"""What is compared of one kind of operation, and why something is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rpcscope.compare.contrast import Contrast, Samples, contrast
from rpcscope.compare.measures import FAILED, KIND_MEASURES, method_measures
from rpcscope.compare.population import KindSide

NOT_BOTH = {(False, True): "only in B", (True, False): "only in A", (False, False): "not over on either side"}


@dataclass(frozen=True, slots=True, kw_only=True)
class KindPair:
    """One kind on both sides."""

    kind: str
    a: KindSide
    b: KindSide

    @property
    def samples(self) -> tuple[Samples, Samples]:
        """Those that are set against each other: done, or failed where neither side has any that was done."""
        if not self.a.done and not self.b.done:
            return self.a.failed, self.b.failed
        return self.a.done, self.b.done

    @property
    def why_not(self) -> str:
        """Why its costs can not be compared; "" when they can."""
        a, b = (bool(side) for side in self.samples)
        if a and b:
            return ""
        if self.a.over and self.b.over:
            name, side = ("A", self.a) if b else ("B", self.b)
            return f"none of {name} was done, {len(side.failed):,} failed"
        return NOT_BOTH[bool(self.a.over), bool(self.b.over)]

    def contrasts(self) -> Iterator[Contrast]:
        """Every number that both sides have."""
        whole = contrast(self.kind, None, FAILED, (*self.a.done, *self.a.failed), (*self.b.done, *self.b.failed))
        a, b = self.samples
        found = [whole, *(contrast(self.kind, None, measure, a, b) for measure in KIND_MEASURES)]
        methods = sorted({method for one in (*a, *b) for method in one.methods})
        for method in methods:
            found += [contrast(self.kind, method, measure, a, b) for measure in method_measures(method)]
        yield from (one for one in found if one is not None)
