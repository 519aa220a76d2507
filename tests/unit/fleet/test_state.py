"""A running fleet."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpcscope.errors import UsageError
from rpcscope.fleet.host import HostState
from rpcscope.fleet.model import Flavor, FleetFile, Hosts
from rpcscope.fleet.state import Fleet

FILE = FleetFile(
    hosts=(
        Hosts(count=3, zone="a", rack="r1", memory_gib=16, servers={"small": 2}),
        Hosts(count=2, zone="b", rack="r2", memory_gib=8, cores=4, servers={"db": 1}),
    ),
    flavors={
        "small": Flavor(memory_gib=2),
        "db": Flavor(memory_gib=4, role="database", vcpus=8, cpu=(0.1, 1.0)),
    },
)


def test_the_hosts_of_a_file_are_numbered_through_and_have_their_servers() -> None:
    fleet = Fleet.of(FILE)
    assert list(fleet.hosts) == [f"compute-{n:04}" for n in range(1, 6)]
    assert [(h.zone, h.rack, h.free_mib, len(h.servers)) for h in fleet.hosts.values()] == [
        ("a", "r1", 12_288, 2),
        ("a", "r1", 12_288, 2),
        ("a", "r1", 12_288, 2),
        ("b", "r2", 4096, 1),
        ("b", "r2", 4096, 1),
    ]
    assert len(fleet.servers) == 8


def test_the_same_seed_gives_the_same_fleet_and_another_one_another() -> None:
    def choices(seed: int) -> tuple[list[str], list[str]]:
        fleet = Fleet(FleetFile(hosts=(Hosts(count=20),), flavors=FILE.flavors, seed=seed))
        placed = []
        for _ in range(20):
            server = fleet.make("small")
            host = fleet.choose(server.uuid)
            assert host is not None
            fleet.place(server.uuid, host.name)
            placed.append(host.name)
        return list(fleet.servers), placed

    assert choices(1) == choices(1)
    assert not set(choices(1)[0]) & set(choices(2)[0])
    assert choices(1)[1] != choices(2)[1]
    assert len(set(choices(1)[1])) == 20  # spread, as the one with the most memory is taken each time


def test_the_host_with_the_most_free_memory_is_chosen_of_those_that_may() -> None:
    fleet = Fleet.of(FILE)
    small = fleet.make("small").uuid
    fleet.place(fleet.make("small").uuid, "compute-0001")
    first = fleet.choose(small)
    assert first is not None
    assert first.name in ("compute-0002", "compute-0003")
    second = fleet.choose(small, without={first.name})
    assert second is not None
    assert {first.name, second.name} == {"compute-0002", "compute-0003"}
    third = fleet.choose(small, without={first.name, second.name})
    assert third is not None
    assert third.name == "compute-0001"
    fleet.set_state("compute-0001", HostState.DISABLED)
    assert [host.name for host in fleet.candidates(small)][:2] == [first.name, second.name]
    last = fleet.choose(small, without={first.name, second.name})
    assert last is not None
    assert last.zone == "b"
    assert fleet.choose(small, zone="a", without={first.name, second.name}) is None
    fleet.set_state("compute-0001", HostState.UP)
    again = fleet.choose(small, zone="a", without={first.name, second.name})
    assert again is not None
    assert again.name == "compute-0001"


def test_two_of_one_role_are_never_on_one_host_not_even_while_one_is_expected() -> None:
    fleet = Fleet.of(FILE)
    db = fleet.make("db").uuid
    assert fleet.choose(db, zone="b") is None
    assert not fleet.fits(db, "compute-0004")
    moving = next(iter(fleet.hosts["compute-0004"].servers))
    fleet.claim(moving, "compute-0001")
    assert not fleet.fits(db, "compute-0001")
    fleet.move(moving, "compute-0001")
    assert fleet.fits(db, "compute-0004")
    with pytest.raises(ValueError, match="can not go to compute-0001"):
        fleet.place(db, "compute-0001")


def test_a_claim_keeps_memory_until_it_is_used_or_given_back() -> None:
    fleet = Fleet.of(FILE)
    uuid = next(iter(fleet.hosts["compute-0001"].servers))
    fleet.claim(uuid, "compute-0002")
    assert [fleet.hosts[f"compute-000{n}"].free_mib for n in (1, 2)] == [12_288, 10_240]
    fleet.claim(uuid, "compute-0003")
    assert [fleet.hosts[f"compute-000{n}"].free_mib for n in (1, 2, 3)] == [12_288, 12_288, 10_240]
    fleet.unclaim(uuid)
    assert fleet.hosts["compute-0003"].free_mib == 12_288
    fleet.claim(uuid, "compute-0002")
    fleet.move(uuid, "compute-0002")
    assert [fleet.hosts[f"compute-000{n}"].free_mib for n in (1, 2)] == [14_336, 10_240]
    assert fleet.servers[uuid].host == "compute-0002"
    fleet.remove(uuid)
    assert fleet.hosts["compute-0002"].free_mib == 12_288
    assert uuid not in fleet.servers


def test_the_servers_of_a_dead_host_stay_its_own_until_they_are_moved() -> None:
    fleet = Fleet.of(FILE)
    fleet.set_state("compute-0004", HostState.DOWN)
    (uuid,) = fleet.hosts["compute-0004"].servers
    assert fleet.servers[uuid].host == "compute-0004"
    host = fleet.choose(uuid, zone="a")
    assert host is not None
    fleet.move(uuid, host.name)
    assert not fleet.hosts["compute-0004"].servers


def test_steal_follows_the_day() -> None:
    host = Fleet.of(FILE).hosts["compute-0004"]
    assert [host.runnable(at_s) for at_s in (0, 43_199, 43_200, 86_399.999999999, 86_400)] == [0.8, 0.8, 8, 8, 0.8]
    assert (host.steal(0), host.load(0)) == (0, pytest.approx(0.2))
    assert (host.steal(50_000), host.load(50_000)) == (pytest.approx(0.5), 1)


def test_an_unknown_host_or_flavor_is_told_with_those_there_are() -> None:
    fleet = Fleet.of(FILE)
    with pytest.raises(UsageError, match="no host 'compute-9': name one of its 5 hosts, such as compute-0001"):
        fleet.host("compute-9")
    with pytest.raises(UsageError, match="no flavor 'huge': name one of small, db"):
        fleet.make("huge")


moves = st.lists(
    st.tuples(
        st.sampled_from(["make", "place", "claim", "unclaim", "move", "remove", "choose", "state"]),
        st.integers(0, 30),
        st.integers(0, 4),
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=80)
@given(moves)
def test_whatever_is_done_a_server_is_on_one_host_and_no_host_gives_more_than_it_has(
    rows: list[tuple[str, int, int]],
) -> None:
    fleet = Fleet.of(FILE)
    names, states = list(fleet.hosts), list(HostState)
    for what, which, where in rows:
        uuids = list(fleet.servers)
        uuid = uuids[which % len(uuids)] if uuids else fleet.make("small").uuid
        if what == "make":
            fleet.make("db" if which % 2 else "small")
        elif what == "state":
            fleet.set_state(names[where], states[which % len(states)])
        elif what == "choose":
            candidates = fleet.candidates(uuid)
            assert fleet.choose(uuid) is (candidates[0] if candidates else None)
        elif what in ("unclaim", "remove"):
            getattr(fleet, what)(uuid)
        else:
            before = fleet.servers[uuid].host
            try:
                getattr(fleet, what)(uuid, names[where])
            except ValueError:
                assert fleet.servers[uuid].host == before  # what was refused changed nothing
        check(fleet)


def check(fleet: Fleet) -> None:
    for host in fleet.hosts.values():
        there = [*host.servers.values(), *host.expected.values()]
        assert host.free_mib == host.memory_mib - sum(one.memory_mib for one in there) >= 0
        roles = [one.flavor.role for one in there if one.flavor.role]
        assert len(set(roles)) == len(roles)
    for server in fleet.servers.values():
        assert [host.name for host in fleet.hosts.values() if server.uuid in host.servers] == [server.host] * bool(
            server.host
        )
        assert [host.name for host in fleet.hosts.values() if server.uuid in host.expected] == [server.claimed] * bool(
            server.claimed
        )
