"""Whatever was on the bus is rebuilt with the right numbers, whatever happens to it on the way."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rpcscope.errors import StoreError
from rpcscope.model import Batch, Flag, MessageKind, Observation, Outcome, Sighting, Tally
from rpcscope.pipeline import Recorder
from rpcscope.rules import load_rules
from tests.support.memory import TALLY, Given, Memory, record, tally_of, total
from tests.support.trees import Node, Played, by_hand, forests, pieces, play, redelivered, shuffled, with_repeats

often = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
randoms = st.integers(0, 1 << 32).map(Random)


def check_numbers(memory: Memory, events: Sequence[Observation]) -> None:
    """Every sum in the store is the one counted by hand, however its parts are put together."""
    expected = by_hand(events)
    found = {one.request_id for one in memory.operations.values()}
    for request_id in found | set(expected):
        assert total(one.by_request for one in memory.parts(request_id)) == expected.get(request_id, Tally())
    everything = total(expected.values())
    assert total(one.by_request for one in memory.operations.values()) == everything
    assert total(one.by_cause for one in memory.operations.values()) == everything
    assert tally_of(memory.calls()) == everything
    for one in memory.operations.values():
        mine = [call for call in memory.calls() if call.operation_id == one.id]
        assert tally_of(mine) == one.by_request
        assert tally_of(call for call in memory.calls() if call.cause_id == one.id) == one.by_cause


def check_counters(memory: Memory, *, messages: int, copies: int) -> None:
    """Nothing is lost silently."""
    kept = [b.counters for b in memory.batches if b.ended]
    for counters in kept:
        assert counters.seen == counters.decoded + counters.rejected + counters.markers
        assert counters.decoded == counters.messages + counters.copies + counters.duplicates
    assert sum(c.messages for c in kept) == messages
    assert sum(c.copies for c in kept) == copies


def one_row_each(memory: Memory) -> None:
    ids = [call.unique_id for call in memory.calls()]
    assert len(ids) == len(set(ids))


@often
@given(forests())
def test_the_hand_count_and_the_trees_agree(trees: list[Node]) -> None:
    played = play(trees)
    counted = by_hand(played.bus.events)
    for request_id, tree in played.trees.items():
        wanted = tree.count()
        assert {key: getattr(counted[request_id], key) for key in TALLY if key != "bytes"} == {
            key: number for key, number in wanted.items() if key != "bytes"
        }


@often
@given(forests(), st.booleans(), st.sampled_from([1, 7, 2000]))
def test_what_was_on_the_bus_is_rebuilt(trees: list[Node], topology: bool, batch: int) -> None:
    played = play(trees)
    known: list[Sighting] = [played.bus.topology()] if topology else []
    memory = record([*known, *played.bus.events], batch_events=batch)
    check_numbers(memory, played.bus.events)
    one_row_each(memory)
    for call in memory.calls():
        check_call(played, memory, call.unique_id, known=topology)


def check_call(played: Played, memory: Memory, unique_id: str, *, known: bool) -> None:
    call = memory.call(unique_id)
    node, parent = played.unique_ids[unique_id]
    assert call.kind == ["call", "cast", "fanout", "", "", "notification"].index(node.kind)
    wanted = played.outcome(unique_id)
    if wanted is Outcome.UNANSWERED:
        assert call.outcome in (Outcome.PENDING, Outcome.UNANSWERED, Outcome.TIMED_OUT)
    else:
        assert call.outcome is wanted
    assert Flag(call.flags) & ~Flag.EXPECTED_FAILURE == played.flags(unique_id)
    assert call.heartbeats == (node.heartbeats if node.kind == "call" and node.is_taken else 0)
    if known and call.to_process:
        process = memory.process(call.to_process)
        assert process.program == ("agent" if node.kind == "fanout" else f"svc-{node.to}")
    if known and node.kind != "notification" and not parent:
        assert call.parent_id == 0, "a root was given a parent"


@often
@given(forests(), randoms, st.sampled_from([2, 10, 100, 2000]))
def test_the_order_of_reading_does_not_change_the_numbers(trees: list[Node], random: Random, window: int) -> None:
    played = play(trees)
    memory = record([played.bus.topology(), *shuffled(played.bus.events, window, random)])
    check_numbers(memory, played.bus.events)
    one_row_each(memory)
    in_order = record([played.bus.topology(), *played.bus.events])
    for unique_id in played.unique_ids:
        one, other = memory.call(unique_id), in_order.call(unique_id)
        assert (one.published_ns, one.delivered_ns) == (other.published_ns, other.delivered_ns)
        assert (one.replied_ns, one.reply_delivered_ns) == (other.replied_ns, other.reply_delivered_ns)
        assert (one.flags, one.last_ns) == (other.flags, other.last_ns)
        if played.outcome(unique_id) is not Outcome.UNANSWERED:
            assert one.outcome is other.outcome is played.outcome(unique_id)


@often
@given(forests(), randoms, st.data())
def test_what_the_tap_gets_twice_counts_once(trees: list[Node], random: Random, data: st.DataObject) -> None:
    events = play(trees).bus.events
    chosen = data.draw(st.sets(st.integers(0, len(events) - 1), max_size=20))
    memory = record(with_repeats(events, chosen, random), batch_events=50)
    check_numbers(memory, events)
    assert memory.counters.duplicates == len(chosen)
    count = total(by_hand(events).values())
    check_counters(memory, messages=count.messages, copies=count.copies)


@often
@given(forests(), st.floats(0, 0.6), st.floats(0, 0.6))
def test_a_recording_that_lacks_both_ends_marks_what_is_incomplete(trees: list[Node], head: float, tail: float) -> None:
    events = play(trees).bus.events
    kept = events[int(head * len(events)) : max(int((1 - tail) * len(events)), int(head * len(events)))]
    memory = record(kept)
    check_numbers(memory, kept)
    for call in memory.calls():
        assert bool(call.flags & Flag.NO_REQUEST) == (call.publishes == 0)
        if call.kind is MessageKind.REQUEST and not call.replies:
            assert call.outcome in (Outcome.PENDING, Outcome.UNANSWERED, Outcome.TIMED_OUT)
        if not call.method:
            assert call.kind in (MessageKind.REPLY, MessageKind.HEARTBEAT)


@often
@given(forests(), st.lists(st.integers(0, 400), max_size=4), st.booleans())
def test_recorders_that_follow_each_other_count_as_one(trees: list[Node], cuts: list[int], graceful: bool) -> None:
    played = play(trees)
    memory = Memory()
    for part in pieces(played.bus.events, cuts):
        record(part, into=memory, ended=graceful)
    check_numbers(memory, played.bus.events)
    for unique_id in played.unique_ids:
        parts = [call for call in memory.calls() if call.unique_id == unique_id]
        assert sum(call.replies for call in parts) == played.unique_ids[unique_id][0].is_answered


class Dies(Memory):
    """A store whose recorder is killed before one of its commits."""

    def __init__(self) -> None:
        super().__init__()
        self.commits_left = 0

    def write(self, batch: Batch) -> None:
        if not self.commits_left:
            raise StoreError("killed")
        self.commits_left -= 1
        super().write(batch)


@often
@given(forests(), st.lists(st.integers(0, 6), min_size=1, max_size=5), st.integers(5, 40), st.integers(0, 60))
def test_a_recorder_that_is_killed_counts_nothing_twice_and_loses_nothing(
    trees: list[Node], lives: list[int], batch: int, unacknowledged: int
) -> None:
    # A second publish of a message that a killed recorder had stored the first of can not be told from a repeat.
    events = play([tree.sent_once() for tree in trees]).bus.events
    memory, stored = Dies(), 0
    for commits in lives:
        memory.commits_left = commits
        stored = run_until_killed(memory, again_from(events, stored, unacknowledged), batch, stored, unacknowledged)
    memory.commits_left = 1 << 30
    record(again_from(events, stored, unacknowledged), into=memory, batch_events=batch)
    check_numbers(memory, events)


def again_from(events: list[Observation], stored: int, unacknowledged: int) -> list[Observation]:
    """What the broker gives to the next recorder: what it got no acknowledgement for comes again."""
    rest = events[max(0, stored - unacknowledged) :]
    return redelivered(rest) if stored else rest


def run_until_killed(memory: Memory, events: list[Observation], batch: int, stored: int, unacknowledged: int) -> int:
    """Events from the start that are stored when the recorder is gone."""
    first = max(0, stored - unacknowledged)
    source = Given(events)
    recorder = Recorder(memory, memory.resume(), load_rules())
    with suppress(StoreError):
        recorder.run(source, batch_events=batch)
    return max(stored, first + source.acknowledged)


def test_a_large_forest_in_large_windows_keeps_its_numbers() -> None:
    random = Random(17)
    leaf = Node(kind="call", to=1, heartbeats=1)
    middle = Node(kind="call", to=2, children=(leaf, leaf, Node(kind="fanout", to=0, consumers=20)))
    top = Node(kind="cast", to=0, children=(middle, leaf, middle, Node(kind="notification", to=0)))
    played = play([top] * 60)
    memory = record([played.bus.topology(), *shuffled(played.bus.events, 2000, random)])
    check_numbers(memory, played.bus.events)
