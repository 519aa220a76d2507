"""Many tests at once: the chance that any of them is a false alarm is held below one number.

Holm's procedure over the tests that could have shown anything. Which these are is decided by Tarone's rule, from the
sizes of the samples and the values in them alone, never from which side a value is on: a test of which even the
extreme outcome would not be significant costs the others nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from rpcscope.compare.verdict import Verdict


def telling(tests: Sequence[Verdict], alpha: float) -> list[int]:
    """The places of the tests that could have been significant."""
    number = 1
    while sum(test.least_p <= alpha / number for test in tests) > number:
        number += 1
    return [place for place, test in enumerate(tests) if test.least_p <= alpha / number]


def corrected(tests: Sequence[Verdict], alpha: float) -> dict[int, float]:
    """The p of each testable one after the correction, by its place; below `alpha` it is significant.

    Between equal populations at most a share of `alpha` of all comparisons has any significant test (Holm 1979,
    Tarone 1990).
    """
    places = telling(tests, alpha)
    found: dict[int, float] = {}
    largest = 0.0
    for done, place in enumerate(sorted(places, key=lambda place: tests[place].p)):
        largest = max(largest, min(1.0, tests[place].p * (len(places) - done)))
        found[place] = largest
    return found
