"""Recorded hosts are spread over emulated ones; servers of different copies never meet."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rpcscope.replay.mapping import Mapping
from rpcscope.safe import uuid

RECORDED = ("a", "b", "c")
EMULATED = [f"compute-{n:04}" for n in range(1, 31)]
SERVER = "8ceb43a3-40b1-4864-bea5-05f81c2ac883"


@given(st.integers(0, 50), st.uuids(), st.integers(2, 30))
def test_two_recorded_hosts_are_never_one(copy: int, server: object, hosts: int) -> None:
    mapping = Mapping(RECORDED, EMULATED[:hosts], 1)
    for source in RECORDED:
        for dest in RECORDED:
            found = mapping.hosts(source, dest, copy=copy, server=str(server))
            assert (found[0] == found[1]) == (source == dest)
            assert set(found) <= set(EMULATED[:hosts])


def test_every_emulated_host_gets_its_share() -> None:
    mapping = Mapping(RECORDED, EMULATED, 1)
    used = {mapping.hosts(host, "", copy=copy, server=SERVER)[0] for host in RECORDED for copy in range(200)}
    assert used == set(EMULATED)


def test_what_one_copy_does_with_one_server_stays_on_its_hosts() -> None:
    mapping, again = Mapping(RECORDED, EMULATED, 1), Mapping(RECORDED, EMULATED, 1)
    booted = mapping.hosts("", "b", copy=3, server=SERVER)
    assert booted[0] == ""
    assert again.hosts("b", "", copy=3, server=SERVER)[0] == booted[1]


def test_each_copy_has_servers_of_its_own() -> None:
    mapping = Mapping(RECORDED, EMULATED, 1)
    found = [mapping.server(SERVER, copy) for copy in range(100)]
    assert len(set(found)) == 100
    assert SERVER not in found
    assert [uuid(one) for one in found] == found
    assert mapping.server(SERVER, 5) == found[5]


def test_one_host_alone_plays_all() -> None:
    assert Mapping(RECORDED, ["only"], 1).hosts("a", "b", copy=0, server=SERVER) == ("only", "only")
