"""What nobody can tell of two sides, said instead of silence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rpcscope.compare.contrast import Contrast
from rpcscope.compare.finding import Finding
from rpcscope.compare.kind import KindPair
from rpcscope.compare.thresholds import Thresholds


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """What can not be told of one kind."""

    kind: str
    why: str
    hints: tuple[Finding, ...] = ()  # differences without exception, in too few operations to be sure
    is_whole: bool = False  # nothing of the kind was compared

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        hints = [one.as_dict() for one in self.hints]
        return {"kind": self.kind or "unattributed", "why": self.why, "nothing_compared": self.is_whole, "hints": hints}


def has_enough(one: Contrast, limits: Thresholds) -> bool:
    """So many operations on both sides that a difference without exception is no chance."""
    return min(one.a.operations, one.b.operations) >= limits.operations


def untold(
    pairs: Iterable[KindPair], contrasts: Sequence[Contrast], tested: Collection[str], limits: Thresholds
) -> Iterator[Untold]:
    """What can not be told, by kind.

    Args:
        tested: kinds of which a test could have been significant.
    """
    for pair in pairs:
        if pair.why_not:
            yield Untold(kind=pair.kind, why=pair.why_not, is_whole=True)
            continue
        mine = [one for one in contrasts if one.kind == pair.kind]
        why = _too_few(pair, mine, pair.kind in tested, limits)
        if why:
            yield Untold(kind=pair.kind, why=why, hints=tuple(_hints(mine, limits)))
        if hidden := _hidden(pair):
            yield Untold(kind=pair.kind, why=f"replies were not recorded in {hidden}: messages and bytes are unknown")


def _too_few(pair: KindPair, mine: Sequence[Contrast], is_tested: bool, limits: Thresholds) -> str:
    a, b = map(len, pair.samples)
    if min(a, b) < limits.operations:
        return f"too few operations to be sure: {a} in A, {b} in B; {limits.operations} on each side are wanted"
    if not is_tested and any(not (one.a.is_constant and one.b.is_constant) for one in mine):
        return f"too few operations for a test: {a} in A, {b} in B; only differences without exception can be told"
    return ""


def _hints(mine: Iterable[Contrast], limits: Thresholds) -> Iterator[Finding]:
    for one in mine:
        if one.is_structural and not has_enough(one, limits) and one.is_worth_telling(limits):
            yield one.finding()


def _hidden(pair: KindPair) -> str:
    """The sides whose replies were not to be seen."""
    sides = (("A", pair.samples[0]), ("B", pair.samples[1]))
    return " and ".join(name for name, samples in sides if all(one.messages is None for one in samples))
