"""Why a tap should look closer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that is not as usual. `key` is the same as long as it is the same thing."""

    key: str
    text: str  # for people, with numbers and units
