"""The four durations add up whatever the clocks say; clocks are found from calls that both ends told of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcscope.model import Account, Call, Clock, MessageKind, Outcome, Side
from rpcscope.query.clocks import SAME, TAP, Clocks, Meter, Offset
from rpcscope.query.four import Four, four
from rpcscope.query.testimony import Told, told_of
from tests.contract.records import START, make_call

MS = 1_000_000
UNKNOWN = Clocks({})
SENT, RECEIVED, STARTED, ENDED, TAKEN = (START + n * MS for n in (0, 5, 12, 42, 45))
"""True times of one call."""


def account(side: Side, host: str, ahead_ns: int = 0, **times: Any) -> Account:
    """Of a host whose clock is ahead; times are true times."""
    read = {f"{word}_ns": None if at is None else at + ahead_ns for word, at in times.items() if word != "outcome"}
    outcome = times.get("outcome", Outcome.OK)
    words: dict[str, Any] = {"call_id": 1, "process": side + 1, "source": "driver", "at_ns": 0, "outcome": outcome}
    return Account(side=side, host=host, **words, **read)


def told(ahead_ns: int = 0, client_host: str = "a", **client: Any) -> Told:
    """Both sides of the call; the worker's clock is ahead."""
    asked = account(Side.CLIENT, client_host, **({"sent": SENT, "taken": TAKEN} | client))
    return told_of([asked, account(Side.SERVER, "b", ahead_ns, received=RECEIVED, started=STARTED, ended=ENDED)])


def call(**words: Any) -> Call:
    on_bus: dict[str, Any] = {
        "published_ns": SENT + MS, "delivered_ns": RECEIVED - MS, "replied_ns": ENDED + MS // 2,
        "reply_delivered_ns": TAKEN - MS, "clock": Clock.TAP,
    }  # fmt: skip
    return make_call(1, **(on_bus | words))


def parts(found: Four) -> tuple[int | None, ...]:
    return found.broker_wait_ns, found.pool_wait_ns, found.execution_ns, found.reply_wait_ns


def apart(ahead_ns: int, error_ns: int = 0) -> Clocks:
    return Clocks({("b", "a"): Offset(ahead_ns=ahead_ns, error_ns=error_ns, pairs=9)})


# ------------------------------------------------------------------ the four


def test_on_one_host_the_four_are_exact() -> None:
    found = four(call(), told(client_host="b"), UNKNOWN)
    assert parts(found) == (5 * MS, 7 * MS, 30 * MS, 3 * MS)
    assert (found.total_ns, found.error_ns) == (45 * MS, 0)


@given(st.integers(-40 * MS, 4 * MS), st.integers(0, 50 * MS))
def test_they_add_up_to_the_whole_however_far_the_clocks_are_apart(wrong_ns: int, error_ns: int) -> None:
    found = four(call(), told(1_000 * MS), apart(1_000 * MS + wrong_ns, error_ns))
    assert sum(part or 0 for part in parts(found)) == max(
        found.total_ns or 0, (found.broker_wait_ns or 0) + (found.pool_wait_ns or 0) + (found.execution_ns or 0)
    )
    assert (found.pool_wait_ns, found.execution_ns, found.error_ns) == (7 * MS, 30 * MS, error_ns)
    assert abs((found.broker_wait_ns or 0) - 5 * MS) <= abs(wrong_ns)


def test_where_the_clocks_are_not_known_the_bus_tells_the_broker_wait() -> None:
    found = four(call(), told(1_000 * MS), UNKNOWN)
    assert parts(found) == (3 * MS, 7 * MS, 30 * MS, 5 * MS)
    assert found.error_ns is None


def test_where_nothing_tells_how_the_rest_divides_it_is_unknown_and_not_zero() -> None:
    found = four(call(clock=Clock.HOST), told(1_000 * MS), UNKNOWN)
    assert parts(found) == (None, 7 * MS, 30 * MS, None)
    assert found.total_ns == 45 * MS


def test_with_a_worker_that_tells_and_a_caller_that_does_not_the_bus_is_the_caller() -> None:
    clocks = Clocks({("b", TAP): Offset(ahead_ns=1_000 * MS, error_ns=7, pairs=1)})
    server = account(Side.SERVER, "b", 1_000 * MS, received=RECEIVED, started=STARTED, ended=ENDED)
    found = four(call(), told_of([server]), clocks)
    assert parts(found) == (4 * MS, 7 * MS, 30 * MS, 2 * MS)
    assert (found.total_ns, found.error_ns) == (43 * MS, 7)


def test_a_caller_alone_tells_the_whole_and_what_sending_took() -> None:
    client = account(Side.CLIENT, "a", sent=SENT, confirmed=SENT + 2 * MS, taken=TAKEN)
    found = four(call(), told_of([client]), UNKNOWN)
    assert (found.total_ns, found.send_wait_ns, found.pool_wait_ns, found.reply_wait_ns) == (
        45 * MS,
        2 * MS,
        None,
        None,
    )


def test_what_goes_on_has_the_parts_that_are_over() -> None:
    server = account(Side.SERVER, "a", received=RECEIVED, started=STARTED, outcome=Outcome.NONE)
    client = account(Side.CLIENT, "a", sent=SENT, outcome=Outcome.NONE)
    open_call = call(kind=MessageKind.CAST, replied_ns=None, reply_delivered_ns=None, outcome=Outcome.NONE)
    found = four(open_call, told_of([client, server]), UNKNOWN)
    assert parts(found) == (5 * MS, 7 * MS, None, None)
    assert found.total_ns is None


# ------------------------------------------------------------------ sources


def test_what_the_driver_tells_goes_before_what_spans_tell_and_they_fill_what_it_does_not() -> None:
    driver = account(Side.SERVER, "b", received=RECEIVED, started=STARTED)
    spans = Account(
        call_id=1, side=Side.SERVER, process=2, source="otlp", host="b", at_ns=0, started_ns=1, ended_ns=ENDED,
        failure="Boom",
    )  # fmt: skip
    one = told_of([spans, driver]).server
    assert one is not None
    assert (one.source, one.started_ns, one.ended_ns, one.failure) == ("driver", STARTED, ENDED, "Boom")


def test_of_several_workers_the_first_is_told_first() -> None:
    late = account(Side.SERVER, "c", received=RECEIVED + 9)
    first = account(Side.SERVER, "b", received=RECEIVED)
    other = told_of([Account(**{**_fields(late), "process": 7}), first])
    assert [one.host for one in other.servers] == ["b", "c"]


def _fields(one: Account) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__slots__}


# ------------------------------------------------------------------ clocks


def exchange(meter: Meter, ahead_ns: int, there_ns: int, back_ns: int, *, lag_ns: int = 0) -> None:
    """One call from a to b, whose clock is ahead; the tap reads everything a little late."""
    there, ended = SENT + there_ns, SENT + there_ns + 10 * MS
    client = account(Side.CLIENT, "a", sent=SENT, taken=ended + back_ns)
    server = account(Side.SERVER, "b", ahead_ns, received=there, started=there, ended=ended)
    seen = call(
        published_ns=SENT + there_ns // 2 + lag_ns, delivered_ns=there + lag_ns, replied_ns=ended + lag_ns,
        reply_delivered_ns=ended + back_ns // 2 + lag_ns,
    )  # fmt: skip
    meter.take(seen, told_of([client, server]))


@given(
    st.integers(-10_000 * MS, 10_000 * MS),
    st.lists(st.tuples(st.integers(1, 90 * MS), st.integers(1, 90 * MS)), min_size=1, max_size=9),
)
def test_the_offset_of_two_hosts_is_within_its_error(ahead_ns: int, ways: list[tuple[int, int]]) -> None:
    meter = Meter()
    for there_ns, back_ns in ways:
        exchange(meter, ahead_ns, there_ns, back_ns)
    for clock, of, truth in (("b", "a", ahead_ns), ("a", "b", -ahead_ns)):
        found = meter.clocks().ahead(clock, of)
        assert found is not None
        assert abs(found.ahead_ns - truth) <= found.error_ns
        assert found.error_ns <= max(1, min(a for a, _ in ways) + min(b for _, b in ways))


def test_more_messages_make_the_error_smaller() -> None:
    few, many = Meter(), Meter()
    exchange(few, 7 * MS, 40 * MS, 40 * MS)
    for meter in (few, many):
        exchange(meter, 7 * MS, 20 * MS, 30 * MS)
    exchange(many, 7 * MS, 1 * MS, 30 * MS)
    exchange(many, 7 * MS, 50 * MS, 1 * MS)
    one, other = few.clocks().ahead("b", "a"), many.clocks().ahead("b", "a")
    assert one is not None
    assert other is not None
    assert other.error_ns < one.error_ns
    assert abs(other.ahead_ns - 7 * MS) <= other.error_ns


def test_a_host_is_set_beside_the_tap_by_the_exchanges_that_took_least() -> None:
    meter = Meter()
    for lag_ns in (MS // 10, 30 * MS, 90 * MS):
        exchange(meter, 250 * MS, 2 * MS, 2 * MS, lag_ns=lag_ns)
    found = meter.clocks().ahead("b", TAP)
    assert found is not None
    assert abs(found.ahead_ns - 250 * MS) <= 90 * MS


def test_hosts_that_never_spoke_to_each_other_are_set_beside_each_other_by_the_tap() -> None:
    clocks = Clocks(
        {
            ("a", TAP): Offset(ahead_ns=5, error_ns=1, pairs=3),
            ("c", TAP): Offset(ahead_ns=-7, error_ns=2, pairs=8),
        }
    )
    assert clocks.ahead("a", "c") == Offset(ahead_ns=12, error_ns=3, pairs=3)
    assert clocks.ahead("a", "a") == SAME
    assert clocks.ahead("a", "nobody") is None


def test_one_way_alone_tells_nothing_of_a_clock() -> None:
    meter = Meter()
    cast = told_of([
        account(Side.CLIENT, "a", sent=SENT, outcome=Outcome.NONE),
        account(Side.SERVER, "b", 9 * MS, received=RECEIVED, outcome=Outcome.NONE),
    ])  # fmt: skip
    meter.take(call(kind=MessageKind.CAST), cast)
    assert meter.clocks().rows() == []


def test_a_caller_that_gave_up_bounds_no_clock() -> None:
    meter = Meter()
    meter.take(None, told(9 * MS, outcome=Outcome.TIMED_OUT))
    assert meter.clocks().rows() == []


@pytest.mark.parametrize("clock", [Clock.BROKER, Clock.HOST])
def test_times_that_the_tap_did_not_read_say_nothing_of_its_clock(clock: Clock) -> None:
    meter = Meter()
    meter.take(call(clock=clock), told())
    assert meter.clocks().ahead("b", TAP) is None
