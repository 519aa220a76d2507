"""Small worlds, fleets and templates for the tests of flows."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass

from rpcscope.fleet.host import HostState
from rpcscope.fleet.model import Flavor, FleetFile, Hosts, Migration, Timing
from rpcscope.fleet.state import Fleet
from rpcscope.flows.catalog import FLOWS, run
from rpcscope.flows.outside import Outside
from rpcscope.flows.parameters import read
from rpcscope.flows.report import Event, Report, Story
from rpcscope.flows.tally import Count
from rpcscope.flows.virtual import run_virtual
from rpcscope.flows.virtual_world import VirtualWorld
from rpcscope.templates.model import RpcKind, Sizes, Step, Template, Times, Variant

GIB_S = 8 * 1.073741824
"""Gbit/s of a link that carries one GiB a second."""


class PlainWorld:
    """Time alone, in a virtual loop."""

    def now_s(self) -> float:
        return asyncio.get_running_loop().time() if _running() else 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def step(method: str, kind: RpcKind = "call", *, delay: float = 0.0, work: float = 0.0, **more: object) -> Step:
    """A step that always takes the same time: a request of 1000 bytes and, of a call, a reply of 500."""
    return Step(
        method=method,
        kind=kind,
        topic=more.pop("topic", "conductor"),
        delay=Times(quantiles_s=(delay,)) if delay else Times(),
        work=Times(quantiles_s=(work,)) if work else Times(),
        request=Sizes(quantiles=(1000,)),
        reply=Sizes(quantiles=(500,)) if kind == "call" else Sizes(),
        **more,
    )


def template(kind: str, *roots: Step, instances: int = 1) -> Template:
    """Of one shape."""
    return Template(kind=kind, instances=instances, variants=(Variant(operations=1, share=1.0, roots=roots),))


def templates() -> list[Template]:
    """Operations of known times: a live migration is its copy alone, a boot 1 s, an evacuation 20 s, a delete 0.5 s."""
    copy = step("post_live_migration_at_destination", delay=5, wait="memory-copy", host="dest")
    rebuild = step("Instance.save", delay=20, wait="spawn")
    none = Variant(operations=1, share=1.0, roots=(step("select_destinations"),), error="NoValidHost")
    return [
        template("live-migration", step("live_migration", "cast", host="source", steps=(copy,))),
        template("create", step("build_and_run_instance", "cast", host="dest", work=1)),
        template("delete", step("terminate_instance", "cast", host="source", work=0.5)),
        template("evacuate", step("rebuild_instance", "cast", host="dest", steps=(rebuild,))),
        template("migrate", step("prep_resize", "cast", host="dest", work=30)),
        template("confirmResize", step("confirm_resize", "cast", host="source", work=1)),
        template("stop", step("stop_instance", "cast", host="source", work=2)),
        template("start", step("start_instance", "cast", host="source", work=3)),
        template("set_host_enabled", step("set_host_enabled", host="source"), instances=0),
        Template(kind="create-no-valid-host", variants=(none,)),
    ]


def small_fleet(
    *hosts: dict[str, int],
    memory_gib: float = 64,
    flavors: dict[str, Flavor] | None = None,
    migration: dict[str, object] | None = None,
    timing: dict[str, object] | None = None,
    seed: int = 1,
    **group: object,
) -> FleetFile:
    """One group for each host: its servers by flavor, named by their GiB of memory; links carry 1 GiB/s."""
    names = {name for servers in hosts for name in servers}
    known = {name: Flavor(memory_gib=float(name), dirty_mb_s=0.0) for name in names if name.isdigit()}
    one = {"memory_gib": memory_gib, "nic_gbit_s": GIB_S, **group}
    return FleetFile(
        hosts=tuple(Hosts(count=1, name="h{n}", servers=servers, **one) for servers in hosts),
        flavors=known | (flavors or {}),
        migration=Migration(setup_s=0.0, resume_s=0.0, **(migration or {})),
        timing=Timing(**(timing or {})),
        seed=seed,
    )


@dataclass(kw_only=True)
class Played:
    """What a flow did to a fleet."""

    story: Story
    fleet: Fleet
    count: Count
    world: VirtualWorld

    @property
    def took_s(self) -> float:
        return self.story.ended_s - self.story.started_s

    def times(self, what: str) -> list[float]:
        """When it happened."""
        return [event.at_s for event in self.story.events if event.what == what]

    def events(self, what: str) -> list[Event]:
        return [event for event in self.story.events if event.what == what]


def play(
    name: str,
    file: FleetFile,
    *,
    outside: Outside | None = None,
    using: Iterable[Template] | None = None,
    **parameters: object,
) -> Played:
    """Play a flow in virtual time; after every event nobody is lost, doubled, or without memory."""
    flow = FLOWS[name]
    asked = read(flow.parameters, parameters)

    async def main() -> Played:
        fleet = Fleet.of(file)
        world = VirtualWorld(templates() if using is None else using, fleet.hosts, file.seed)
        report = Report(flow.name, world.now_s, lambda event: check(fleet))
        await run(flow, world, fleet, asked, random.Random(file.seed), report, outside)
        check(fleet)
        assert not any(server.claimed for server in fleet.servers.values())
        assert world.tally.running == 0
        return Played(story=report.story(), fleet=fleet, count=world.tally.count(), world=world)

    return run_virtual(main())


def check(fleet: Fleet) -> None:
    """Every server is on one host, and every host has memory for its own and those it expects, roles apart."""
    placed = [uuid for host in fleet.hosts.values() for uuid in host.servers]
    assert len(placed) == len(set(placed))
    assert set(placed) == {server.uuid for server in fleet.servers.values() if server.host}
    for host in fleet.hosts.values():
        inside = [*host.servers.values(), *host.expected.values()]
        assert all(fleet.servers[uuid].host == host.name for uuid in host.servers)
        assert host.free_mib == host.memory_mib - sum(server.memory_mib for server in inside) >= 0
        roles = [server.flavor.role for server in host.servers.values() if server.flavor.role]
        assert len(roles) == len(set(roles))


def states(fleet: Fleet) -> dict[str, HostState]:
    """By host."""
    return {host.name: host.state for host in fleet.hosts.values()}
