"""What a fleet amounts to, on a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rpcscope.cli.fit import put_table
from rpcscope.cli.output import cell, console, number, table
from rpcscope.fleet.estimate import estimate
from rpcscope.fleet.notes import notes
from rpcscope.fleet.shapes import COMPUTES

if TYPE_CHECKING:
    from rpcscope.fleet.model import Control, FleetFile


def print_fleet(fleet: FleetFile) -> None:
    """Groups of hosts, what the broker gets, what may surprise."""
    screen, found = console(), estimate(fleet)
    screen.print(cell(f"Fleet {fleet.name} can be: {found.hosts:,} hosts with {found.servers:,} servers.", "bold"))
    print_hosts(fleet)
    screen.print(
        cell(f"\nOn a broker, when idle (profile {fleet.control.profile}; this file's shape is {found.shape}):")
    )
    print_estimates(fleet)
    screen.print(cell(_beside(fleet.control)))
    for note in notes(fleet):
        screen.print(cell(f"! {note}"))


def _beside(control: Control) -> str:
    said = f"With {control.api} API, {control.conductor} conductor and {control.scheduler} scheduler processes."
    if control.shape != "reduced":
        said += f" Under load a process opens up to {control.send_pool} connections to publish."
    if not control.background:
        return f"{said} There are no periodic tasks."
    return f"{said} Messages are nova-compute's periodic tasks on libvirt; a fake driver sends fewer (docs/fleet.md)."


def print_hosts(fleet: FleetFile) -> None:
    """A line for each group of hosts."""
    lines = table("hosts", "zone", "rack", ">count", ">servers each", ">memory each", ">used", ">network")
    for group in fleet.hosts:
        used = sum(count * fleet.flavors[flavor].memory_gib for flavor, count in group.servers.items())
        lines.add_row(
            group.name, group.zone, group.rack or "none", number(group.count), number(sum(group.servers.values())),
            f"{group.memory_gib:,g} GiB", f"{used / group.memory_gib:.0%}", f"{group.nic_gbit_s:g} Gbit/s",
        )  # fmt: skip
    put_table(lines, spare=("network", "rack"), fold="hosts")


def print_estimates(fleet: FleetFile) -> None:
    """A line for each shape of the processes, the file's marked."""
    lines = table("shape", ">connections", ">channels", ">queues", ">consumers", ">messages/s", ">fanouts/s")
    for shape in COMPUTES:
        one = estimate(fleet, shape=shape)
        lines.add_row(
            f"{shape}{' *' if shape == fleet.control.shape else ''}", number(one.connections), number(one.channels),
            number(one.queues), number(one.consumers), number(one.idle_messages_s, 1), number(one.idle_fanouts_s, 1),
        )  # fmt: skip
    put_table(lines, spare=("channels", "fanouts/s"))
