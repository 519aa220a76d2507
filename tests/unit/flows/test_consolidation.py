"""Consolidation: idle hosts are emptied onto others that have room, or not begun."""

from __future__ import annotations

from rpcscope.fleet.host import HostState
from rpcscope.fleet.model import Flavor, FleetFile
from tests.unit.flows.support import play, small_fleet, states

CALM = {
    "calm": Flavor(memory_gib=4.0, vcpus=4, dirty_mb_s=0.0, cpu=(0.5,)),
    "full": Flavor(memory_gib=60.0, vcpus=1, dirty_mb_s=0.0, cpu=(0.1,)),
}


def fleet(*hosts: dict[str, int]) -> FleetFile:
    """Hosts of 32 cores and 64 GiB; a calm server wants 2 cores."""
    return small_fleet(*hosts, flavors=CALM, cores=32)


def test_the_idlest_hosts_are_emptied_and_disabled() -> None:
    played = play("consolidation", fleet({"calm": 8}, {"calm": 2}, {"calm": 1}))
    assert [len(host.servers) for host in played.fleet.hosts.values()] == [11, 0, 0]
    assert states(played.fleet) == {"h1": HostState.UP, "h2": HostState.DISABLED, "h3": HostState.DISABLED}
    assert played.story.tally["host emptied"] == 2


def test_no_host_gets_over_the_ceiling() -> None:
    played = play("consolidation", fleet({"calm": 8}, {"calm": 2}), ceiling=0.55)  # 17.6 cores: one more has no room
    assert [len(host.servers) for host in played.fleet.hosts.values()] == [8, 2]
    assert played.story.tally["no room for all its servers"] == 1
    assert states(played.fleet)["h2"] is HostState.UP


def test_busy_hosts_are_left_alone() -> None:
    played = play("consolidation", fleet({"calm": 4}, {"calm": 4}))
    assert played.count.kinds == {}


def test_memory_counts_too() -> None:
    played = play("consolidation", fleet({"full": 1}, {"calm": 2}))
    assert played.story.tally["no room for all its servers"] >= 1
    assert played.count.kinds == {}


def test_empty_hosts_are_not_filled_to_empty_others() -> None:
    played = play("consolidation", fleet({"calm": 1}, {}, {}))
    assert played.count.kinds == {}


def test_a_host_that_took_servers_is_not_emptied_in_its_turn() -> None:
    played = play("consolidation", fleet({"calm": 2}, {"calm": 1}))
    assert [len(host.servers) for host in played.fleet.hosts.values()] == [3, 0]
    assert "no room for all its servers" not in played.story.tally


def test_no_more_hosts_than_asked_for() -> None:
    played = play("consolidation", fleet({"calm": 8}, {"calm": 1}, {"calm": 1}, {"calm": 1}), hosts=1)
    assert played.story.tally["host emptied"] == 1


def test_a_server_that_refuses_keeps_its_host_in_service() -> None:
    played = play("consolidation", fleet({"calm": 8}, {"calm": 2}), detach_refused=1.0)
    assert states(played.fleet)["h2"] is HostState.UP
    assert len(played.fleet.hosts["h2"].servers) == 2
