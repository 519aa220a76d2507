"""Which recording a stored record is of, by its id alone."""

from __future__ import annotations

_RECORDING_BITS = 40


def recording_of(number: int) -> int:
    """Recording.id of a call, operation or process. Source: `model.Recording`."""
    return number >> _RECORDING_BITS
