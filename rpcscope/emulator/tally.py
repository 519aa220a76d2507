"""What happened inside the emulation. What went over the wire is measured by a tap."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

_PAIRS = 1000
_MOST = 100_000


@dataclass(slots=True)
class Service:
    """How long handling a method was to take, and took, without the RPCs it waited for. Times in s."""

    count: int = 0
    asked_s: float = 0.0
    took_s: float = 0.0
    pairs_s: list[tuple[float, float]] = field(default_factory=list)  # asked, took: of the first thousand

    def add(self, asked_s: float, took_s: float) -> None:
        """One was handled."""
        self.count += 1
        self.asked_s += asked_s
        self.took_s += took_s
        if self.count <= _PAIRS:
            self.pairs_s.append((asked_s, took_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A look at all processes of one role."""

    at_s: float  # of the world
    role: str
    in_flight: int  # messages that have a thread
    inner: int  # that wait for one, in the memory of the processes
    inner_max: int  # of the process where most wait
    unsent: int  # publishes that wait for a connection


@dataclass(slots=True)
class Tally:
    """Counts of one run; methods as rpcscope names them."""

    asked: int = 0  # operations
    done: int = 0
    failed: int = 0
    timed_out: int = 0
    sent: Counter[str] = field(default_factory=Counter)  # method -> RPCs published
    answered: Counter[str] = field(default_factory=Counter)  # method -> replies taken in time
    expired: Counter[str] = field(default_factory=Counter)  # method -> calls whose time was over
    errors: Counter[str] = field(default_factory=Counter)  # class of what made an operation fail -> operations
    background: int = 0  # runs of periodic tasks
    late_replies: int = 0  # dropped: nobody waited any more
    lost_replies: int = 0  # given up after a minute: the caller's queue is gone
    heartbeats: int = 0  # sent to callers that watch their calls
    strangers: int = 0  # messages of clients that are not ours
    lost: int = 0  # messages that a host took with it, or that no host took
    service: dict[str, Service] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    lateness_s: list[float] = field(default_factory=list)  # of wake-ups of flows, wall clock

    def late(self, seconds: float) -> None:
        """A flow was woken so much later than it asked for."""
        if len(self.lateness_s) >= _MOST:
            del self.lateness_s[::2]
        self.lateness_s.append(seconds)

    def handled(self, method: str, asked_s: float, took_s: float) -> None:
        """A message was handled."""
        found = self.service.get(method)
        if found is None:
            found = self.service[method] = Service()
        found.add(asked_s, took_s)

    def as_dict(self) -> dict[str, Any]:
        """For a run's record: counts, and the peaks of what was sampled."""
        late = sorted(self.lateness_s)
        return {
            "operations": {
                "asked": self.asked,
                "done": self.done,
                "failed": self.failed,
                "timed_out": self.timed_out,
            },
            "sent": dict(self.sent),
            "answered": dict(self.answered),
            "expired": dict(self.expired),
            "errors": dict(self.errors),
            "background_runs": self.background,
            "late_replies": self.late_replies,
            "lost_replies": self.lost_replies,
            "heartbeats": self.heartbeats,
            "strangers": self.strangers,
            "lost": self.lost,
            "lateness_ms": {
                word: round(late[min(len(late) - 1, int(share * len(late)))] * 1000, 3) if late else None
                for word, share in (("p50", 0.5), ("p95", 0.95), ("max", 1.0))
            },
            "peaks": self._peaks(),
        }

    def _peaks(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for one in self.samples:
            role = found.setdefault(one.role, {"in_flight": 0, "inner": 0, "inner_max": 0, "unsent": 0})
            for word in role:
                role[word] = max(role[word], getattr(one, word))
        return found
