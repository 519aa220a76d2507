"""The links of a fleet, as `physics.Fabric` wants them, and what a migration is for `physics.Precopy`."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from rpcscope.fleet.host import Host
from rpcscope.fleet.model import Flavor, Migration, Network
from rpcscope.physics import GIB, MIB, Guest, Policy

SPINE = "spine"
_MEGA = 1e6


def capacities(hosts: Iterable[Host], network: Network) -> dict[str, float]:
    """Bytes a second of each link: both directions of every network card, and what racks share."""
    links = {link: host.nic for host in hosts for link in (_out(host), _in(host))}
    return {**links, SPINE: network.spine_gbit_s * 1e9 / 8 if network.spine_gbit_s else inf}


def route(source: Host, dest: Host) -> tuple[str, ...]:
    """Links from host to host; hosts without a rack are in one rack."""
    return (_out(source), _in(dest)) if source.rack == dest.rack else (_out(source), SPINE, _in(dest))


def disk_speed(source: Host, dest: Host) -> float:
    """Bytes a second at which a disk can be copied, as far as disks go."""
    return min(source.group.disk_mb_s, dest.group.disk_mb_s) * _MEGA


def guest_of(flavor: Flavor) -> Guest:
    """A server as migration sees it."""
    return Guest(
        memory=flavor.memory_gib * GIB,
        dirty=flavor.dirty_mb_s * _MEGA,
        working_set=inf if flavor.working_set_gib is None else flavor.working_set_gib * GIB,
        disk=flavor.disk_gb * 1e9,
        disk_write=flavor.disk_write_mb_s * _MEGA,
    )


def policy_of(migration: Migration) -> Policy:
    """Nova's settings as the file has them."""
    return Policy(
        bandwidth=migration.bandwidth_mib_s * MIB if migration.bandwidth_mib_s else inf,
        downtime_ms=migration.downtime_ms,
        downtime_steps=migration.downtime_steps,
        downtime_delay_s=migration.downtime_delay_s,
        completion_timeout_s=migration.completion_timeout_s,
        force=migration.timeout_action == "force_complete",
        post_copy=migration.permit_post_copy,
        auto_converge=migration.permit_auto_converge,
        monitor_interval_s=migration.monitor_interval_s,
        setup_s=migration.setup_s,
        resume_s=migration.resume_s,
    )


def _out(host: Host) -> str:
    return f"out:{host.name}"


def _in(host: Host) -> str:
    return f"in:{host.name}"
