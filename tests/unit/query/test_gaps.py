"""A gap shows at what it touches, and nothing is claimed from silence while a tap was blind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from rpcscope.model import Gap, GapCause, Outcome, Sighting, Status, TapPhase
from rpcscope.query.calls import Calls, CallView
from rpcscope.query.cost import costs
from rpcscope.query.gap_words import blind
from rpcscope.query.gaps import Gaps, Loss, gaps_touching, together
from rpcscope.query.operations import Operations, OperationView
from rpcscope.store import Store, open_store
from rpcscope.store.protocol import OperationFilter
from tests.support.bus import SECOND, START_NS, Bus
from tests.support.nova import Nova
from tests.support.stored import keep

HOUR = 3_600 * SECOND


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store.sqlite"), create=True)


@pytest.fixture(autouse=True)
def _closed(store: Store) -> object:
    yield
    store.close()


def gap(start_s: float, end_s: float, *, estimate: int | None = None, cause: GapCause = GapCause.DROPPED) -> Gap:
    """Seconds after the first event."""
    return Gap(
        from_ns=START_NS + round(start_s * SECOND), to_ns=START_NS + round(end_s * SECOND), cause=cause,
        estimate=estimate,
    )  # fmt: skip


def phase(at_s: float, mode: str) -> TapPhase:
    return TapPhase(at_ns=START_NS + round(at_s * SECOND), mode=mode, why="test")


def loss(start: int, end: int, *, recording: int = 1, cause: str = "dropped", estimate: int | None = None) -> Loss:
    return Loss(recording_id=recording, from_ns=start, to_ns=end, cause=cause, estimate=estimate)


def operations(store: Store) -> dict[str, OperationView]:
    return {view.whole.request_id: view for view in Operations(store.reader()).find(OperationFilter())}


def calls(store: Store, view: OperationView) -> dict[str, CallView]:
    return {one.call.method: one for one in Calls(store.reader()).of_operation(view.ids)}


def boot(store: Store, *more: Sighting) -> OperationView:
    """A boot that takes some milliseconds, five seconds after the first event, and what a tap told besides."""
    nova = Nova(Bus(), computes=1)
    nova.report_state(nova.computes["compute-1"])
    nova.bus.wait(5)
    request_id = nova.bus.request_id()
    nova.boot(request_id, [nova.bus.uuid()])
    nova.bus.wait(5)
    nova.report_state(nova.computes["compute-1"])
    keep(store, [nova.bus.topology(), *nova.bus.events, *more])
    return operations(store)[request_id]


# ------------------------------------------------------------------ which gaps


@pytest.mark.parametrize(
    ("planted", "touched"),
    [((1, 3), False), ((4.9, 5.001), True), ((4, 6), True), ((5.001, 5.002), True), ((6, 8), False)],
)
def test_a_gap_touches_an_operation_that_it_overlaps(store: Store, planted: tuple[float, float], touched: bool) -> None:
    view = boot(store, gap(*planted, estimate=7))
    told = view.as_dict()["gaps"]
    assert isinstance(told, list)
    assert [(one["cause"], one["missed"]) for one in told] == ([("dropped", 7)] if touched else [])
    assert (view.status, view.end_missed) == (Status.DONE, False)
    (cost,) = costs(store.reader(), kind="create")
    assert (cost.operations, cost.touched, len(cost.gaps)) == (1, int(touched), int(touched))
    assert cost.as_dict()["operations_with_gaps"] == int(touched)


def test_gaps_are_found_by_time_and_by_recording(store: Store) -> None:
    first, second = gap(0, 10), gap(4, 5, cause=GapCause.STORE)
    keep(store, [first], [second])
    reader = store.reader()
    of = [(one.recording_id, one.cause) for one in gaps_touching(reader, START_NS, START_NS + HOUR)]
    assert of == [(1, "dropped"), (2, "store")]
    assert [one.recording_id for one in gaps_touching(reader, recordings={2})] == [2]
    late = START_NS + 7 * SECOND
    assert [one.recording_id for one in gaps_touching(reader, late, late)] == [1]
    assert gaps_touching(reader, START_NS + 11 * SECOND, START_NS + HOUR) == ()
    assert gaps_touching(reader, 0, START_NS - 1) == ()


def test_a_long_early_gap_is_found_behind_many_short_ones(store: Store) -> None:
    short = [gap(n, n + 0.1) for n in range(1, 50)]
    keep(store, [gap(0, 100), *short])
    found = Gaps(store.reader()).touching(START_NS + 60 * SECOND, START_NS + 61 * SECOND)
    assert [one.from_ns for one in found] == [START_NS]


@pytest.mark.parametrize(("mode", "touched"), [("control", 0), ("inside", 1)])
def test_what_services_could_not_tell_touches_only_what_no_tap_on_the_bus_saw(
    store: Store, mode: str, touched: int
) -> None:
    keep(store, [gap(4, 6, cause=GapCause.INSIDE)], mode=mode)
    assert len(gaps_touching(store.reader())) == touched


def test_what_touches_several_things_is_told_once() -> None:
    one, two = loss(1, 2), loss(5, 6)
    assert together([(two,), (one, two), ()]) == (one, two)


# ------------------------------------------------------------------ phases in which a tap saw less


def test_a_phase_in_which_the_tap_let_go_touches_like_a_gap(store: Store) -> None:
    view = boot(store, phase(0, "control"), phase(5.001, "off"), phase(7, "control"))
    assert [(one.cause, one.estimate) for one in view.gaps] == [("off", None)]
    assert view.gaps[0].to_ns == START_NS + 7 * SECOND


def test_a_phase_of_requests_alone_touches_where_other_phases_saw_more(store: Store) -> None:
    view = boot(store, phase(0, "bindings"), phase(4, "control"), phase(20, "bindings"))
    assert view.gaps == ()
    assert [one.cause for one in gaps_touching(store.reader())] == ["bindings", "bindings"]


def test_a_phase_that_is_told_as_a_gap_too_counts_once(store: Store) -> None:
    told = gap(5, 7, cause=GapCause.NOT_TRACED)
    view = boot(store, phase(0, "control"), phase(5, "off"), phase(7, "control"), told)
    assert [one.cause for one in view.gaps] == ["not_traced"]


def test_phases_that_see_all_publishes_touch_nothing(store: Store) -> None:
    assert boot(store, phase(0, "publish"), phase(5, "full"), phase(6, "control")).gaps == ()


# ------------------------------------------------------------------ ends that may have been missed


def half_a_boot(store: Store, *more: Gap) -> OperationView:
    """A boot whose compute is not heard of again; the recording goes on."""
    nova = Nova(Bus(), computes=2)
    request_id, server = nova.bus.request_id(), nova.bus.uuid()
    nova.schedule(request_id, [server])
    nova.select(request_id, [server])
    nova.build(request_id, server, "compute-1")
    nova.bus.wait(120)
    nova.report_state(nova.computes["compute-2"])
    keep(store, [nova.bus.topology(), *nova.bus.events, *more])
    return operations(store)[request_id]


def test_without_a_gap_it_is_stuck(store: Store) -> None:
    view = half_a_boot(store)
    assert (view.status, view.end_missed) == (Status.STUCK, False)


def test_whose_end_may_lie_in_a_gap_is_not_called_stuck(store: Store) -> None:
    view = half_a_boot(store, gap(3, 6.2, estimate=40))
    assert (view.status, view.is_in_doubt, view.stuck_since_ns) == (Status.UNKNOWN, True, None)
    assert view.owed is not None
    assert view.owed.method == "build_and_run_instance"
    assert len(view.gaps) == 1


def test_a_gap_before_the_step_that_is_waited_for_changes_nothing(store: Store) -> None:
    view = half_a_boot(store, gap(-10, -1), gap(0.0001, 0.0002))
    assert (view.status, view.end_missed) == (Status.STUCK, False)
    assert len(view.gaps) == 1


def test_a_cast_that_made_steps_after_the_gap_is_stuck_all_the_same(store: Store) -> None:
    nova = Nova(Bus(), computes=2)
    request_id, server = nova.bus.request_id(), nova.bus.uuid()
    nova.schedule(request_id, [server])
    nova.build(request_id, server, "compute-1")
    nova.bus.wait(5)
    nova.save(nova.computes["compute-1"], "Instance", request_id, server)
    nova.bus.wait(120)
    nova.report_state(nova.computes["compute-2"])
    keep(store, [nova.bus.topology(), *nova.bus.events, gap(1, 2)])
    assert operations(store)[request_id].status is Status.STUCK


def console(store: Store, *more: Gap, replied: bool = False) -> tuple[OperationView, CallView]:
    """A call whose reply is not seen within its minute."""
    nova = Nova(Bus(), computes=2)
    request_id = nova.bus.request_id()
    rpc = nova.bus.call(
        nova.api, nova.computes["compute-1"], "get_console_output", {}, request_id=request_id, server="compute-1"
    )
    if replied:
        nova.bus.reply(rpc, failure="ConsoleNotAvailable")
    nova.bus.wait(200)
    nova.report_state(nova.computes["compute-2"])
    keep(store, [nova.bus.topology(), *nova.bus.events, *more])
    view = operations(store)[request_id]
    return view, calls(store, view)["get_console_output"]


def test_without_a_gap_it_timed_out_and_failed(store: Store) -> None:
    view, call = console(store)
    assert (view.status, view.whole.error, call.outcome) == (Status.FAILED, "MessagingTimeout", Outcome.TIMED_OUT)


@pytest.mark.parametrize("planted", [(0.0001, 3), (30, 33), (59, 100)])
def test_whose_reply_may_lie_in_a_gap_neither_timed_out_nor_failed(store: Store, planted: tuple[float, float]) -> None:
    view, call = console(store, gap(*planted))
    assert (view.status, view.whole.error, view.is_in_doubt) == (Status.UNKNOWN, "", True)
    assert (call.outcome_word, len(call.gaps)) == ("unknown", 1)


@pytest.mark.parametrize("planted", [(-5, -1), (61, 100)])
def test_a_gap_outside_the_callers_time_changes_nothing(store: Store, planted: tuple[float, float]) -> None:
    view, call = console(store, gap(*planted))
    assert (view.status, call.outcome, view.end_missed) == (Status.FAILED, Outcome.TIMED_OUT, False)


def test_a_failure_that_was_seen_stays_one_whatever_was_missed(store: Store) -> None:
    view, call = console(store, gap(0.0001, 100), replied=True)
    assert (view.status, view.whole.error, call.outcome) == (Status.FAILED, "ConsoleNotAvailable", Outcome.FAILED)


def test_a_gap_of_another_broker_casts_no_doubt_but_shows(store: Store) -> None:
    nova = Nova(Bus(), computes=2)
    request_id = nova.bus.request_id()
    nova.schedule(request_id, [nova.bus.uuid()])
    nova.bus.wait(120)
    nova.report_state(nova.computes["compute-2"])
    keep(store, [nova.bus.topology(), *nova.bus.events], [gap(1, 2)])
    view = operations(store)[request_id]
    assert (view.status, view.end_missed, len(view.gaps)) == (Status.STUCK, False, 1)


# ------------------------------------------------------------------ a recorder that was started again


def test_what_an_earlier_run_of_the_recorder_began_is_judged_as_of_the_last(store: Store) -> None:
    nova = Nova(Bus(), computes=2)
    request_id = nova.bus.request_id()
    nova.schedule(request_id, [nova.bus.uuid()])
    before = list(nova.bus.events)
    nova.bus.events.clear()
    nova.bus.wait(120)
    nova.report_state(nova.computes["compute-2"])
    keep(store, [nova.bus.topology(), *before], labels=["cell"])
    assert operations(store)[request_id].status is Status.RUNNING
    keep(store, nova.bus.events, labels=["cell"])
    assert operations(store)[request_id].status is Status.STUCK


def test_a_call_that_a_later_run_still_waits_for_is_pending(store: Store) -> None:
    nova = Nova(Bus(), computes=2)
    request_id = nova.bus.request_id()
    more = {"request_id": request_id, "server": "compute-1", "timeout_ms": 600_000}
    nova.bus.call(nova.api, nova.computes["compute-1"], "get_console_output", {}, **more)
    before = list(nova.bus.events)
    nova.bus.events.clear()
    nova.report_state(nova.computes["compute-2"])
    keep(store, [nova.bus.topology(), *before], labels=["cell"], ended=False)
    keep(store, nova.bus.events, labels=["cell"], ended=False)
    view = operations(store)[request_id]
    assert calls(store, view)["get_console_output"].outcome is Outcome.PENDING


# ------------------------------------------------------------------ in words


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        (
            [loss(START_NS, START_NS + 3_200_000_000, estimate=40)],
            "blind 3.2 s from 2026-11-20T08:36:28Z: its queue was full, about 40 messages missed",
        ),
        (
            [loss(START_NS, START_NS + SECOND, cause="disconnected")],
            "blind 1.0 s from 2026-11-20T08:36:28Z: no connection to the broker, an unknown number of messages missed",
        ),
        (
            [
                loss(START_NS, START_NS + SECOND, estimate=4),
                loss(START_NS + 2 * SECOND, START_NS + 4 * SECOND),
                loss(START_NS + 5 * SECOND, START_NS + 65 * SECOND, cause="off"),
            ],
            "blind 3 times, 1 min 3 s in all, between 2026-11-20T08:36:28Z and 2026-11-20T08:37:33Z: its queue was "
            "full, about 4 messages and an unknown number more missed (2 times); the tap had let go, an unknown "
            "number of messages missed (once)",
        ),
    ],
)  # fmt: skip
def test_what_was_missed_is_said_in_one_way(losses: Sequence[Loss], words: str) -> None:
    assert blind(losses) == words


def test_every_cause_of_a_gap_has_words() -> None:
    for cause in GapCause:
        said = blind([replace(loss(START_NS, START_NS + 1), cause=cause.name.lower())])
        assert cause.name.lower() not in said
