"""A recorder's own retention: what is older than its ring is removed while it records."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rpcscope.errors import StoreError

if TYPE_CHECKING:
    from rpcscope.store.store import Store

log = logging.getLogger(__name__)

_SECOND = 1_000_000_000
_LONGEST_PAUSE_S, _SHORTEST_PAUSE_S = 600.0, 1.0
UNFINISHED = 10
"""What is not over is kept for so many times as long."""


@contextmanager
def kept(store: Store, keep_ns: int) -> Iterator[None]:
    """While the block runs, what ended longer ago is removed now and then, in transactions of its own; 0 keeps all."""
    if not keep_ns:
        yield
        return
    end = threading.Event()
    thread = threading.Thread(target=_run, args=(store, keep_ns, end), name="rpcscope-keep", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def _run(store: Store, keep_ns: int, end: threading.Event) -> None:
    pause_s = min(max(keep_ns / _SECOND / 20, _SHORTEST_PAUSE_S), _LONGEST_PAUSE_S)
    while not end.wait(pause_s):
        now = time.time_ns()
        try:
            removed = store.writer().prune(now - keep_ns, unfinished_before_ns=now - UNFINISHED * keep_ns)
        except StoreError as error:
            log.info("What is old is not removed this time: %s", error)
        else:
            log.info("Removed what is old: %d rows.", sum(removed.values()))
