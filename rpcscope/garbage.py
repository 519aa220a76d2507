"""Seldom looking for garbage in cycles while much is in memory that stays there."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = (50_000, 20, 20)
"""As `gc.set_threshold` takes them."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Within it Python's cyclic collector runs seldom; afterwards as it did before.

    A recorder's open calls and operations live long and hardly any of what dies is in a cycle. Going through them
    at Python's usual pace costs about a sixth of the time of an event (docs/performance.md).
    """
    before = gc.get_threshold()
    if before[0]:  # 0 is somebody's wish to have none
        gc.set_threshold(*map(max, before, SELDOM))
    try:
        yield
    finally:
        gc.set_threshold(*before)
