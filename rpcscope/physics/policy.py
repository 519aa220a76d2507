"""What nova decides about a live migration of libvirt's: downtime allowed, time allowed, what then.

Source: nova virt/libvirt/migration.py :: downtime_steps, update_downtime, should_trigger_timeout_action, and
virt/libvirt/driver.py :: _live_migration_data_gb, _live_migration_monitor.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from rpcscope.physics.guest import GIB

_LEAST_GIB = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Options [libvirt] live_migration_*, with nova's defaults."""

    bandwidth: float = inf  # bytes a second of one migration
    downtime_ms: float = 500.0
    downtime_steps: int = 10
    downtime_delay_s: float = 75.0  # per GiB
    completion_timeout_s: float = 800.0  # per GiB; 0: none
    force: bool = False  # at that time; else abort
    post_copy: bool = False  # permitted: forcing means post-copy, else a pause
    auto_converge: bool = False
    monitor_interval_s: float = 5.0
    setup_s: float = 0.3
    resume_s: float = 0.02

    def deadline_s(self, data_gib: float) -> float:
        """When nova's patience ends, from the start of the copy; infinite without a timeout."""
        return float(int(self.completion_timeout_s * data_gib)) if self.completion_timeout_s else inf

    def downtime_s(self, data_gib: float, elapsed_s: float) -> float:
        """Allowed `elapsed_s` after the start: it grows in equal steps from a share to the whole."""
        base = self.downtime_ms / self.downtime_steps
        step = min(self.downtime_steps, int(max(0.0, elapsed_s) // self._step_s(data_gib)))
        return int(base + (self.downtime_ms - base) / self.downtime_steps * step) / 1000

    def downtimes(self, data_gib: float) -> list[tuple[float, float]]:
        """(s from the start, downtime allowed from then on in s) of every step."""
        starts = [self._step_s(data_gib) * step for step in range(self.downtime_steps + 1)]
        return [(start, self.downtime_s(data_gib, start)) for start in starts]

    def saves(self, elapsed_s: float) -> int:
        """How often the monitor wrote its statistics while a copy of that time ran: at once, then each interval."""
        return 1 + int(elapsed_s // self.monitor_interval_s) if elapsed_s > 0 else 0

    def _step_s(self, data_gib: float) -> float:
        return float(max(1, int(self.downtime_delay_s * data_gib)))


def data_gib(memory: float, disks: Iterable[float] = ()) -> float:
    """By what nova multiplies its times: GiB of memory and of copied disks, each at least 2.

    Args:
        memory: bytes.
        disks: bytes of each disk that is copied.
    """
    return max(_LEAST_GIB, memory / GIB) + sum(max(_LEAST_GIB, disk / GIB) for disk in disks)
