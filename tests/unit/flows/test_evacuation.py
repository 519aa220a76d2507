"""Evacuations: Masakari's times by hand, the pool, retries, the dead host's return."""

from __future__ import annotations

from math import ceil

import pytest

from rpcscope.fleet.host import HostState
from rpcscope.fleet.model import FleetFile
from tests.unit.flows.support import play, small_fleet, states, step, template, templates


@pytest.mark.parametrize("servers", [1, 3, 4, 10])
def test_it_takes_the_detection_the_wait_and_a_pools_rounds(servers: int) -> None:
    played = play("evacuation", small_fleet({"4": servers}, {}, {}))
    assert played.took_s == pytest.approx(60 + 180 + ceil(servers / 3) * 20)
    assert states(played.fleet)["h1"] is HostState.DOWN
    assert not played.fleet.hosts["h1"].servers
    assert len(played.fleet.servers) == servers


def test_a_pool_of_any_size_evacuates_all_at_once() -> None:
    played = play("evacuation", small_fleet({"4": 10}, {}, {}), pool=0, wait_s=0)
    assert played.took_s == pytest.approx(60 + 20)
    assert played.story.peaks["evacuations of one host"] == 10


def test_the_pool_goes_on_when_an_evacuation_takes_too_long() -> None:
    played = play("evacuation", small_fleet({"4": 4}, {}), spawn_s=200, patience_s=90, pool=1, wait_s=0)
    assert played.took_s == pytest.approx(60 + 3 * 90 + 200)
    assert played.story.tally["evacuation takes too long"] == 4
    assert played.count.kinds["evacuate"].done == 4
    assert not played.fleet.hosts["h1"].servers


def racks() -> FleetFile:
    groups = [small_fleet({"4": 2}, {"4": 2}, rack=rack, zone=zone) for rack, zone in [("r1", "a"), ("r2", "a")]]
    groups.append(small_fleet({}, {}, rack="r3", zone="b"))
    hosts = tuple(host for group in groups for host in group.hosts)
    return FleetFile(hosts=hosts, flavors=groups[0].flavors)


def test_a_rack_dies_and_its_servers_go_to_the_other_racks_of_the_zone() -> None:
    played = play("evacuation", racks(), rack="r1")
    assert [len(host.servers) for host in played.fleet.hosts.values()] == [0, 0, 4, 4, 0, 0]
    assert played.story.tally["host died"] == 2


def test_a_zone_dies_and_its_servers_stay_unless_other_zones_are_allowed() -> None:
    played = play("evacuation", racks(), zone="a")
    assert played.story.tally["no host has room"] == 8
    assert played.count.kinds == {}
    played = play("evacuation", racks(), zone="a", other_zones=True)
    assert [len(host.servers) for host in played.fleet.hosts.values()] == [0, 0, 0, 0, 4, 4]


def test_the_scheduler_is_asked_for_another_host_when_one_fails() -> None:
    failing = template("evacuate", step("rebuild_instance", "cast", host="dest"))
    failing = type(failing)(
        kind="evacuate", variants=(type(failing.variants[0])(operations=1, share=1.0, roots=(), error="Boom"),)
    )
    using = [one for one in templates() if one.kind != "evacuate"]
    played = play("evacuation", small_fleet({"4": 1}, {}, {}, {}, {}), using=[*using, failing], tries=3)
    assert played.count.kinds["evacuate"].failed == 3
    assert len({event.facts["dest"] for event in played.events("evacuate failed")}) == 3
    assert played.events("host kept servers")[0].facts == {"left": 1}
    assert len(played.fleet.hosts["h1"].servers) == 1


def test_a_dead_host_comes_back_without_its_guests_and_none_runs_twice() -> None:
    played = play("evacuation", small_fleet({"4": 5}, {}, {}), return_s=1000)
    assert played.times("host up") == [1000]
    assert played.events("evacuated guests cleaned up")[0].facts == {"servers": 5}
    assert states(played.fleet)["h1"] is HostState.UP
    assert sorted(len(host.servers) for host in played.fleet.hosts.values()) == [0, 2, 3]


def test_a_dead_host_that_comes_back_before_the_end_waits_for_it() -> None:
    played = play("evacuation", small_fleet({"4": 5}, {}, {}), return_s=10)
    assert played.times("host up") == played.times("host evacuated") == [pytest.approx(60 + 180 + 40)]
