"""Storms: boots, deletes, churn, restarts and reconnects, by hand."""

from __future__ import annotations

import pytest

from rpcscope.fleet.host import HostState
from rpcscope.fleet.model import Flavor
from tests.unit.flows.support import play, small_fleet, states, templates

WEB = {"web": Flavor(memory_gib=4.0)}


def test_boots_come_at_their_pace_and_the_last_one_ends_the_storm() -> None:
    played = play("boot-storm", small_fleet({}, {}, flavors=WEB), count=11, pace="2")
    assert played.times("create done") == [1 + n / 2 for n in range(11)]
    assert played.took_s == 6
    assert played.story.peaks["operations"] == 2
    assert (played.story.paced.reached_per_s, played.story.paced.late_max_s) == (2, 0)
    assert sorted(len(host.servers) for host in played.fleet.hosts.values()) == [5, 6]


def test_boots_without_room_are_refused_as_nova_refuses_them() -> None:
    played = play("boot-storm", small_fleet({}, flavors=WEB, memory_gib=8), count=5, pace="1")
    assert (played.count.kinds["create"].done, played.count.kinds["create-no-valid-host"].failed) == (2, 3)
    assert len(played.fleet.servers) == 2


def test_a_boot_lasts_as_long_as_the_hypervisor_is_said_to_need() -> None:
    spawn = [one for one in templates() if one.kind != "create"]
    slow = next(one for one in templates() if one.kind == "evacuate")
    slow = type(slow)(kind="create", variants=slow.variants)
    file = small_fleet({}, flavors=WEB)
    assert play("boot-storm", file, using=[*spawn, slow], count=1).took_s == 20
    assert play("boot-storm", file, using=[*spawn, slow], count=1, spawn_s=90).took_s == 90


def test_a_boot_that_fails_leaves_no_server() -> None:
    none = next(one for one in templates() if one.kind == "create-no-valid-host")
    failing = [type(none)(kind="create", variants=none.variants)]
    played = play("boot-storm", small_fleet({}, flavors=WEB), using=failing, count=3)
    assert played.count.kinds["create"].failed == 3
    assert not played.fleet.servers
    assert played.fleet.hosts["h1"].free_mib == played.fleet.hosts["h1"].memory_mib


def test_deletes_take_servers_that_are_there_and_no_more() -> None:
    played = play("delete-storm", small_fleet({"4": 3}, {"4": 2}), count=100, pace="10")
    assert played.count.kinds["delete"].done == 5
    assert played.took_s == pytest.approx(0.9)
    assert not played.fleet.servers


def test_churn_keeps_the_fleet_as_full_as_it_is() -> None:
    played = play("churn", small_fleet({"4": 20}, {"4": 20}, memory_gib=160), count=200, pace="poisson:5", flavor="4")
    assert (played.count.kinds["create"].done, played.count.kinds["delete"].done) == (200, 200)
    assert len(played.fleet.servers) == 40
    # Each of the first 40 is still there with a chance of (39/40)^200, less than 1 %.
    assert sum(server.number <= 40 for server in played.fleet.servers.values()) <= 4


def test_agents_restart_at_once_or_one_after_the_other() -> None:
    file = small_fleet({}, {}, {}, {})
    played = play("agent-restart-storm", file, down_s=7)
    assert (played.times("host stopped"), played.times("host up")) == ([0] * 4, [7] * 4)
    played = play("agent-restart-storm", file, down_s=7, apart_s=10, count=2)
    assert (played.times("host stopped"), played.times("host up")) == ([0, 10], [7, 17])
    assert set(states(played.fleet).values()) == {HostState.UP}


def test_a_restarted_agent_plays_what_is_known_of_a_start() -> None:
    start = templates()[0]
    known = type(start)(kind="startup:nova-compute", instances=0, variants=templates()[7].variants)
    played = play("agent-restart-storm", small_fleet({}, {}), using=[known], down_s=5)
    assert played.count.kinds["startup:nova-compute"].done == 2


def test_a_share_of_the_hosts_loses_its_connections() -> None:
    played = play("reconnect-storm", small_fleet(*[{}] * 9), share=1 / 3, back_s=2, splay_s=10)
    assert played.times("connections cut") == [0, 0, 0]
    back = played.times("connections back")
    assert len(back) == 3
    assert 2 <= min(back) <= max(back) <= 12
    assert len(set(back)) == 3
