"""Watches the CPU steal of hosts: smoothed, with a threshold to become hot and a lower one to cool down."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp

from rpcscope.fleet.host import Host


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """When a host is hot."""

    steal_high: float  # its smoothed steal is above this
    load_high: float  # and its load above this
    for_s: float  # both for so long
    steal_low: float  # it is hot until its steal is below this
    smoothing_s: float  # time constant of the exponential average


@dataclass(slots=True)
class _Seen:
    steal: float
    at_s: float
    above_s: float | None = None  # since when it is above both thresholds
    hot: bool = False


@dataclass(slots=True)
class StealWatch:
    """Hosts as they were seen so far."""

    thresholds: Thresholds
    _seen: dict[str, _Seen] = field(default_factory=dict)

    def look(self, host: Host, steal: float, load: float, now_s: float) -> bool:
        """A new measurement; whether the host is hot."""
        limits = self.thresholds
        seen = self._seen.get(host.name)
        if seen is None:
            seen = self._seen[host.name] = _Seen(steal, now_s)
        weight = 1 - exp(-(now_s - seen.at_s) / limits.smoothing_s) if limits.smoothing_s else 1.0
        seen.steal, seen.at_s = seen.steal + weight * (steal - seen.steal), now_s
        if seen.steal > limits.steal_high and load > limits.load_high:
            seen.above_s = now_s if seen.above_s is None else seen.above_s
        else:
            seen.above_s = None
        sustained = seen.above_s is not None and now_s - seen.above_s >= limits.for_s
        seen.hot = sustained or (seen.hot and seen.steal >= limits.steal_low)
        return seen.hot

    def steal(self, host: Host) -> float:
        """Smoothed; 0 of a host that was never looked at."""
        return self._seen[host.name].steal if host.name in self._seen else 0.0
