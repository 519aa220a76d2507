"""What processes told of calls is kept beside the calls, and goes with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rpcscope.model import Account, Batch, Outcome, Side
from rpcscope.store import Store
from tests.contract.records import SECOND, START, begun, make_call, make_operation, recording_of


def make_account(call_id: int, **words: Any) -> Account:
    """Each field different from its neighbours."""
    defaults: dict[str, Any] = {
        "call_id": call_id,
        "side": Side.SERVER,
        "process": 31,
        "source": "driver",
        "host": "host-1",
        "at_ns": START + 1,
        "sent_ns": START + 2,
        "confirmed_ns": START + 3,
        "taken_ns": START + 4,
        "received_ns": START + 5,
        "started_ns": START + 6,
        "ended_ns": START + 7,
        "replied_ns": START + 8,
        "outcome": Outcome.FAILED,
        "failure": "NoValidHost",
        "request_bytes": 9,
        "reply_bytes": 10,
        "timeout_ms": 11,
        "retries": 12,
        "reconnects": 13,
        "pool_wait_ns": 14,
        "trace_id": "a" * 32,
        "span_id": "b" * 16,
        "parent_span_id": "c" * 16,
    }
    return Account(**(defaults | words))


def bare(call_id: int, **words: Any) -> Account:
    """Nothing but who told it."""
    return Account(**({"call_id": call_id, "side": Side.CLIENT, "process": 32, "source": "otlp", "host": ""} | words))


def test_an_account_comes_back_as_it_was_and_what_was_not_told_stays_unknown(store: Store) -> None:
    writer, base = begun(store)
    told = (bare(base + 1, at_ns=START), make_account(base + 1), make_account(base + 2))
    writer.write(Batch(recording_id=recording_of(base), accounts=told))
    assert store.reader().accounts([base + 1, base + 2, base + 3]) == {base + 1: list(told[:2]), base + 2: [told[2]]}


def test_sources_and_processes_of_one_side_stay_apart(store: Store) -> None:
    writer, base = begun(store)
    told = [make_account(base + 1, process=p, source=s) for p in (5, 6) for s in ("driver", "otlp")]
    writer.write(Batch(recording_id=recording_of(base), accounts=tuple(told)))
    assert store.reader().accounts([base + 1]) == {base + 1: told}


def test_more_that_is_told_later_replaces_and_what_was_told_before_is_kept(store: Store) -> None:
    writer, base = begun(store)
    before = bare(base + 1, at_ns=START, sent_ns=START + 5, failure="", host="host-1", retries=2)
    writer.write(Batch(recording_id=recording_of(base), accounts=(before,)))
    after = bare(base + 1, at_ns=START + 9, taken_ns=START + 8, outcome=Outcome.OK)
    writer.write(Batch(recording_id=recording_of(base), accounts=(after,)))
    both = replace(after, sent_ns=START + 5, host="host-1", retries=2)
    assert store.reader().accounts([base + 1]) == {base + 1: [both]}


def test_the_newest_accounts_are_those_of_the_calls_that_began_last(store: Store) -> None:
    writer, base = begun(store)
    _, other = begun(store)
    told = tuple(make_account(base + n) for n in range(1, 6))
    writer.write(Batch(recording_id=recording_of(base), accounts=told))
    reader = store.reader()
    assert reader.newest_accounts(2) == {base + 4: [told[3]], base + 5: [told[4]]}
    assert reader.newest_accounts(9, recording_id=recording_of(other)) == {}


def test_calls_are_found_by_their_ids_closed_or_open(store: Store) -> None:
    writer, base = begun(store)
    closed, opened = make_call(base + 1), make_call(base + 2, closed=False)
    writer.write(Batch(recording_id=recording_of(base), calls=(closed,), open_calls=(opened,)))
    assert store.reader().calls_by_id([base + 1, base + 2, base + 3]) == {closed.id: closed, opened.id: opened}


def test_accounts_go_with_their_calls(store: Store) -> None:
    writer, base = begun(store)
    old, new = make_operation(base + 1), make_operation(base + 2, started_ns=START + 90 * SECOND)
    calls = (make_call(base + 1, operation_id=old.id), make_call(base + 2, operation_id=new.id))
    told = (make_account(base + 1), make_account(base + 2), make_account(base + 3, failure="OnlyHere"))
    batch = Batch(recording_id=recording_of(base), operations=(old, new), calls=calls, accounts=told)
    writer.write(batch)
    deleted = store.writer().prune(START + 80 * SECOND)
    assert (deleted["call"], deleted["call_account"]) == (1, 2)
    assert store.reader().accounts([base + n for n in (1, 2, 3)]) == {base + 2: [told[1]]}
    assert store.writer().prune(START + 80 * SECOND)["call_account"] == 0
