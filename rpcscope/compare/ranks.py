"""Mann and Whitney's test: whether values of one sample tend to be larger than those of another, ties and all.

Exact where few values differ from the most frequent one, by counting in how many ways the operations could have been
dealt to the two sides; else by the normal distribution with a correction for ties. Where nearly all values are the
same, whether a value is another one is tested instead, exactly: the normal distribution would claim too much there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import comb, erfc, sqrt

from rpcscope.compare.fisher import fisher
from rpcscope.compare.verdict import Verdict

EXACT, APPROXIMATE = "Mann-Whitney test, exact", "Mann-Whitney test"
_EXACT_VALUES = 20
"""Values besides the most frequent one of which every deal is counted: some 10 ms."""
_MOSTLY = 0.5


def mann_whitney(a: Sequence[float], b: Sequence[float]) -> Verdict:
    """Two-sided. Neither sample is empty; a sample is one value for each operation."""
    counts = Counter((*a, *b))
    usual, times = max(counts.items(), key=lambda item: (item[1], -item[0]))
    others = len(a) + len(b) - times
    if len(counts) <= 2:
        return fisher(sum(v != usual for v in a), len(a), sum(v != usual for v in b), len(b))
    if others <= _EXACT_VALUES:
        return _exact(a, b, counts, usual)
    if times > _MOSTLY * (len(a) + len(b)):
        return fisher(sum(v != usual for v in a), len(a), sum(v != usual for v in b), len(b))
    return _approximate(a, b, counts)


def probability_larger(a: Sequence[float], b: Sequence[float]) -> float:
    """That a value of B is larger than one of A, equal ones counted half: 0.5 when neither side tends to be."""
    doubled = _doubled_ranks(Counter((*a, *b)))
    rank_sum = sum(doubled[value] for value in b) / 2
    return (rank_sum - len(b) * (len(b) + 1) / 2) / (len(a) * len(b))


def _doubled_ranks(counts: Counter[float]) -> dict[float, int]:
    """Twice the mean rank of each value, which is whole."""
    found, below = {}, 0
    for value in sorted(counts):
        found[value] = 2 * below + counts[value] + 1
        below += counts[value]
    return found


def _exact(a: Sequence[float], b: Sequence[float], counts: Counter[float], usual: float) -> Verdict:
    drawn, everything = len(a), len(a) + len(b)
    score = {value: rank - (everything + 1) for value, rank in _doubled_ranks(counts).items()}
    ways: dict[tuple[int, int], int] = {(0, 0): 1}  # by how many are dealt to A, and the sum of their scores
    for value, times in counts.items():
        if value != usual:
            ways = _dealt(ways, times, score[value], drawn)
    sums: defaultdict[int, int] = defaultdict(int)
    for (dealt, total), number in ways.items():
        if drawn - dealt <= counts[usual]:
            rest = drawn - dealt
            sums[abs(total + rest * score[usual])] += number * comb(counts[usual], rest)
    seen, all_ways = abs(sum(score[value] for value in a)), comb(everything, drawn)
    p = sum(number for size, number in sums.items() if size >= seen) / all_ways
    return Verdict(EXACT, min(1.0, p), sums[max(sums)] / all_ways)


def _dealt(ways: dict[tuple[int, int], int], times: int, score: int, drawn: int) -> dict[tuple[int, int], int]:
    """The ways after one more value, which occurs so many times, was dealt."""
    found: defaultdict[tuple[int, int], int] = defaultdict(int)
    for (dealt, total), number in ways.items():
        for more in range(min(times, drawn - dealt) + 1):
            found[dealt + more, total + more * score] += number * comb(times, more)
    return found


def _approximate(a: Sequence[float], b: Sequence[float], counts: Counter[float]) -> Verdict:
    ranks = _doubled_ranks(counts)
    highest = sorted((*a, *b), reverse=True)[: len(a)]
    lowest = sorted((*a, *b))[: len(a)]
    p, at_top, at_bottom = (_tail(values, len(b), counts, ranks) for values in (a, highest, lowest))
    return Verdict(APPROXIMATE, p, min(at_top, at_bottom))


def _tail(mine: Sequence[float], others: int, counts: Counter[float], ranks: dict[float, int]) -> float:
    drawn, everything = len(mine), len(mine) + others
    away = abs(sum(ranks[value] for value in mine) / 2 - drawn * (everything + 1) / 2) - 0.5
    ties = sum(times**3 - times for times in counts.values()) / (everything * (everything - 1))
    variance = drawn * others / 12 * (everything + 1 - ties)
    return min(1.0, erfc(max(0.0, away) / sqrt(variance) / sqrt(2)))
