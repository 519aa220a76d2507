"""What is allowed in a fleet file and may yet surprise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rpcscope.fleet.convergence import not_converging
from rpcscope.fleet.day import DAY_S, demand
from rpcscope.fleet.model import FleetFile, Hosts
from rpcscope.physics import steal


def notes(file: FleetFile) -> list[str]:
    """Sentences, none when there is nothing to say."""
    return [*_lonely(file), *_full(file), *_stubborn(file), *_busy(file), *_unlike_nova(file)]


def _lonely(file: FleetFile) -> Iterator[str]:
    zones = Counter[str]()
    for group in file.hosts:
        zones[group.zone] += group.count
    for zone, count in zones.items():
        if count == 1:
            yield f"Zone {zone} has one host: no server of it can move within the zone."


def _full(file: FleetFile) -> Iterator[str]:
    free = {n: group.memory_gib - _used(file, group) for n, group in enumerate(file.hosts)}
    for n, group in enumerate(file.hosts):
        others = sum(
            free[m] * (other.count - (m == n)) for m, other in enumerate(file.hosts) if other.zone == group.zone
        )
        used = _used(file, group)
        if used > others and sum(one.count for one in file.hosts if one.zone == group.zone) > 1:
            yield (
                f"hosts[{n}]: its servers have {used:g} GiB, and the other hosts of zone {group.zone} have "
                f"{others:g} GiB free: a drain finds no room."
            )


def _stubborn(file: FleetFile) -> Iterator[str]:
    migration = file.migration
    for one in not_converging(file):
        what = "aborted"
        if migration.timeout_action == "force_complete":
            what = "switched to post-copy" if migration.permit_post_copy and not one.by_disk else "paused"
        helped = " unless auto-converge slows it enough" if migration.permit_auto_converge and not one.by_disk else ""
        yield (
            f"A {one.flavor} {one.why}: its live migration does not converge and is {what} after "
            f"{migration.completion_timeout_s:,} s per GiB{helped}."
        )


def _busy(file: FleetFile) -> Iterator[str]:
    for n, group in enumerate(file.hosts):
        wanted = max(_demand(file, group, step * DAY_S / 96) for step in range(96))
        if stolen := steal(cores=group.cores, runnable=wanted):
            yield (
                f"hosts[{n}]: at the busiest time of the day the servers of a host want {wanted:g} of its "
                f"{group.cores} cores: {stolen:.0%} is stolen."
            )


def _unlike_nova(file: FleetFile) -> Iterator[str]:
    if file.control.shape == "reduced":
        yield "The shape is reduced, one connection for each process: nova has four or five for a compute."


def _used(file: FleetFile, group: Hosts) -> float:
    return sum(count * file.flavors[flavor].memory_gib for flavor, count in group.servers.items())


def _demand(file: FleetFile, group: Hosts, at_s: float) -> float:
    return sum(count * demand(file.flavors[flavor], at_s) for flavor, count in group.servers.items())
