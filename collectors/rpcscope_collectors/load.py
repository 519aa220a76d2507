"""How hard a broker works, and how hard it may while it is tapped."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLoad:
    """One node at one time. None is unknown."""

    node: str
    cpu_share: float | None = None  # at least this share of all its cores: what it spends in the kernel is not told
    is_overworked: bool | None = None  # for some time, more of its processes than it has cores waited for one
    alarms: tuple[str, ...] = ()  # memory, disk, file descriptors


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A broker at one time, as far as it could be asked."""

    at_ns: int
    nodes: tuple[NodeLoad, ...] = ()  # those that answered
    blocked: bool | None = None  # it holds publishers back; None: not tried

    @property
    def busiest(self) -> NodeLoad | None:
        """The node that uses most of its CPU; None when that is known of none."""
        known = [node for node in self.nodes if node.cpu_share is not None]
        return max(known, key=lambda node: node.cpu_share or 0.0, default=None)

    @property
    def cpu_share(self) -> float | None:
        """Of the busiest node."""
        return None if self.busiest is None else self.busiest.cpu_share

    @property
    def alarms(self) -> tuple[str, ...]:
        """Every alarm with its node: "memory on rabbit@a"."""
        return tuple(f"{alarm} on {node.node}" for node in self.nodes for alarm in node.alarms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """What a tap may not let its broker exceed. What is unknown does not exceed it."""

    cpu_share: float = 0.8  # of any node; 0: only alarms and blocked publishers count

    def broken_by(self, load: Load) -> str:
        """Which part of it is broken, in one sentence without a full stop; "" when none is."""
        if load.alarms:
            return f"the broker raises an alarm: {', '.join(load.alarms)}"
        if load.blocked:
            return "the broker blocks publishers"
        return self._broken_by_work(load) if self.cpu_share else ""

    def _broken_by_work(self, load: Load) -> str:
        busiest, ceiling = load.busiest, f"the ceiling is {self.cpu_share:.0%}"
        if busiest is not None and (busiest.cpu_share or 0.0) > self.cpu_share:
            return f"node {busiest.node} uses at least {busiest.cpu_share:.0%} of its CPU, {ceiling}"
        for node in load.nodes:
            if node.is_overworked:
                return f"node {node.node} has more work than CPU, {ceiling}"
        return ""
