"""Calls of a time added up to see what is wrong with whom, on each database."""

from __future__ import annotations

from typing import Any

import pytest

from rpcscope.model import Batch, Call, Flag, MessageKind, Outcome
from rpcscope.store import Store, host_query
from rpcscope.store.sign_rows import CallSign
from tests.contract.records import SECOND, START, begun, make_call, recording_of

END = START + 3_600 * SECOND
SILENT: dict[str, Any] = {
    "outcome": Outcome.TIMED_OUT, "replied_ns": None, "reply_delivered_ns": None, "replies": 0, "flags": 0,
}  # fmt: skip


def kept(store: Store, *calls: Call) -> int:
    """Stored in a recording of their own; its id."""
    writer, base = begun(store)
    mine = tuple(make_call(base + number, **_words(one)) for number, one in enumerate(calls, start=1))
    writer.write(Batch(recording_id=recording_of(base), calls=mine, last_ns=END))
    return recording_of(base)


def _words(call: Call) -> dict[str, Any]:
    return {name: getattr(call, name) for name in Call.__dataclass_fields__ if name != "id"}


def ok(**words: Any) -> Call:
    return make_call(1, **({"outcome": Outcome.OK, "flags": 0, "published_ns": START} | words))


def the_row(store: Store, **how: Any) -> CallSign:
    (row,) = store.reader().call_signs(START, END, **how).rows
    return row


def test_calls_are_added_up_by_who_took_them(store: Store) -> None:
    number = kept(store, ok(), ok(published_ns=START + SECOND, expiration_ms=30_000), ok(to_process=10))
    mine, other = store.reader().call_signs(START, END).rows
    assert (mine.recording_id, mine.to_process, mine.calls, other.to_process, other.calls) == (number, 9, 2, 10, 1)
    assert (mine.kind, mine.method, mine.queue) == (MessageKind.REQUEST, "build_and_run_instance", "compute.host-1")
    assert (mine.exchange, mine.routed) == ("nova", 0)
    assert (mine.publishes, mine.copies, mine.delivered, mine.answered) == (2, 8, 2, 2)
    assert (mine.silent, mine.timed_out, mine.late, mine.redelivered) == (0, 0, 0, 0)
    assert (mine.shortest_ms, mine.longest_ms) == (30_000, 60_000)
    assert (mine.first_ns, mine.last_ns) == (START, START + SECOND)


def test_what_is_remarkable_is_counted_once_for_each_call(store: Store) -> None:
    late = Flag.LATE_REPLY | Flag.REDELIVERED
    kept(store, ok(**SILENT), ok(outcome=Outcome.TIMED_OUT, flags=int(late)), ok(flags=int(Flag.REPUBLISHED)),
         ok(flags=int(Flag.UNROUTABLE)), ok(**(SILENT | {"outcome": Outcome.UNANSWERED})))  # fmt: skip
    row = the_row(store)
    assert (row.silent, row.timed_out, row.late) == (2, 2, 1)
    assert (row.redelivered, row.republished, row.unroutable) == (1, 1, 1)


@pytest.mark.parametrize(
    ("blind", "silent"),
    [
        ((START - 9 * SECOND, START - SECOND), 1),
        ((START + 59 * SECOND, START + 70 * SECOND), 0),
        ((START + 61 * SECOND, START + 70 * SECOND), 1),
    ],
)
def test_no_silence_is_claimed_where_a_tap_was_blind(store: Store, blind: tuple[int, int], silent: int) -> None:
    kept(store, ok(**SILENT))
    row = the_row(store, blind=[blind])
    assert (row.calls, row.silent, row.timed_out) == (1, silent, silent)


@pytest.mark.parametrize("hidden", [Flag.UNSEEN, Flag.EVICTED, Flag.NO_REQUEST])
def test_no_silence_is_claimed_of_what_was_not_watched_to_its_end(store: Store, hidden: Flag) -> None:
    kept(store, ok(**(SILENT | {"flags": int(hidden)})))
    assert the_row(store).silent == 0


def test_a_caller_whose_calls_time_out_again_and_again_is_told(store: Store) -> None:
    again = [ok(**SILENT, published_ns=START + n * SECOND, from_process=5) for n in range(3)]
    kept(store, *again, ok(**SILENT, from_process=6), ok(from_process=7), ok(from_process=7))
    (caller,) = store.reader().call_signs(START, END).callers
    assert (caller.from_process, caller.timed_out, caller.topic, caller.server) == (5, 3, "compute", "host-1")
    assert (caller.method, caller.last_ns) == ("build_and_run_instance", START + 2 * SECOND)


def test_a_process_that_takes_none_of_its_replies_is_told(store: Store) -> None:
    unheard = [ok(reply_delivered_ns=None, from_process=5, published_ns=START + n * SECOND) for n in range(3)]
    number = kept(store, *unheard, *(ok(reply_delivered_ns=None, from_process=6) for _ in range(2)), ok(from_process=7))
    (deaf,) = store.reader().call_signs(START, END).deaf
    assert (deaf.recording_id, deaf.from_process, deaf.answered) == (number, 5, 3)
    assert (deaf.first_ns, deaf.last_ns) == (START, START + 2 * SECOND)


def test_only_the_newest_calls_are_looked_at_and_it_is_said_since_when(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(store, *(ok(published_ns=START + n * SECOND) for n in range(5)))
    monkeypatch.setattr(host_query, "LOOK", 3)
    found = store.reader().call_signs(START, END)
    assert [row.calls for row in found.rows] == [3]
    assert found.since_ns == START + SECOND + 1


def test_marked_calls_come_newest_first_by_flag_or_outcome(store: Store) -> None:
    kept(store, ok(), ok(flags=int(Flag.LATE_REPLY), published_ns=START + SECOND),
         ok(**SILENT, published_ns=START + 2 * SECOND), ok(flags=int(Flag.REDELIVERED), published_ns=END))  # fmt: skip
    reader = store.reader()
    wanted: dict[str, Any] = {"flags": int(Flag.LATE_REPLY | Flag.REDELIVERED), "outcomes": [int(Outcome.TIMED_OUT)]}
    found = reader.marked_calls(START, END, **wanted, limit=9)
    assert [call.published_ns for call in found] == [START + 2 * SECOND, START + SECOND]
    assert len(reader.marked_calls(START, END, **wanted, limit=1)) == 1


def test_copies_of_fanouts_are_counted_by_the_queues_they_were_routed_to(store: Store) -> None:
    kept(store, *(ok(kind=MessageKind.FANOUT, routed=routed, to_process=0) for routed in (3, 4, -1)))
    row = the_row(store)
    assert (row.kind, row.calls, row.routed) == (MessageKind.FANOUT, 3, 7)
