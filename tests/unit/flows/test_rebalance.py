"""Rebalancing by CPU steal: when a host is hot, which server goes where, and who rests."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest

from rpcscope.errors import UsageError
from rpcscope.fleet.host import Host
from rpcscope.fleet.model import Flavor, FleetFile
from rpcscope.flows.steal_watch import StealWatch, Thresholds
from rpcscope.hooks.outside import RealOutside
from tests.unit.flows.support import Played, play, small_fleet

BUSY = {
    "busy": Flavor(memory_gib=4.0, vcpus=8, dirty_mb_s=0.0, cpu=(1.0,)),
    "calm": Flavor(memory_gib=4.0, vcpus=2, dirty_mb_s=0.0, cpu=(0.1,)),
    "db": Flavor(memory_gib=4.0, vcpus=8, dirty_mb_s=0.0, cpu=(1.0,), role="db"),
    "web": Flavor(memory_gib=4.0, vcpus=8, dirty_mb_s=0.0, cpu=(1.0,), role="web"),
}


def fleet(*hosts: dict[str, int], **more: object) -> FleetFile:
    """Hosts of 32 cores: five busy servers of 8 vCPUs want 40, so that 1 - 32/40 = 20 % are stolen."""
    return small_fleet(*hosts, flavors=BUSY, cores=32, **more)


def watch(host: Host, *seen: tuple[float, float, float]) -> list[bool]:
    """Steal, load and time of each look."""
    limits = Thresholds(steal_high=0.10, load_high=0.80, for_s=300, steal_low=0.05, smoothing_s=0)
    looking = StealWatch(limits)
    return [looking.look(host, steal, load, at) for steal, load, at in seen]


@pytest.fixture
def host() -> Host:
    return play("agent-restart-storm", fleet({})).fleet.hosts["h1"]


def test_a_host_is_hot_after_both_were_high_for_a_while(host: Host) -> None:
    assert watch(host, (0.2, 1, 0), (0.2, 1, 299), (0.2, 1, 300)) == [False, False, True]


def test_steal_alone_or_load_alone_is_not_enough(host: Host) -> None:
    assert watch(host, (0.2, 0.5, 0), (0.2, 0.5, 900)) == [False, False]
    assert watch(host, (0.0, 1, 0), (0.0, 1, 900)) == [False, False]


def test_one_low_look_begins_the_while_anew(host: Host) -> None:
    assert watch(host, (0.2, 1, 0), (0.09, 1, 200), (0.2, 1, 400), (0.2, 1, 600)) == [False] * 4


def test_a_hot_host_stays_hot_until_its_steal_is_under_the_lower_threshold(host: Host) -> None:
    looks = [(0.2, 1, 0), (0.2, 1, 300), (0.07, 1, 400), (0.05, 0.1, 500), (0.04, 1, 600), (0.07, 1, 700)]
    assert watch(host, *looks) == [False, True, True, True, False, False]


def test_steal_is_smoothed_over_its_time_constant(host: Host) -> None:
    limits = Thresholds(steal_high=0.5, load_high=0.5, for_s=0, steal_low=0.1, smoothing_s=100)
    looking = StealWatch(limits)
    looking.look(host, 0.0, 1.0, 0)
    looking.look(host, 1.0, 1.0, 100)
    assert looking.steal(host) == pytest.approx(1 - 2.718281828**-1)


def moves(played: Played) -> list[tuple[str, str]]:
    return [(str(event.facts["source"]), event.host) for event in played.events("server moved")]


def test_the_first_server_leaves_once_the_host_was_hot_for_five_minutes() -> None:
    played = play("rebalance", fleet({"busy": 5}, {}, {"calm": 4}))
    assert played.times("server moved") == [
        pytest.approx(300 + 4 / 0.8)
    ]  # a fifth of the CPU is stolen from the copying too
    assert moves(played) == [("h1", "h2")]  # no steal on either; the emptier one has fewer of its flavor and less load
    assert played.story.peaks["steal"] == 0.2


def test_nothing_moves_where_nobody_is_robbed() -> None:
    played = play("rebalance", fleet({"busy": 4}, {}))
    assert "server moved" not in played.story.tally
    assert played.count.kinds == {}


def test_nothing_moves_where_it_would_only_be_robbed_elsewhere() -> None:
    played = play("rebalance", fleet({"busy": 5}, {"busy": 4}))
    assert "server is to move" not in played.story.tally


def test_a_host_and_a_server_rest_after_a_move() -> None:
    hot = fleet({"busy": 8}, {}, {})
    played = play("rebalance", hot, lasts_s=2000, host_rest_s=600, interval_s=10)
    times = played.times("server is to move")
    assert len(times) > 1
    assert all(later - earlier >= 600 for earlier, later in pairwise(times))
    moved = [event.server for event in played.events("server moved")]
    assert len(moved) == len(set(moved))


@pytest.mark.parametrize(("rest_s", "flavor"), [(10, "always"), (3600, "late")])
def test_a_server_that_moved_stays_even_if_its_new_host_gets_hot(rest_s: float, flavor: str) -> None:
    """At noon the early ones of h1 rest and the late ones of h2 begin: the first one that moved would move back."""
    day = {"always": (1.0,), "early": (1.0, 0.0), "late": (0.0, 1.0)}
    flavors = {name: Flavor(memory_gib=4.0, vcpus=8, dirty_mb_s=0.0, cpu=cpu) for name, cpu in day.items()}
    file = small_fleet({"always": 1, "early": 4}, {"late": 4}, flavors=flavors, cores=32)
    played = play("rebalance", file, start_of_day_s=43_200 - 1000, server_rest_s=rest_s)
    moved = [played.fleet.servers[event.server].flavor_name for event in played.events("server moved")]
    assert moved[:2] == ["always", flavor]


def test_never_two_of_one_role_at_once() -> None:
    hosts = [{"db": 1, "web": 1, "busy": 4}] * 4
    played = play("rebalance", fleet(*hosts, *[{}] * 6), parallel=8, detach_s=200, interval_s=10, lasts_s=7200)
    under_way: dict[str, str] = {}
    most = 0
    flavors = {uuid: server.flavor_name for uuid, server in played.fleet.servers.items()}
    for event in played.story.events:
        if event.what == "server is to move":
            under_way[event.server] = flavors[event.server]
        elif event.what in ("attached", "detaching refused"):
            under_way.pop(event.server, None)
        most = max(most, len(under_way))
        roles = [role for role in under_way.values() if role in ("db", "web")]
        assert len(roles) == len(set(roles))
    assert most > 1


def test_a_server_is_detached_before_and_attached_after() -> None:
    played = play("rebalance", fleet({"busy": 5}, {}), detach_s=30, attach_s=5)
    (server,) = {event.server for event in played.events("server moved")}
    order = [event.what for event in played.story.events if event.server == server]
    assert order == [
        "server is to move", "detached", "live-migration done", "memory copy ended", "attached", "server moved"
    ]  # fmt: skip
    assert played.times("attached") == [pytest.approx(300 + 30 + 4 / 0.8 + 5)]


def test_a_server_that_refuses_to_be_detached_stays() -> None:
    played = play("rebalance", fleet({"busy": 5}, {}), detach_refused=1.0, lasts_s=1000)
    assert played.story.tally["detaching refused"] >= 1
    assert played.count.kinds == {}
    assert len(played.fleet.hosts["h1"].servers) == 5


def test_a_migration_keeps_to_its_bandwidth() -> None:
    played = play("rebalance", fleet({"busy": 5}, {}), bandwidth_mib_s=64)
    assert played.times("server moved") == [pytest.approx(300 + 64)]


def test_the_time_of_the_day_decides() -> None:
    flavors = {"night": Flavor(memory_gib=4.0, vcpus=8, dirty_mb_s=0.0, cpu=(1.0, 0.1))}
    file = small_fleet({"night": 5}, {}, flavors=flavors, cores=32)
    assert "server moved" in play("rebalance", file).story.tally
    assert "server moved" not in play("rebalance", file, start_of_day_s=43_200).story.tally


class Told:
    """Remembers what it was asked to run."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, ...]] = []

    async def command(self, argv: Sequence[str], timeout_s: float) -> bool:
        self.ran.append(tuple(argv))
        return argv[0] != "refuse"

    def tell(self, url: str, event: Mapping[str, object]) -> None:
        raise AssertionError


def test_commands_are_only_told_unless_a_user_says_so() -> None:
    commands = {
        "detach_command": ["kubectl", "drain", "{server}"],
        "attach_command": ["kubectl", "uncordon", "{server}"],
    }
    told = Told()
    played = play("rebalance", fleet({"busy": 5}, {}), outside=told, **commands)
    assert told.ran == []
    assert [event.facts["program"] for event in played.events("would run")] == ["kubectl", "kubectl"]
    played = play("rebalance", fleet({"busy": 5}, {}), outside=told, run_commands=True, **commands)
    (server,) = {event.server for event in played.events("server moved")}
    assert told.ran == [("kubectl", "drain", server), ("kubectl", "uncordon", server)]


def test_a_command_that_fails_keeps_the_server_where_it_is() -> None:
    commands = {"detach_command": ["refuse"], "attach_command": ["attach", "{host}-{dest}"], "run_commands": True}
    played = play("rebalance", fleet({"busy": 5}, {}), outside=Told(), lasts_s=1000, **commands)
    assert played.story.tally["detaching failed"] >= 1
    assert played.count.kinds == {}


def test_a_way_out_needs_a_way_back() -> None:
    with pytest.raises(UsageError, match="one that attaches again"):
        play("rebalance", fleet({}), detach_command=["x"])


def test_the_real_outside_runs_a_command() -> None:
    async def main() -> list[bool]:
        with RealOutside() as outside:
            return [await outside.command([sys.executable, "-c", f"raise SystemExit({n})"], 60) for n in (0, 3)]

    assert asyncio.run(main()) == [True, False]
