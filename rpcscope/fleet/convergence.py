"""Servers whose live migration does not end by itself, judged with a network card that they have for themselves."""

from __future__ import annotations

from collections.abc import Iterator

from rpcscope.fleet.model import FleetFile, Hosts
from rpcscope.fleet.network import guest_of, policy_of
from rpcscope.physics import Guest, Precopy

_GB = 1e9


def not_converging(file: FleetFile) -> Iterator[tuple[str, str]]:
    """(flavor, why in a few words) of servers in the file, each flavor once, at its slowest host."""
    policy = policy_of(file.migration)
    for flavor, group in sorted(_slowest(file).items()):
        guest, rate = guest_of(file.flavors[flavor]), min(policy.bandwidth, _nic(group))
        if guest.disk and guest.disk_write >= min(rate, group.disk_mb_s * 1e6):
            yield flavor, f"writes {guest.disk_write / _GB:g} GB/s to a disk that is copied no faster"
        elif Precopy(guest, policy, now_s=0.0).hopeless(rate):
            yield flavor, _why(guest, rate)


def never_ends(file: FleetFile) -> Iterator[tuple[str, str]]:
    """Those that nova's timeout would have to end, where it is switched off."""
    if not file.migration.completion_timeout_s:
        throttled = file.migration.permit_auto_converge
        for flavor, why in not_converging(file):
            if not throttled or file.flavors[flavor].disk_write_mb_s:
                yield flavor, why


def _slowest(file: FleetFile) -> dict[str, Hosts]:
    """By flavor, the hosts that have it with the slowest card."""
    found: dict[str, Hosts] = {}
    for group in file.hosts:
        for flavor, count in group.servers.items():
            if count and (flavor not in found or _nic(group) < _nic(found[flavor])):
                found[flavor] = group
    return found


def _nic(group: Hosts) -> float:
    return group.nic_gbit_s * 1e9 / 8


def _why(guest: Guest, rate: float) -> str:
    return f"writes {guest.dirty / _GB:g} GB/s to its memory and is copied at {rate / _GB:g} GB/s at most"
