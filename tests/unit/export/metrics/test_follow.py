"""A store that grows is counted as its recorder counts it, look by look."""

from __future__ import annotations

from pathlib import Path

from rpcscope.export.metrics import follow
from rpcscope.export.metrics.follow import Follower
from rpcscope.store import open_store
from tests.support.measured import Key, record_captures, told
from tests.unit.export.metrics.conftest import PATHS, Measured

COUNTED = ("rpcscope_rpc", "rpcscope_operation", "rpcscope_broker")
TIMERS = ("periodic:", "startup:")


def counted(found: dict[Key, float]) -> dict[Key, float]:
    """What is the same for all who counted from the beginning: not how often they looked at a timer's request id."""
    return {
        key: round(value, 6)
        for key, value in found.items()
        if key[0].startswith(COUNTED) and not any(text.startswith(TIMERS) for _, text in key[1])
    }


def test_a_store_that_is_followed_from_its_beginning_tells_what_its_recorder_told(
    measured: Measured, tmp_path: Path
) -> None:
    with open_store(str(tmp_path / "store.sqlite"), create=True) as store:
        follower = Follower(store.reader())
        follower.look()
        for path in PATHS:
            record_captures(store, None, [path])
            follower.look()
        assert counted(told(follower.look())) == counted(told(measured.meters.families()))


def test_what_one_look_does_not_reach_the_next_one_does(measured: Measured, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(follow, "MOST_CALLS", 50)
    with open_store(str(tmp_path / "store.sqlite"), create=True) as store:
        follower = Follower(store.reader())
        follower.look()
        record_captures(store, None, PATHS)
        looks = 1
        while (found := told(follower.look()))["rpcscope_metrics_behind", frozenset()]:
            looks += 1
        assert 20 < looks < 40
        ours, theirs = counted(found), counted(told(measured.meters.families()))
        rpcs = [key for key in theirs if key[0].startswith(("rpcscope_rpc", "rpcscope_broker"))]
        assert {key: ours[key] for key in rpcs} == {key: theirs[key] for key in rpcs}


def test_what_was_stored_before_the_first_look_is_not_counted(measured: Measured) -> None:
    assert not counted(told(Follower(measured.store.reader()).look()))
