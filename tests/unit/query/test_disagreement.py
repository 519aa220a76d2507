"""Two witnesses of the same calls: where they agree nothing is said, and what they do not agree about is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from rpcscope.model import Clock, Inside, Observation, Outcome, Side, Sighting
from rpcscope.pipeline import Recorder
from rpcscope.query.clocks import TAP, newest_clocks
from rpcscope.query.disagreement import COUNT, OUTCOME, SIZE, TIMES, Disagreement, disagreements
from rpcscope.query.processes import processes
from rpcscope.rules import load_rules
from rpcscope.store import Store, open_store
from tests.support.memory import Given
from tests.support.told import told
from tests.support.wire import CAPTURES, sightings

MS = 1_000_000
FOREVER = 1 << 62
RULES = load_rules()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "store.sqlite"), create=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def bus() -> list[Sighting]:
    return sightings(CAPTURES / "nova34" / "09_live_migrate_no_host.jsonl.zst")


def found(store: Store, seen: Sequence[Sighting], mode: str = "full") -> tuple[Disagreement, ...]:
    """What is said of a recording of this."""
    writer = store.writer()
    resume = writer.start(source="file", scope="file", digest="", label="", tap_mode=mode, conditions="", started_ns=0)
    recorder = Recorder(writer, resume, RULES)
    recorder.run(Given(sorted(seen, key=lambda one: getattr(one, "at_ns", 0))))
    recorder.end()
    return disagreements(store.reader(), processes(store.reader()), 0, FOREVER)


def first(all_told: Sequence[Inside], side: Side) -> int:
    """Where the account of a call's end is, from one side."""
    return next(n for n, one in enumerate(all_told) if one.side is side and one.outcome is Outcome.OK)


@pytest.mark.parametrize("ahead_ms", [0, 3_000])
def test_witnesses_that_agree_are_not_said_to_differ_however_their_clocks_do(
    store: Store, bus: list[Sighting], ahead_ms: int
) -> None:
    ahead = {"compute-1": ahead_ms * MS, "compute-2": -ahead_ms * MS // 2}
    assert found(store, [*bus, *told(bus, ahead_ns=ahead)]) == ()
    offset = newest_clocks(store.reader()).ahead("compute-2", TAP)
    assert offset is not None
    assert abs(offset.ahead_ns - ahead["compute-2"]) <= max(offset.error_ns, MS)


def test_where_nobody_tells_nobody_differs(store: Store, bus: list[Sighting]) -> None:
    assert found(store, bus) == ()


def test_processes_without_a_tap_on_the_bus_differ_from_nobody(store: Store, bus: list[Sighting]) -> None:
    assert found(store, told(bus), "inside") == ()


def test_a_caller_that_gave_up_on_what_the_bus_shows_as_answered_differs(store: Store, bus: list[Sighting]) -> None:
    words = told(bus)
    place = first(words, Side.CLIENT)
    words[place] = replace(words[place], outcome=Outcome.TIMED_OUT)
    (one,) = found(store, [*bus, *words])
    assert (one.about, one.what, one.calls) == (OUTCOME, words[place].method, 1)
    assert one.said == "ok on the bus, timed out says its caller"


def test_a_size_that_differs_is_said(store: Store, bus: list[Sighting]) -> None:
    words = [replace(one, request_bytes=7) if one.method == "select_destinations" else one for one in told(bus)]
    sizes = {(one.about, one.what) for one in found(store, [*bus, *words])}
    assert sizes == {(SIZE, "select_destinations")}


def test_what_comes_before_its_cause_is_said_of_its_host_with_how_much(store: Store, bus: list[Sighting]) -> None:
    words = told(bus)
    place = next(n for n, one in enumerate(words) if one.sent_ns and one.host == "compute-2")
    words[place] = replace(words[place], sent_ns=(words[place].sent_ns or 0) + 400 * MS)
    (one,) = found(store, [*bus, *words])
    assert (one.about, one.what, one.calls) == (TIMES, "compute-2", 1)
    assert 300 * MS < one.worst_ns <= 400 * MS


def test_what_the_bus_did_not_show_is_said(store: Store, bus: list[Sighting]) -> None:
    words = told(bus)
    hidden = next(one for one in words if one.method == "select_destinations")
    ids = (hidden.unique_id.encode(), hidden.msg_id.encode())
    seen = [one for one in bus if not (isinstance(one, Observation) and any(name in one.body for name in ids))]
    assert len(seen) == len(bus) - 4
    (one,) = found(store, [*seen, *words])
    assert (one.about, one.what, one.calls) == (COUNT, "select_destinations", 1)
    assert one.said == "told of by its processes, not seen on the bus"
    (call,) = [c for c in store.reader().calls() if c.unique_id == hidden.unique_id]
    assert call.clock is Clock.HOST


def test_what_a_process_did_not_tell_that_tells_of_others_is_said(store: Store, bus: list[Sighting]) -> None:
    words = told(bus)
    lost = next(one for one in words if one.method == "pre_live_migration")
    kept = [one for one in words if one.unique_id != lost.unique_id]
    (one,) = found(store, [*bus, *kept])
    assert (one.about, one.calls) == (COUNT, 1)
    assert one.what == f"{lost.program}:{lost.pid}"


def test_a_process_that_tells_nothing_at_all_is_not_held_to_have_lost_anything(
    store: Store, bus: list[Sighting]
) -> None:
    words = told(bus)
    quiet = next(one for one in words if one.program == "nova-conductor")
    kept = [one for one in words if (one.host, one.pid) != (quiet.host, quiet.pid)]
    assert found(store, [*bus, *kept]) == ()
