"""Drains: times by hand, the bounds of list scheduling and links, limits, and what can not be moved."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpcscope.errors import UsageError
from rpcscope.fleet.host import HostState
from rpcscope.fleet.model import Flavor, FleetFile
from rpcscope.fleet.state import Fleet
from rpcscope.flows.emptying import Manner, empty, migration_slots
from rpcscope.flows.migrate import Moved, Wish, migrate
from rpcscope.flows.report import Report
from rpcscope.flows.stage import Stage
from rpcscope.flows.virtual import run_virtual
from rpcscope.flows.virtual_world import VirtualWorld
from rpcscope.physics import GIB, at_least_s, at_most_s, in_order_s
from tests.unit.flows.support import Played, play, small_fleet, states, templates

HOT = {"hot": Flavor(memory_gib=4.0, dirty_mb_s=5000.0)}


def test_one_after_the_other_each_takes_its_memory_over_the_link() -> None:
    played = play("drain", small_fleet({"10": 2, "20": 1}, {}, {}))
    assert played.took_s == pytest.approx(40)
    assert played.times("live-migration done") == pytest.approx([20, 30, 40])
    assert states(played.fleet) == {"h1": HostState.DISABLED, "h2": HostState.UP, "h3": HostState.UP}
    assert not played.fleet.hosts["h1"].servers


def test_more_at_a_time_does_not_help_when_one_card_carries_it_all() -> None:
    played = play("drain", small_fleet({"10": 2, "20": 1}, {}, {}, migration={"max_concurrent": 3}))
    assert played.took_s == pytest.approx(40)
    assert played.story.peaks["transfers"] == 3
    assert played.story.peaks["part of a link"] == pytest.approx(1)


def test_more_at_a_time_helps_when_each_has_a_limit() -> None:
    limited = {"max_concurrent": 2, "bandwidth_mib_s": 256.0}
    played = play("drain", small_fleet({"10": 2, "20": 1}, {}, {}, migration=limited))
    assert played.times("live-migration done") == pytest.approx([40, 80, 80])


def test_two_hosts_at_once_go_to_hosts_that_are_not_drained() -> None:
    played = play("drain", small_fleet({"10": 2}, {"10": 2}, {}, {}), hosts=["h1", "h2"])
    assert played.took_s == pytest.approx(20)
    assert [len(host.servers) for host in played.fleet.hosts.values()] == [0, 0, 2, 2]


def test_parallel_limits_the_migrations_of_all_hosts_together() -> None:
    played = play("drain", small_fleet({"10": 2}, {"10": 2}, {}, {}), hosts=["h1", "h2"], parallel=1)
    assert played.took_s == pytest.approx(40)
    assert played.story.peaks["operations"] <= 2  # a migration, and a call that disables the other host


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=12),
    slots=st.integers(1, 4),
    limit=st.sampled_from([0, 100, 250, 1000]),
)
@settings(max_examples=60, deadline=None)
def test_a_drain_obeys_the_bounds(sizes: list[int], slots: int, limit: int) -> None:
    servers: dict[str, int] = {}
    for size in sizes:
        servers[str(size)] = servers.get(str(size), 0) + 1
    file = small_fleet(
        servers, {}, {}, memory_gib=512, migration={"max_concurrent": slots, "bandwidth_mib_s": float(limit)}
    )
    took_s, alone = play("drain", file).took_s, [size * 1024 / (limit or 1024) for size in sizes]
    assert took_s >= at_least_s(alone, slots=slots, data=sum(sizes) * GIB, capacity=GIB) - 1e-3
    if limit and slots * limit <= 1024:
        assert took_s == pytest.approx(in_order_s(sorted(alone, reverse=True), slots=slots), abs=1e-3)
        assert took_s <= at_most_s(alone, slots=slots) + 1e-3


def one_hot(fallback: str) -> Played:
    return play("drain", small_fleet({"10": 1, "hot": 1}, {}, {}, flavors=HOT), fallback=fallback)


def test_what_can_not_converge_is_given_up_by_nova_and_left() -> None:
    played = one_hot("leave")
    assert played.took_s == pytest.approx(10 + 4 * 800)
    assert [one.flavor_name for one in played.fleet.hosts["h1"].servers.values()] == ["hot"]
    assert [event.facts["flavor"] for event in played.events("can not converge")] == ["hot"]
    assert played.events("host kept servers")[0].facts == {"left": 1}
    assert played.count.kinds["live-migration"].failed == 1


def test_what_can_not_converge_is_moved_cold_when_that_was_asked_for() -> None:
    played = one_hot("cold")
    assert played.took_s == pytest.approx(10 + 4 * 800 + 31)
    assert not played.fleet.hosts["h1"].servers
    assert len(played.fleet.servers) == 2


def test_what_can_not_converge_is_stopped_when_that_was_asked_for() -> None:
    played = one_hot("stop")
    assert played.took_s == pytest.approx(10 + 4 * 800 + 2)
    assert [one.flavor_name for one in played.fleet.hosts["h1"].servers.values()] == ["hot"]
    assert played.story.tally["host drained"] == 1


def test_somebodys_patience_may_end_before_novas() -> None:
    played = play("drain", small_fleet({"hot": 1}, {}, flavors=HOT), abort_after_s=60, tries=2)
    assert played.took_s == pytest.approx(120)
    assert played.story.tally["memory copy aborted"] == 2


def test_a_server_that_was_on_its_way_to_the_host_is_moved_on() -> None:
    async def main() -> tuple[float, Fleet]:
        fleet = Fleet.of(small_fleet({}, {"10": 1}, {}))
        world = VirtualWorld(templates(), fleet.hosts, 1)
        stage = Stage(world=world, fleet=fleet, rng=random.Random(1), report=Report("t", world.now_s))
        (server,) = fleet.servers.values()
        coming = asyncio.create_task(migrate(stage, server, Wish(dest="h1")))
        await asyncio.sleep(1)
        assert await empty(stage, fleet.hosts["h1"], Manner(slots=migration_slots(stage, 0, 0)))
        assert await coming is Moved.MOVED
        return world.now_s(), fleet

    ended, fleet = run_virtual(main())
    assert 20 <= ended <= 21 + 1e-6  # 10 s here and 10 s on, noticed within a second
    assert not fleet.hosts["h1"].servers
    assert len(fleet.servers) == 1


def test_a_full_fleet_keeps_what_has_no_room() -> None:
    played = play("drain", small_fleet({"40": 1, "20": 1}, {"30": 1}))
    assert [one.flavor_name for one in played.fleet.hosts["h1"].servers.values()] == ["40"]
    assert played.story.tally["no host has room"] == 1


def test_two_of_one_role_never_meet_on_a_host() -> None:
    flavors = {"db": Flavor(memory_gib=4.0, dirty_mb_s=0.0, role="db")}
    played = play("drain", small_fleet({"db": 1}, {"db": 1}, {}, flavors=flavors), hosts=["h1"])
    assert [len(host.servers) for host in played.fleet.hosts.values()] == [0, 1, 1]


def test_a_server_stays_in_its_availability_zone() -> None:
    near, far = small_fleet({"10": 1}).hosts[0], small_fleet({}, zone="far").hosts[0]
    file = FleetFile(hosts=(near, far), flavors=small_fleet({"10": 1}).flavors)
    assert play("drain", file).story.tally["no host has room"] == 1


def test_an_unknown_host_is_refused_with_what_to_do() -> None:
    with pytest.raises(UsageError, match="no host 'h9': name one of"):
        play("drain", small_fleet({"10": 1}), hosts=["h9"])


def test_local_disks_and_spines_take_their_time() -> None:
    disk = {"disk": Flavor(memory_gib=10.0, dirty_mb_s=0.0, disk_gb=100.0)}
    played = play("drain", small_fleet({"disk": 1}, {}, flavors=disk, disk_mb_s=500.0))
    assert played.took_s == pytest.approx(200 + 10, rel=0.001)
    assert played.story.sums["copied bytes"] == pytest.approx(100e9 + 10 * GIB, rel=0.001)
    assert played.count.kinds["live-migration"].done == 1
