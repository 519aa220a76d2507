"""Two populations compared: what is told without a test, what a test found, and what nobody can tell."""

from __future__ import annotations

from dataclasses import dataclass

from rpcscope.compare.finding import Finding
from rpcscope.compare.kind import KindPair
from rpcscope.compare.many import corrected
from rpcscope.compare.population import KindSide, Population
from rpcscope.compare.thresholds import Thresholds
from rpcscope.compare.untold import Untold, has_enough, untold
from rpcscope.compare.verdict import Verdict

CORRECTION = "Holm, of the tests that could have been significant (Tarone)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All that can be said of A and B."""

    a: Population
    b: Population
    limits: Thresholds
    kinds: tuple[KindPair, ...]  # the most frequent first
    findings: tuple[Finding, ...]  # by kind in this order, the operation as a whole before its methods
    untold: tuple[Untold, ...]
    tests: int  # made
    telling: int  # of them that could have been significant, so that count for the correction

    @property
    def is_equal(self) -> bool:
        """No difference was found. What could not be told is not in it."""
        return not self.findings

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            "a": _side(self.a), "b": _side(self.b), "equal": self.is_equal,
            "findings": [one.as_dict() for one in self.findings],
            "untold": [one.as_dict() for one in self.untold],
            "kinds": [_pair(pair) for pair in self.kinds],
            "tests": {"made": self.tests, "telling": self.telling, "correction": CORRECTION},
            "thresholds": self.limits.as_dict(),
        }  # fmt: skip


def compare(a: Population, b: Population, limits: Thresholds) -> Comparison:
    """What became of A in B."""
    pairs = [
        KindPair(kind=kind, a=a.kinds.get(kind, KindSide()), b=b.kinds.get(kind, KindSide()))
        for kind in {*a.kinds, *b.kinds}
    ]
    pairs.sort(key=lambda pair: (-pair.a.over - pair.b.over, pair.kind))
    contrasts = [one for pair in pairs for one in pair.contrasts()]
    plain = [one.is_structural and has_enough(one, limits) for one in contrasts]
    verdicts = {place: one.test() for place, one in enumerate(contrasts) if not plain[place]}
    sure = _corrected(verdicts, limits)
    found = [
        one.finding(verdicts.get(place), sure.get(place))
        for place, one in enumerate(contrasts)
        if one.is_worth_telling(limits) and (plain[place] or sure.get(place, 1.0) <= limits.false_alarms)
    ]
    tested = {contrasts[place].kind for place in sure}
    return Comparison(
        a=a, b=b, limits=limits, kinds=tuple(pairs), findings=tuple(found),
        untold=tuple(untold(pairs, contrasts, tested, limits)), tests=len(verdicts), telling=len(sure),
    )  # fmt: skip


def _corrected(verdicts: dict[int, Verdict], limits: Thresholds) -> dict[int, float]:
    """p after the correction by the place of the contrast; of those that could have been significant."""
    places = list(verdicts)
    return {places[n]: p for n, p in corrected(list(verdicts.values()), limits.false_alarms).items()}


def _side(side: Population) -> dict[str, object]:
    return {
        "name": side.name, "labels": list(side.labels), "conditions": list(side.conditions),
        "operations": sum(kind.over for kind in side.kinds.values()), "gaps": [loss.as_dict() for loss in side.gaps],
    }  # fmt: skip


def _pair(pair: KindPair) -> dict[str, object]:
    sides = {
        name: {
            "done": len(side.done), "failed": len(side.failed), "touched_by_gaps": side.touched,
            "unfinished": side.unfinished, "all": side.is_all,
        }
        for name, side in (("a", pair.a), ("b", pair.b))
    }  # fmt: skip
    return {"kind": pair.kind or "unattributed", **sides}
