"""Which operations are exported: by kind, by error, by share, by rate."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from rpcscope.errors import UsageError
from rpcscope.model import Operation, Status

EVERY = "*"
LIVE_SHARES = {EVERY: 0.1}
"""What is taken while it is recorded: exporting everything would take half as much CPU as recording it."""
_WHOLE = 1 << 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """A choice. The same operation is always chosen, or never: by everyone, each time."""

    kinds: Collection[str] = ()  # these alone; none given: all
    background: bool = False  # timers and restarts, too
    errors_only: bool = False  # failed ones alone
    shares: Mapping[str, float] = field(default_factory=dict)  # by kind, 0 to 1; EVERY for those that are not named

    def takes(self, whole: Operation, status: Status) -> bool:
        """Whether it is exported. What failed or is stuck is, whatever the share of its kind."""
        if (whole.background and not self.background) or (self.kinds and whole.kind not in self.kinds):
            return False
        if status in (Status.FAILED, Status.STUCK):
            return True
        return not self.errors_only and _place(whole.request_id) < self._share(whole.kind)

    def _share(self, kind: str) -> float:
        return self.shares.get(kind, self.shares.get(EVERY, 1.0))


def shares(texts: Iterable[str]) -> dict[str, float]:
    """Shares by kind of `create=0.1`, `*=0.5`.

    Raises:
        UsageError: one is none.
    """
    found = {}
    for text in texts:
        kind, _, number = text.rpartition("=")
        try:
            share = float(number)
        except ValueError:
            share = -1.0
        if not kind or not 0 <= share <= 1:
            raise UsageError("a sample wants KIND=SHARE from 0 to 1, such as create=0.1, or '*=0.1' for all others")
        found[kind] = share
    return found


def _place(request_id: str) -> float:
    """Where it lies between 0 and 1."""
    return int.from_bytes(blake2b(request_id.encode(), digest_size=8, person=b"rpcscope.share").digest()) / _WHOLE
