"""Who calls whom, how often, how long and with what outcome: against the recorded captures, counted one by one."""

from __future__ import annotations

from collections import Counter

import pytest

from rpcscope.model import RPCS, Batch, Call, Flag, Outcome
from rpcscope.query.durations import Durations
from rpcscope.query.method import method
from rpcscope.query.method_over import method_over
from rpcscope.query.methods import methods
from rpcscope.query.service_processes import service_processes
from rpcscope.query.services import services
from rpcscope.query.times import MS, SECOND, percentile
from rpcscope.query.unevenness import unevenness
from rpcscope.store import Store
from rpcscope.store.buckets import bucket_of
from tests.contract.records import START, begun, make_call, make_process, recording_of


def rpcs(store: Store) -> list[Call]:
    """Every call, cast and fanout that was recorded."""
    return [call for call in store.reader().calls() if call.kind in RPCS]


def span(store: Store) -> tuple[int, int]:
    calls = rpcs(store)
    return min(call.published_ns or call.last_ns for call in calls), max(call.last_ns for call in calls) + 1


def test_the_edges_of_the_graph_are_the_calls_that_were_recorded(captures: Store) -> None:
    found = services(captures.reader(), *span(captures))
    programs = {number: one.program for number, one in captures.reader().processes().items()}
    topics = {"scheduler": "nova-scheduler", "conductor": "nova-conductor"}
    truth = Counter(
        (programs[call.from_process], programs.get(call.to_process) or topics.get(call.topic, "nova-compute"))
        for call in rpcs(captures)
    )
    assert {(edge.sender, edge.worker): edge.red.calls for edge in found.edges} == truth
    assert not found.looked.is_estimate
    assert [one.name for one in found.services if one.layer == 0] == ["gunicorn"]
    layers = {one.name: one.layer for one in found.services}
    assert layers["nova-conductor"] < layers["nova-compute"]
    (compute,) = [one for one in found.services if one.name == "nova-compute"]
    assert compute.hosts == 3
    shown = service_processes(captures.reader(), "nova-compute", 0, most=5)
    assert (len(shown.shown), shown.count) == (5, compute.processes)


def test_the_rows_of_methods_are_the_calls_that_were_recorded(captures: Store) -> None:
    from_ns, to_ns = span(captures)
    found = methods(captures.reader(), from_ns, to_ns)
    truth = Counter(call.method for call in rpcs(captures))
    assert {row.method: row.red.calls for row in found.rows} == truth
    assert [row.red.calls for row in found.rows] == sorted(truth.values(), reverse=True)
    rows = {row.method: row.red for row in found.rows}
    assert rows["select_destinations"].error_share == pytest.approx(2 / 36)
    assert rows["build_and_run_instance"].error_share is None
    assert rows["build_and_run_instance"].p50_ns is None
    save = rows["object_action(Instance.save)"]
    tooks = sorted(
        call.replied_ns - call.published_ns
        for call in rpcs(captures)
        if call.method == "object_action(Instance.save)" and call.replied_ns and call.published_ns
    )
    assert save.p50_ns == pytest.approx(percentile(tooks, 0.5), rel=0.09)
    assert save.p95_ns == pytest.approx(percentile(tooks, 0.95), rel=0.09)
    assert save.per_second == pytest.approx(len(tooks) * SECOND / (to_ns - from_ns))


@pytest.mark.parametrize(
    ("order", "first"),
    [
        ("errors", "select_destinations"),
        ("slowest", "get_console_output"),
        ("largest", "object_class_action_versions(InstanceList.get_by_filters)"),
        ("calls", "object_action(Instance.save)"),
    ],
)
def test_methods_are_sorted_by_what_is_asked_for(captures: Store, order: str, first: str) -> None:
    assert methods(captures.reader(), *span(captures), order=order).rows[0].method == first


def test_methods_are_those_between_two_services(captures: Store) -> None:
    found = methods(captures.reader(), *span(captures), worker="nova-scheduler", sender="nova-compute")
    assert {row.method for row in found.rows} == {"update_instance_info", "sync_instance_info", "delete_instance_info"}
    assert "gunicorn" in found.senders


def test_one_method_tells_who_calls_it_in_which_operations_and_how_long_it_takes(captures: Store) -> None:
    found = method(captures.reader(), "select_destinations", *span(captures))
    assert {(one.name, one.detail): one.calls for one in found.callers} == {
        ("schedule_and_build_instances", "nova-conductor"): 21,
        ("live_migrate_instance", "nova-conductor"): 9,
        ("rebuild_instance", "nova-conductor"): 6,
    }
    assert {one.name: one.calls for one in found.operation_kinds} == {"create": 21, "live-migration": 9, "evacuate": 6}
    assert [(one.name, one.calls) for one in found.failures] == [("NoValidHost", 2)]
    mine = [call for call in rpcs(captures) if call.method == "select_destinations"]
    tooks = sorted((call.replied_ns or 0) - (call.published_ns or 0) for call in mine)
    assert found.total.p95 == percentile(tooks, 0.95)
    assert (
        found.slowest[0].call.unique_id
        == max(mine, key=lambda call: (call.replied_ns or 0) - (call.published_ns or 0)).unique_id
    )
    assert all(one.request_id.startswith("req-") for one in found.slowest)


def test_steps_of_a_method_add_up_to_its_calls(captures: Store) -> None:
    from_ns, to_ns = span(captures)
    steps = method_over(captures.reader(), "select_destinations", from_ns, to_ns)
    assert (steps[0].from_ns, steps[-1].to_ns, len(steps)) == (from_ns, to_ns, 60)
    counted = [(step.to_ns - step.from_ns) / SECOND * (step.fine + step.failed) for step in steps]
    assert sum(counted) == pytest.approx(36)
    assert sum((step.to_ns - step.from_ns) / SECOND * step.failed for step in steps) == pytest.approx(2)
    assert method_over(captures.reader(), "never", from_ns, to_ns) == ()


def test_what_was_never_called_has_no_numbers(captures: Store, empty_store: Store) -> None:
    for store in (captures, empty_store):
        found = method(store.reader(), "never", 0, START)
        assert (found.looked_calls, found.error_share, found.total.p50, found.unevenness) == (0, None, None, None)
    assert services(empty_store.reader(), 0, START).services == ()


def test_failures_that_the_rules_expect_are_no_errors(empty_store: Store) -> None:
    writer, base = begun(empty_store)
    flags = int(Flag.EXPECTED_FAILURE)
    calls = [make_call(base + 1 + n, outcome=Outcome.FAILED, flags=flags, published_ns=START + n) for n in range(3)]
    calls.append(make_call(base + 9, outcome=Outcome.FAILED, flags=0, published_ns=START))
    writer.write(Batch(recording_id=recording_of(base), calls=tuple(calls)))
    (row,) = methods(empty_store.reader(), START, START + SECOND).rows
    assert (row.red.error_share, row.red.expected, row.red.failed) == (0.25, 3, 1)
    found = method(empty_store.reader(), row.method, START, START + SECOND)
    assert (found.error_share, found.expected) == (0.25, 3)


def test_replies_that_were_unseen_leave_errors_unknown(empty_store: Store) -> None:
    writer, base = begun(empty_store, tap_mode="bindings")
    call = make_call(base + 1, outcome=Outcome.NONE, flags=0, published_ns=START, replied_ns=None, delivered_ns=None)
    writer.write(Batch(recording_id=recording_of(base), calls=(call,), last_ns=START + SECOND))
    found = methods(empty_store.reader(), START, START + SECOND)
    assert found.looked.replies_unseen
    assert (found.rows[0].red.error_share, found.rows[0].red.p50_ns) == (None, None)


def test_work_that_one_process_takes_alone_is_uneven(empty_store: Store) -> None:
    writer, base = begun(empty_store)
    processes = tuple(make_process(base + n, pid=n, host=f"host-{n}") for n in (1, 2))
    calls = tuple(
        make_call(base + 10 + n, to_process=base + (1 if n < 9 else 2), published_ns=START + n, flags=0)
        for n in range(10)
    )
    writer.write(Batch(recording_id=recording_of(base), processes=processes, calls=calls))
    found = method(empty_store.reader(), "build_and_run_instance", START, START + SECOND)
    assert [(one.process, one.calls, one.share) for one in found.workers] == [
        ("nova-compute:1", 9, 0.9), ("nova-compute:2", 1, 0.1)
    ]  # fmt: skip
    assert found.unevenness == pytest.approx(0.4)


def test_unevenness_is_what_would_have_to_move() -> None:
    assert unevenness([5, 5, 5]) == 0
    assert unevenness([10, 0]) == 0.5
    assert unevenness([7]) is None
    assert unevenness([]) is None


def test_percentiles_of_buckets_are_those_of_the_durations() -> None:
    values = sorted((n * 7919 % 1_000 + 1) * MS for n in range(500))
    durations = Durations()
    for value in values:
        durations.add(bucket_of(value), 1, value)
    for share in (0.05, 0.5, 0.95, 1):
        assert durations.percentile_ns(share) == pytest.approx(percentile(values, share), rel=0.09)
    assert Durations().percentile_ns(0.5) is None
