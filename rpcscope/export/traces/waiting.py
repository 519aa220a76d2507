"""Operations that were heard of and not exported yet: names and times alone, and no more of them than fit."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rpcscope.export.traces.over import SETTLED_NS
from rpcscope.model import Operation, Status

MOST = 50_000
"""Operations, some 300 bytes each."""


class _Heard(NamedTuple):
    last_ns: int
    ended: bool  # as one recorder judges


class Waiting:
    """What recorders' threads add to and one exporter takes from.

    Args:
        background: timers and restarts, too.
    """

    def __init__(self, *, background: bool, quiet_ns: int, most: int = MOST) -> None:
        self._background, self._quiet_ns, self._most = background, quiet_ns, most
        self._heard: OrderedDict[str, _Heard] = OrderedDict()
        self._lock = threading.Lock()
        self.dropped = 0  # operations that were forgotten because others came

    def __len__(self) -> int:
        return len(self._heard)

    def add(self, parts: Iterable[Operation]) -> None:
        """Operations that changed. It takes microseconds for each, whatever the exporter does."""
        with self._lock:
            for part in parts:
                if part.request_id and (self._background or not part.background):
                    ended = part.status in (Status.DONE, Status.FAILED)
                    self._heard[part.request_id] = _Heard(part.last_ns, ended)
                    self._heard.move_to_end(part.request_id)
            while len(self._heard) > self._most:
                self._heard.popitem(last=False)
                self.dropped += 1

    def due(self, now_ns: int, limit: int, *, settled_ns: int = SETTLED_NS) -> list[str]:
        """Those that may be over, the longest silent first. They stay until they are done."""
        with self._lock:
            found = (
                name for name, heard in self._heard.items()
                if now_ns - heard.last_ns >= (settled_ns if heard.ended else self._quiet_ns)
            )  # fmt: skip
            return [name for name, _ in zip(found, range(limit), strict=False)]

    def done(self, names: Sequence[str], as_of_ns: int) -> None:
        """Forget them, but what was heard of later."""
        with self._lock:
            for name in names:
                heard = self._heard.get(name)
                if heard is not None and heard.last_ns <= as_of_ns:
                    del self._heard[name]

    def not_yet(self, names: Iterable[str], now_ns: int) -> None:
        """They were not over after all: to be looked at when they were quiet for longer."""
        with self._lock:
            for name in names:
                if name in self._heard:
                    self._heard[name] = _Heard(now_ns, ended=False)
