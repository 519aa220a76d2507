"""Recorded operations become steps: their order, their times, what waits, who is who."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rpcscope.model import Call, Clock, MessageKind, Process
from rpcscope.templates.known import known
from rpcscope.templates.model import Provenance, Step, Template, walk
from rpcscope.templates.seen import Seen
from rpcscope.templates.variants import MOST_VARIANTS, template
from tests.support.emitted import HOP_NS, MS, a_call, a_cast, seen

EVENT = "object_class_action_versions(InstanceActionEvent.event_finish_with_failure)"
START = 1_000 * MS
MIGRATION, INSTANCE = "object_action(Migration.save)", "object_action(Instance.save)"


def learned(*operations: Seen) -> Template:
    made, _ = template(operations, known(), Provenance())
    return made


def below(*operations: Sequence[Call], **more: str) -> tuple[Step, ...]:
    """The steps of a handler that got its cast at 0."""
    handled = a_cast(1, "handle", START - HOP_NS)
    mine = [seen([handled, *calls], **more) for calls in operations]
    (variant,) = learned(*mine).variants
    return variant.roots[0].steps


def child(id: int, method: str, at_ms: float, took_ms: float = 5.0, **more: object) -> Call:
    """A child of the handler, so long after the delivery of its cast, and answered so long after that."""
    at, end = START + round(at_ms * MS), START + round((at_ms + took_ms) * MS)
    times = {"replied_ns": end - HOP_NS, "reply_delivered_ns": end, "last_ns": end}
    return a_call(id, method, at, 1, **times | more)


def test_a_step_waits_for_the_sibling_that_ended_last_before_it() -> None:
    first, second, third = below([child(2, "a", 1), child(3, "b", 10), child(4, "c", 20)])
    assert (first.after, second.after, third.after) == (-1, 0, 1)
    assert first.delay.quantiles_s == (0.001,)
    assert second.delay.quantiles_s == (0.004,)  # from 6, the answer to a, to 10


def test_siblings_that_overlap_wait_for_the_same() -> None:
    steps = below([child(2, "a", 1), child(3, "b", 10, 20), child(4, "c", 11, 5), child(5, "d", 31)])
    assert [step.after for step in steps] == [-1, 0, 0, 1]  # d waits for b, which ends after c


def test_the_order_of_two_threads_is_noise_and_makes_no_variant() -> None:
    one = [child(2, "a", 1), child(3, "b", 10), child(4, "c", 16)]
    other = [child(2, "a", 1), child(3, "c", 10), child(4, "b", 16)]
    overlapping = [child(2, "a", 1), child(3, "b", 10), child(4, "c", 12)]
    steps = below(one, other, overlapping, one)
    assert {step.method: step.after for step in steps} == {"a": -1, "b": 0, "c": 0}


def test_one_reading_in_the_wrong_order_among_many_does_not_make_two_steps_concurrent() -> None:
    right = [child(2, "a", 1), child(3, "b", 10)]
    wrong = [child(2, "a", 1, 9.5), child(3, "b", 10)]
    steps = below(*([right] * 30), wrong)
    assert [step.after for step in steps] == [-1, 0]
    assert min(steps[1].delay.quantiles_s) == 0.0


def test_nothing_waits_for_the_event_that_ends_a_handler_while_its_thread_goes_on() -> None:
    steps = below([child(2, "a", 1), child(3, EVENT, 10), child(4, "b", 11, 1), child(5, "c", 20)])
    assert [(step.method, step.after) for step in steps][2:] == [("b", 0), ("c", 2)]


def test_work_leaves_out_the_children_that_were_waited_for() -> None:
    outer = a_call(1, "outer", 0, delivered_ns=2 * MS, replied_ns=40 * MS, reply_delivered_ns=41 * MS)
    inner = a_call(2, "inner", 10 * MS, 1, replied_ns=20 * MS, reply_delivered_ns=22 * MS)
    late = a_call(3, "late", 30 * MS, 1, replied_ns=60 * MS, reply_delivered_ns=61 * MS)
    (step,) = learned(seen([outer, inner, late])).variants[0].roots
    assert step.work.quantiles_s == (0.018,)  # from 22 to 40: the late one was not waited for
    assert step.steps[0].delay.quantiles_s == (0.008,)  # from the delivery: the queue is the broker's
    assert step.steps[0].work.quantiles_s == (round((10 * MS - HOP_NS) / 1e9, 6),)


def test_times_of_two_clocks_are_not_set_against_each_other() -> None:
    outer = a_call(1, "outer", 1, delivered_ns=900 * MS, replied_ns=40 * MS, clock=Clock.BROKER)
    inner = a_call(2, "inner", 10 * MS, 1, delivered_ns=990 * MS, replied_ns=20 * MS, clock=Clock.BROKER)
    (step,) = learned(seen([outer, inner])).variants[0].roots
    assert (step.steps[0].delay.quantiles_s, step.steps[0].work.quantiles_s) == ((0.01,), (0.01,))
    assert step.work.quantiles_s == (0.02,)


def test_a_root_waits_for_another_only_if_the_same_service_sends_both() -> None:
    people = {
        number: Process(
            id=number, key="", program="", pid=number, peer="", host=host, role=role, seen_ns=0, gone_ns=None
        )
        for number, role, host in ((7, "compute", "host-a"), (8, "", "api"))
    }
    calls = [
        a_call(1, "a", START, from_process=7),
        a_call(2, "b", START + 20 * MS, from_process=7),
        a_cast(3, "external_instance_event", START + 40 * MS, from_process=8),
    ]
    roots = learned(seen(calls, people)).variants[0].roots
    assert [(root.sender, root.sender_host, root.after) for root in roots] == [
        ("compute", "source", -1),
        ("compute", "source", 0),
        ("api", "", -1),
    ]
    assert roots[2].delay.quantiles_s == (0.04,)


def test_hosts_are_roles_and_a_rejected_candidate_is_a_dest_too() -> None:
    steps = below(
        [
            child(2, "check", 1, topic="compute", server="host-c"),
            child(3, "check", 10, topic="compute", server="host-b"),
            child(4, "go", 20, topic="compute-alt", server="host-a"),
        ]
    )
    assert [step.host for step in steps] == ["dest", "dest", "source"]
    calls = [a_call(1, "ask", 1, server="host-c"), a_call(2, "set", MS, topic="compute", server="host-x")]
    shared, only = learned(seen(calls, source_host="", dest_host="")).variants[0].roots
    assert (shared.host, only.host) == ("", "source")


def test_shapes_are_variants_the_most_frequent_first_and_failures_last() -> None:
    short, long = [a_cast(1, "go", 0)], [a_cast(1, "go", 0), a_call(2, "more", MS, 1)]
    failed = seen(short, error="NoValidHost")
    made = learned(failed, seen(long), seen(short), seen(long), failed, failed)
    shapes = [(variant.operations, variant.share, variant.error) for variant in made.variants]
    assert shapes == [(2, 0.333333, ""), (1, 0.166667, ""), (3, 0.5, "NoValidHost")]
    assert made.provenance.operations == 6


def test_the_rarest_shapes_are_left_out_and_counted() -> None:
    odd = [seen([a_cast(1, f"go{n}", 0)]) for n in range(MOST_VARIANTS + 3)]
    made, rare = template([*odd, *odd[:MOST_VARIANTS]], known(), Provenance())
    assert (len(made.variants), rare) == (MOST_VARIANTS, 3)
    assert sum(variant.share for variant in made.variants) == pytest.approx(1)


def migration(rounds: int) -> Seen:
    """A live migration's cast, that copies memory for some monitor intervals."""
    calls = [
        a_cast(1, "live_migration", START - HOP_NS, topic="compute-alt", server="host-a"),
        child(2, MIGRATION, 1),
        child(9, MIGRATION, 6.5, 1),
        child(3, "pre_live_migration", 10, topic="compute-alt", server="host-b"),
        child(4, MIGRATION, 20),
    ]
    for number in range(rounds):
        at = 25 + 5_000 * (number + 1)
        calls += [child(10 + number, MIGRATION, at, 5), child(100 + number, INSTANCE, at + 7, 5, request_bytes=6_000)]
    end = 25 + 5_000 * rounds + 900
    calls += [child(5, "get_context", end), child(6, "post_live_migration_at_destination", end + 10)]
    return seen([*calls, child(7, INSTANCE, end + 20), child(8, MIGRATION, end + 30)])


def test_what_repeats_while_memory_is_copied_is_one_step_however_often_it_was_sent() -> None:
    made = learned(migration(1), migration(4), migration(0))
    (variant,) = made.variants
    steps = variant.roots[0].steps
    assert [(step.method, step.wait, step.repeats_s, step.after) for step in steps[3:7]] == [
        (MIGRATION, "", None, 2),
        (MIGRATION, "memory-copy", 5.0, 3),
        (INSTANCE, "memory-copy", 5.0, 4),
        ("get_context", "memory-copy", None, 3),
    ]
    assert steps[4].detail == "running"
    assert steps[5].request.quantiles == (6_000,)
    assert steps[5].delay.quantiles_s == (0.002,)
    assert [step.after for step in steps[7:]] == [6, 7, 8]
    assert variant.note == ""


def test_what_nova_repeats_is_added_where_no_recorded_copy_was_long_enough() -> None:
    (variant,) = learned(migration(0)).variants
    repeated = [step for step in walk(variant.roots) if step.repeats_s is not None]
    assert [(step.method, step.repeats_s, step.request.quantiles) for step in repeated] == [
        (MIGRATION, 5.0, (2_000,)),
        (INSTANCE, 5.0, (2_000,)),
    ]
    assert "every 5 s of memory-copy: no wait recorded was so long" in variant.note


def test_a_driver_s_spawn_comes_before_the_save_that_makes_the_server_active() -> None:
    calls = [
        a_cast(1, "build_and_run_instance", START - HOP_NS, topic="compute", server="host-b"),
        child(2, INSTANCE, 1),
        child(3, INSTANCE, 10),
        child(4, INSTANCE, 900),
        a_cast(
            5,
            "update_instance_info",
            START + 910 * MS,
            1,
            kind=MessageKind.FANOUT,
            exchange="scheduler_fanout",
            topic="",
        ),
        child(6, INSTANCE, 920),
    ]
    (variant,) = learned(seen(calls)).variants
    steps = variant.roots[0].steps
    assert [step.wait for step in steps] == ["", "", "spawn", "", ""]
    assert (steps[3].kind, steps[3].topic, steps[3].exchange) == ("fanout", "scheduler", "")


def test_heartbeats_are_no_part_of_a_reply_s_size() -> None:
    call = a_call(1, "long", 0, heartbeats=3, reply_bytes=3 * 204 + 1_000, request_bytes=5_000, publishes=2)
    (step,) = learned(seen([call])).variants[0].roots
    assert (step.request.quantiles, step.reply.quantiles) == ((2_500,), (1_000,))
