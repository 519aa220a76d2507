"""Servers whose live migration does not end by itself, judged with a network card that they have for themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rpcscope.fleet.model import FleetFile, Hosts
from rpcscope.fleet.network import guest_of, policy_of
from rpcscope.physics import Guest, Precopy

_GB = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Stubborn:
    """A flavor that does not converge."""

    flavor: str
    why: str  # a few words
    by_disk: bool  # it is its local disk that is written too fast: throttling and post-copy do not help


def not_converging(file: FleetFile) -> Iterator[Stubborn]:
    """Of the servers in the file, each flavor once, at its slowest host."""
    policy = policy_of(file.migration)
    for flavor, group in sorted(_slowest(file).items()):
        guest, rate = guest_of(file.flavors[flavor]), min(policy.bandwidth, _nic(group))
        if guest.disk and guest.disk_write >= min(rate, group.disk_mb_s * 1e6):
            why = f"writes {guest.disk_write / _GB:g} GB/s to a disk that is copied no faster"
            yield Stubborn(flavor=flavor, why=why, by_disk=True)
        elif Precopy(guest, policy, now_s=0.0).hopeless(rate):
            yield Stubborn(flavor=flavor, why=_why(guest, rate), by_disk=False)


def never_ends(file: FleetFile) -> Iterator[Stubborn]:
    """Those that nova's timeout would have to end, where it is switched off."""
    if not file.migration.completion_timeout_s:
        throttled = file.migration.permit_auto_converge
        yield from (one for one in not_converging(file) if one.by_disk or not throttled)


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
