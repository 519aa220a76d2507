"""What a test of two samples says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """One test of whether two samples are of the same population."""

    test: str  # its name
    p: float  # chance of a difference as large as this one, or larger, between equal populations
    least_p: float  # the smallest that samples of these sizes, with these values, could have given
