"""What is played of a recording is what was recorded: operations, times, messages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from rpcscope.errors import UsageError
from rpcscope.flows.virtual import run_virtual
from rpcscope.flows.virtual_world import VirtualWorld
from rpcscope.model import Status
from rpcscope.query.operations import Operations
from rpcscope.query.times import SECOND
from rpcscope.replay.expected import expected
from rpcscope.replay.mapping import Mapping
from rpcscope.replay.player import Player
from rpcscope.replay.recorded import Past, recorded
from rpcscope.replay.schedule import repeated
from rpcscope.store import Store, open_store
from rpcscope.store.protocol import OperationFilter
from rpcscope.templates.chosen import Choice
from tests.support.dashboard import CAPTURES, import_captures


@pytest.fixture(scope="module")
def drain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A drain of six servers, recorded."""
    with open_store(str(tmp_path_factory.mktemp("drain") / "store.sqlite"), create=True) as store:
        import_captures(store, CAPTURES / "10_drain_serial_6.jsonl.zst")
        yield store


@pytest.fixture(scope="module")
def past(drain: Store) -> Past:
    return recorded(drain.reader())


def test_every_operation_is_taken_at_its_time_with_its_hosts_and_servers(drain: Store, past: Past) -> None:
    views = sorted(Operations(drain.reader()).find(OperationFilter(background=False)), key=lambda v: v.whole.started_ns)
    assert len(past.operations) == len(views) == 8
    for one, view in zip(past.operations, views, strict=True):
        whole = view.whole
        assert (one.kind, one.servers) == (whole.kind, whole.instances)
        assert one.at_s == pytest.approx((whole.started_ns - views[0].whole.started_ns) / SECOND, abs=1e-3)
        assert one.took_s == pytest.approx((view.duration_ns or 0) / SECOND)
        if whole.source_host:
            assert (one.source, one.dest) == (whole.source_host, whole.dest_host)
    assert past.provenance.driver == "fake"


def test_at_rate_one_exactly_what_was_recorded_is_expected(drain: Store, past: Past) -> None:
    due = repeated([one.at_s for one in past.operations], past.lasts_s, 1.0, Random(1))
    found = expected(past, due, 1.0)
    views = list(Operations(drain.reader()).find(OperationFilter(background=False)))
    assert all(view.status is Status.DONE for view in views)
    tallies = [view.whole.by_cause for view in views]
    assert found["operations"] == len(views)
    assert found["rpcs"] == sum(tally.rpcs for tally in tallies)
    assert found["messages"] == sum(tally.messages for tally in tallies)
    assert found["bytes"] == sum(tally.bytes for tally in tallies)
    assert sum(one["messages"] for one in found["methods"].values()) == found["messages"]
    assert sum(one["bytes"] for one in found["methods"].values()) == found["bytes"]
    assert found["kinds"]["live-migration"]["asked"] == 6


def test_a_player_begins_each_when_it_is_due_and_sends_what_is_expected(past: Past) -> None:
    due = repeated([one.at_s for one in past.operations], past.lasts_s, 3.0, Random(1))
    names = [f"compute-{n}" for n in range(10)]
    player = Player(past, due, Mapping(past.hosts, names, 1))

    async def play() -> VirtualWorld:
        world = VirtualWorld(past.templates, names, 1)
        await player.play(world)
        return world

    world = run_virtual(play())
    wanted, count = expected(past, due, 1.0), world.tally.count()
    assert (count.rpcs, count.messages, count.bytes) == (wanted["rpcs"], wanted["messages"], wanted["bytes"])
    assert player.ended == {"live-migration done": 18, "set_host_enabled done": 6}
    paced = player.paced
    assert paced is not None
    assert (paced.asked, paced.sent, paced.late_max_s) == (24, 24, pytest.approx(0.0, abs=1e-9))


def test_before_it_plays_a_player_knows_nothing_of_its_pace(past: Past) -> None:
    assert Player(past, [], Mapping(past.hosts, ["a"], 1)).paced is None


def test_what_timers_do_is_kept_apart_with_its_interval(past: Past) -> None:
    assert {one.kind: one.interval_s for one in past.timers} == {"periodic:report_state": 10.0}


def test_kinds_can_be_chosen(drain: Store) -> None:
    found = recorded(drain.reader(), Choice(kinds=("set_host_enabled",)))
    assert {one.kind for one in found.operations} == {"set_host_enabled"}


def test_a_recording_without_operations_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "empty.sqlite"), create=True) as store:
        with pytest.raises(UsageError, match=r"No operation was recorded as a whole.*name another recording"):
            recorded(store.reader())
        import_captures(store, CAPTURES / "00_idle_120s.jsonl.zst")
        with pytest.raises(UsageError, match="No operation was recorded as a whole"):
            recorded(store.reader())
