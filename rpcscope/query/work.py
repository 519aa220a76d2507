"""Work in flight as it is told: rows with their steps over a time."""

from __future__ import annotations

from dataclasses import dataclass

from rpcscope.query.steps import Number, Steps, peak, value_at
from rpcscope.query.times import iso

POOL_SIZE = 64
"""Requests that an RPC server of oslo.messaging works on at once: the default of its executor_thread_pool_size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one process has in hand over time, or what lies in one queue that nobody took."""

    vhost: str
    process: str  # program:pid; "" while nobody took it
    host: str
    queue: str  # topic or topic.server; "" once a process has it
    total: Steps
    methods: dict[str, Steps]
    oldest_ns: int  # as of the end: when the oldest was delivered, or published; 0 when nothing is in flight
    queues: tuple[str, ...]  # from which the process gets its requests
    depth: Steps  # messages in them together, as the broker says; empty: not known

    def summary(self, to_ns: int, pool_size: int = POOL_SIZE) -> dict[str, object]:
        """The row without what it was in between; None is unknown."""
        now, most = value_at(self.total, to_ns), peak(self.total)
        return {
            "vhost": self.vhost,
            "process": self.process or None,
            "host": self.host or None,
            "queue": self.queue or None,
            "now": now,
            "peak": most,
            "waiting": None if self.queue else waiting(now, pool_size),
            "waiting_peak": None if self.queue else waiting(most, pool_size),
            "oldest_since": iso(self.oldest_ns),
            "depth_now": value_at(self.depth, to_ns),
            "depth_peak": peak(self.depth),
            "queues": list(self.queues),
        }

    def as_dict(self, to_ns: int, pool_size: int = POOL_SIZE) -> dict[str, object]:
        """The summary, and the steps of all, of each method, and of the depth."""
        return {
            **self.summary(to_ns, pool_size),
            "steps": _pairs(self.total),
            "depth_steps": _pairs(self.depth),
            "methods": [
                {"method": method, "now": value_at(steps, to_ns), "peak": peak(steps), "steps": _pairs(steps)}
                for method, steps in self.methods.items()
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlightOver:
    """One time, the most loaded first."""

    from_ns: int
    to_ns: int
    rows: tuple[Work, ...]
    is_known: bool  # some recording tells of this time

    def as_dict(self, pool_size: int = POOL_SIZE) -> dict[str, object]:
        """The fields of the JSON contract. Steps are pairs of a time and what holds from then on; null is unknown."""
        return {
            "from": iso(self.from_ns),
            "to": iso(self.to_ns),
            "known": self.is_known,
            "pool_size": pool_size,
            "in_flight": [row.as_dict(self.to_ns, pool_size) for row in self.rows],
        }


def waiting(count: Number, pool_size: int = POOL_SIZE) -> Number:
    """At least so many of the requests that a process has in hand wait in its memory for a thread of its pool."""
    return None if count is None else max(0, count - pool_size)


def _pairs(steps: Steps) -> list[list[object]]:
    return [[iso(when), value] for when, value in steps]
