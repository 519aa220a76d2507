"""Live migrations: one or several at once, limits of a source, where they go, and when they are refused."""

from __future__ import annotations

import pytest

from rpcscope.errors import UsageError
from rpcscope.fleet.model import Flavor
from rpcscope.fleet.state import Fleet
from tests.unit.flows.support import play, small_fleet


def test_one_server_takes_its_memory_over_the_link_and_is_then_there() -> None:
    file = small_fleet({"10": 1}, {}, {})
    uuid = next(iter(Fleet.of(file).servers))
    played = play("live-migration", file, servers=[uuid], dest="h3")
    assert played.took_s == pytest.approx(10)
    assert played.fleet.servers[uuid].host == "h3"
    (copy,) = played.events("memory copy ended")
    assert copy.facts == {
        "rounds": 1, "sent_bytes": 10 * 2**30, "downtime_s": 0.0, "throttle": 0.0, "can_converge": True
    } | copy.facts  # fmt: skip
    assert copy.facts["sent_bytes"] == 10 * 2**30


@pytest.mark.parametrize(("limit", "times"), [(1, [10, 20, 30]), (2, [20, 20, 30]), (3, [30, 30, 30])])
def test_a_source_sends_no_more_than_its_limit_at_one_time(limit: int, times: list[float]) -> None:
    file = small_fleet({"10": 3}, {}, {}, {}, migration={"max_concurrent": limit})
    played = play("live-migration", file, count=3)
    assert played.times("live-migration done") == pytest.approx(times)
    assert played.story.peaks["copies of one source"] == limit


def test_two_sources_share_the_card_of_one_destination() -> None:
    file = small_fleet({"10": 1}, {"10": 1}, {})
    assert play("live-migration", file, count=2, dest="h3").took_s == pytest.approx(20)


def test_a_spine_between_racks_is_shared() -> None:
    from rpcscope.fleet.model import FleetFile, Network

    one, other = small_fleet({"10": 1}, {"10": 1}, rack="r1"), small_fleet({}, {}, rack="r2", memory_gib=128)
    file = FleetFile(
        hosts=(*one.hosts, *other.hosts),
        flavors=one.flavors,
        migration=one.migration,
        network=Network(spine_gbit_s=one.hosts[0].nic_gbit_s),
    )
    assert play("live-migration", file, count=2).took_s == pytest.approx(20)


def test_a_host_that_has_no_room_is_no_destination() -> None:
    played = play("live-migration", small_fleet({"40": 1}, {"40": 1}), count=1)
    assert played.story.tally == {"no host has room": 1}
    assert played.count.kinds == {}


def test_a_server_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UsageError, match="no server 'nobody'"):
        play("live-migration", small_fleet({"4": 1}, {}), servers=["nobody"])


def test_only_servers_of_the_asked_flavor_move() -> None:
    file = small_fleet({"4": 5, "8": 1}, {}, flavors={"x": Flavor(memory_gib=1)})
    played = play("live-migration", file, count=10, flavor="8")
    assert played.count.kinds["live-migration"].asked == 1


def test_a_server_that_was_asked_for_twice_moves_once_at_a_time() -> None:
    file = small_fleet({"10": 1}, {}, {}, migration={"max_concurrent": 2})
    uuid = next(iter(Fleet.of(file).servers))
    played = play("live-migration", file, servers=[uuid, uuid])
    assert played.count.kinds["live-migration"].done == 1
