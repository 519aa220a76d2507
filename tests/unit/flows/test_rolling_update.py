"""Rolling updates: times by hand, limits, failures, and servers that are neither lost nor doubled."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpcscope.fleet.host import HostState
from rpcscope.fleet.model import Flavor, FleetFile
from tests.unit.flows.support import Played, play, small_fleet, states

QUICK = {"reboot_s": 300.0, "check_s": 30.0}


def most_at_once(played: Played, place: str = "") -> int:
    """Hosts that were out of service at one time: all, or of one zone or rack."""
    out: set[str] = set()
    most = 0
    for event in played.story.events:
        host = played.fleet.hosts.get(event.host)
        if host is None or (place and place not in (host.zone, host.rack)):
            continue
        if event.what == "host disabled":
            out.add(event.host)
        elif event.what in ("host enabled", "check failed"):
            out.discard(event.host)
        most = max(most, len(out))
    return most


def test_three_hosts_one_after_the_other() -> None:
    played = play("rolling-update", small_fleet({"10": 2}, {"10": 1}, {}, timing=QUICK), batch=1)
    # h1: 20 s and 330; both of its servers go to other hosts. By then h2 and h3 hold three of them.
    assert played.times("host updated")[0] == pytest.approx(350)
    moved = played.count.kinds["live-migration"].done
    assert played.took_s == pytest.approx(3 * 330 + 10 * moved)
    assert played.story.tally["host updated"] == 3
    assert set(states(played.fleet).values()) == {HostState.UP}


def test_servers_go_to_hosts_that_are_updated_already() -> None:
    played = play("rolling-update", small_fleet({"4": 1}, {"4": 1}, {"4": 1}, {}, timing=QUICK), batch=1)
    assert played.count.kinds["live-migration"].done == 3 + 1  # the first one's server moves twice: none was ready
    assert played.story.tally["host updated"] == 4


def test_an_updated_host_comes_before_one_with_more_memory() -> None:
    small, large = small_fleet({"4": 1}, memory_gib=16, timing=QUICK), small_fleet({"4": 1}, {}, memory_gib=64)
    file = FleetFile(
        hosts=(*small.hosts, *large.hosts), flavors=small.flavors, timing=small.timing, migration=small.migration
    )
    # h1's goes to h3, the emptiest; h2's to h1, though h3 has more room; h3's then leaves it again.
    assert play("rolling-update", file, batch=1).count.kinds["live-migration"].done == 3


@pytest.mark.parametrize(("batch", "strict", "rounds"), [(2, True, 3), (2, False, 3), (3, True, 2), (6, True, 1)])
def test_empty_hosts_take_as_many_rounds_as_there_are_batches(batch: int, strict: bool, rounds: int) -> None:
    played = play("rolling-update", small_fleet(*[{}] * 6, timing=QUICK), batch=batch, strict=strict)
    assert played.took_s == pytest.approx(rounds * 330)
    assert most_at_once(played) == batch


def fleet_of_two_zones() -> FleetFile:
    near = small_fleet(*[{"4": 1}] * 4, zone="near", rack="r1", timing=QUICK)
    far = small_fleet(*[{"4": 1}] * 4, zone="far", rack="r2")
    return FleetFile(
        hosts=(*near.hosts, *far.hosts), flavors=near.flavors, timing=near.timing, migration=near.migration
    )


def test_no_more_hosts_of_a_zone_or_a_rack_than_allowed() -> None:
    played = play("rolling-update", fleet_of_two_zones(), batch=4, per_zone=1)
    assert (most_at_once(played), most_at_once(played, "near"), most_at_once(played, "far")) == (2, 1, 1)
    played = play("rolling-update", fleet_of_two_zones(), batch=3, per_rack=2)
    assert (most_at_once(played), most_at_once(played, "r1")) == (3, 2)
    assert played.story.tally["host updated"] == 8


def test_hosts_that_come_back_failed_stop_it_when_there_are_too_many() -> None:
    file = small_fleet(*[{}] * 10, timing={**QUICK, "failure_share": 1.0})
    played = play("rolling-update", file, batch=2, failures=3)
    assert Counter(states(played.fleet).values()) == {HostState.DOWN: 4, HostState.UP: 6}
    assert played.story.tally["check failed"] == 4
    assert played.story.tally["host not begun"] == 6
    assert played.story.tally["stopped: too many hosts failed"] == 1


def test_a_host_that_keeps_a_server_stays_in_service_and_counts_as_failed() -> None:
    hot = {"hot": Flavor(memory_gib=4.0, dirty_mb_s=5000.0)}
    played = play("rolling-update", small_fleet({"hot": 1}, {}, {}, flavors=hot, timing=QUICK), batch=1, failures=5)
    assert played.story.tally["host kept servers"] == 1
    assert played.story.tally["host updated"] == 2
    assert set(states(played.fleet).values()) == {HostState.UP}


def test_servers_that_were_stopped_start_again_where_they_were() -> None:
    hot = {"hot": Flavor(memory_gib=4.0, dirty_mb_s=5000.0)}
    file = small_fleet({"hot": 2}, {}, flavors=hot, timing=QUICK)
    played = play("rolling-update", file, batch=1, fallback="stop", abort_after_s=30)
    assert (played.count.kinds["stop"].done, played.count.kinds["start"].done) == (2, 2)
    assert len(played.fleet.hosts["h1"].servers) == 2
    assert played.story.tally["host updated"] == 2


@given(
    servers=st.lists(st.integers(0, 6), min_size=3, max_size=8),
    batch=st.integers(1, 5),
    parallel=st.integers(0, 4),
    per_host=st.integers(0, 3),
    concurrent=st.integers(1, 3),
    failing=st.sampled_from([0.0, 0.3]),
    seed=st.integers(0, 5),
)
@settings(max_examples=40, deadline=None)
def test_no_limit_is_exceeded_and_no_server_is_lost(
    servers: list[int], batch: int, parallel: int, per_host: int, concurrent: int, failing: float, seed: int
) -> None:
    file = small_fleet(
        *[{"8": count} for count in servers],
        timing={**QUICK, "failure_share": failing},
        migration={"max_concurrent": concurrent},
        seed=seed,
    )
    played = play("rolling-update", file, batch=batch, parallel=parallel, per_host=per_host, failures=1)
    assert len(played.fleet.servers) == sum(servers)
    assert all(server.host for server in played.fleet.servers.values())
    assert most_at_once(played) <= batch
    peaks = played.story.peaks
    assert peaks.get("copies of one source", 0) <= concurrent
    assert peaks.get("migrations at a time (host)", 0) <= min(per_host or concurrent, concurrent)
    assert not parallel or peaks.get("migrations at a time (all)", 0) <= parallel
    assert played.story.tally.get("check failed", 0) <= 1 + batch
