"""Fisher's exact test: whether a thing is as frequent among some operations as among others."""

from __future__ import annotations

from math import exp, lgamma

from rpcscope.compare.verdict import Verdict

NAME = "Fisher's exact test"
_ALIKE = 1e-7
"""Chances that differ by no more are the same one, rounded."""


def fisher(with_a: int, all_a: int, with_b: int, all_b: int) -> Verdict:
    """Two-sided: the chance of every table with the same sums that is no likelier than this one.

    Args:
        with_a: operations of A that have it, of `all_a`.
        with_b: operations of B that have it, of `all_b`.
    """
    having = with_a + with_b
    fewest, most = max(0, having - all_b), min(having, all_a)
    chances = [_chance(count, all_a, having, all_a + all_b) for count in range(fewest, most + 1)]
    at_ends = min(_two_sided(chances, chances[0]), _two_sided(chances, chances[-1]))
    return Verdict(NAME, _two_sided(chances, chances[with_a - fewest]), at_ends)


def _two_sided(chances: list[float], seen: float) -> float:
    return min(1.0, sum(chance for chance in chances if chance <= seen * (1 + _ALIKE)))


def _chance(count: int, drawn: int, having: int, everything: int) -> float:
    """That of `drawn` operations so many have it."""
    ways = _choices(having, count) + _choices(everything - having, drawn - count)
    return exp(ways - _choices(everything, drawn))


def _choices(of: int, chosen: int) -> float:
    """The logarithm of the binomial coefficient."""
    return lgamma(of + 1) - lgamma(chosen + 1) - lgamma(of - chosen + 1)
