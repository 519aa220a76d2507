"""What a host that nobody uses says to the control plane: nova-compute's periodic tasks.

Source: nova/conf/{service,compute,imagecache}.py for the intervals; calls to the conductor counted in nova 34 (libvirt
and fake drivers). Each call is two messages, its request and its reply.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A periodic task."""

    name: str
    interval_s: float
    calls: int = 1  # each time
    calls_per_server: int = 0
    fanouts: int = 0  # to the schedulers


LIBVIRT_CALLS, FAKE_CALLS = 7, 5
"""Of update_available_resource, by driver."""
TASKS = (
    Task(name="report_state", interval_s=10),
    Task(name="update_available_resource", interval_s=60, calls=LIBVIRT_CALLS),
    Task(name="_sync_power_states", interval_s=600, calls_per_server=1),
    Task(name="_sync_scheduler_instance_info", interval_s=120, fanouts=1),
    Task(name="_run_pending_deletes", interval_s=300),
    Task(name="_cleanup_incomplete_migrations", interval_s=300),
    Task(name="_cleanup_expired_console_auth_tokens", interval_s=300),
    Task(name="_cleanup_running_deleted_instances", interval_s=1800),
    Task(name="_run_image_cache_manager_pass", interval_s=2400),
)


def calls_s(servers: float) -> float:
    """Calls a second of a host with so many servers."""
    return sum((task.calls + task.calls_per_server * servers) / task.interval_s for task in TASKS)


def fanouts_s() -> float:
    """Fanouts a second of a host."""
    return sum(task.fanouts / task.interval_s for task in TASKS)
