"""What a fleet amounts to on a broker."""

from __future__ import annotations

import msgspec
import pytest

from rpcscope.fleet.estimate import estimate
from rpcscope.fleet.model import Control, Flavor, FleetFile, Hosts

THOUSAND = FleetFile(
    hosts=(Hosts(count=1000, servers={"any": 20}),),
    flavors={"any": Flavor(memory_gib=2)},
    control=Control(api=1, conductor=1, scheduler=1),
)
CONTROL_CONNECTIONS, CONTROL_CONSUMERS, CONTROL_QUEUES = 2 + 3 + 3, 1 + 4 + 4, 1 + 2 + 2


@pytest.mark.parametrize(
    ("shape", "connections", "consumers", "private", "shared"),
    [("2026", 5000, 7000, 5000, 2), ("2025", 4000, 4000, 3000, 1)],
)
def test_a_thousand_computes_are_as_domain_facts_have_them(
    shape: str, connections: int, consumers: int, private: int, shared: int
) -> None:
    found = estimate(THOUSAND, shape=shape)  # type: ignore[arg-type]
    assert found.connections == found.channels == connections + CONTROL_CONNECTIONS
    assert found.consumers == consumers + CONTROL_CONSUMERS
    assert found.queues == private + shared + CONTROL_QUEUES + 4  # conductor, scheduler, and those of their host


def test_a_reduced_shape_has_one_connection_for_each_process() -> None:
    assert estimate(THOUSAND, shape="reduced").connections == 1003


def test_streams_are_shared_by_all_who_read_them() -> None:
    control = msgspec.structs.replace(THOUSAND.control, profile="quorum+stream")
    found = estimate(msgspec.structs.replace(THOUSAND, control=control))
    assert found.queues == 3000 + 2 + 2 + (1 + 1 + 1) + 4 + 2  # replies and hosts, topics, streams; controllers


def test_idle_hosts_say_what_their_timers_make_them_say() -> None:
    found = estimate(THOUSAND)
    by_hand = 1 / 10 + 7 / 60 + 21 / 600 + 1 / 120 + 3 / 300 + 1 / 1800 + 1 / 2400
    assert found.idle_calls_s == pytest.approx(1000 * by_hand)
    assert found.idle_fanouts_s == pytest.approx(1000 / 120)
    assert found.idle_messages_s == pytest.approx(2000 * by_hand + 1000 / 120)


def test_without_periodic_tasks_it_is_silent() -> None:
    control = msgspec.structs.replace(THOUSAND.control, background=False)
    assert estimate(msgspec.structs.replace(THOUSAND, control=control)).idle_messages_s == 0


def test_memory_and_servers_are_added_up() -> None:
    found = estimate(THOUSAND)
    assert (found.hosts, found.servers, found.memory_gib, found.used_gib) == (1000, 20_000, 256_000, 40_000)
