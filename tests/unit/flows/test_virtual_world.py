"""A world without a broker: times and counts of templates by hand arithmetic."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from rpcscope.errors import UsageError
from rpcscope.flows.tally import Count, KindCount
from rpcscope.flows.virtual import run_virtual
from rpcscope.flows.virtual_world import VirtualWorld
from rpcscope.flows.world import Answer, Asked, Ended, Refused
from rpcscope.templates.model import Template, Times, Variant
from tests.unit.flows.support import step, template

MIGRATION = template(
    "live-migration",
    step("live_migrate_instance", "cast", delay=1, work=0.5, steps=(
        step("select_destinations", delay=2, work=3),
        step("live_migration", "cast", after=0, delay=0.25, host="source", steps=(
            step("pre_live_migration", host="dest", delay=1, work=2),
            step("post_live_migration_at_destination", host="dest", after=0, delay=10, work=4, wait="memory-copy"),
            step("Migration.save", after=0, wait="memory-copy", repeats_s=5),
            step("Instance.save", after=2, wait="memory-copy", repeats_s=5),
            step("update_instance_info", "fanout", after=1, delay=0.5),
        )),
    )),
)  # fmt: skip
STEPS = 6  # without what repeats


def play(*templates: Template, asked: Asked, seed: int = 1, down: str = "") -> tuple[Answer, Count]:
    async def main() -> tuple[Answer, Count]:
        world = VirtualWorld(templates, ["a", "b"], seed)
        if down:
            await world.remove_host(down, cleanly=False)
        return await world.operate(asked), world.tally.count()

    return run_virtual(main())


def migration(**waits: object) -> Asked:
    named = {name.replace("_", "-"): wait for name, wait in waits.items()}
    return Asked(kind="live-migration", instances=["i"], source="a", dest="b", waits=named)


def test_an_operation_takes_as_long_as_its_steps_one_after_the_other() -> None:
    answer, count = play(MIGRATION, asked=migration())
    # cast at 1, scheduler asked at 3, answers at 6, cast at 6.25; asked at 7.25, answers at 9.25; copied at 19.25;
    # post until 23.25, fanout at 23.75; the conductor's work ends long before
    assert answer == Answer(ended=Ended.DONE, started_s=0, ended_s=23.75, request_id="req-00000000")
    assert count.rpcs == STEPS + 2 * 2  # 10 s of copy: saved at 5 and 10 s, two calls each


def test_messages_and_bytes_are_requests_and_replies() -> None:
    _, count = play(MIGRATION, asked=migration())
    calls, casts = 3 + 4, 3
    assert (count.messages, count.bytes) == (2 * calls + casts, calls * 1500 + casts * 1000)
    assert count.kinds["live-migration"] == KindCount(
        asked=1, done=1, failed=0, timed_out=0, rpcs=10, messages=17, bytes=13_500,
        took_p50_s=23.75, took_p95_s=23.75, took_max_s=23.75,
    )  # fmt: skip
    assert {name: method.rpcs for name, method in count.methods.items()} == {
        "live_migrate_instance": 1, "select_destinations": 1, "live_migration": 1, "pre_live_migration": 1,
        "post_live_migration_at_destination": 1, "Migration.save": 2, "Instance.save": 2, "update_instance_info": 1,
    }  # fmt: skip


@pytest.mark.parametrize(("copy_s", "saves"), [(0, 0), (4.9, 0), (5, 1), (62, 12), (3600, 720)])
def test_a_flows_own_wait_takes_the_place_of_the_recorded_one(copy_s: float, saves: int) -> None:
    async def copy() -> None:
        await asyncio.sleep(copy_s)

    answer, count = play(MIGRATION, asked=migration(memory_copy=copy))
    assert answer.ended_s == pytest.approx(23.75 - 10 + copy_s)
    assert count.rpcs == STEPS + 2 * saves


def test_a_wait_that_is_refused_ends_the_operation_there_and_what_was_sent_till_then_counts() -> None:
    async def copy() -> None:
        await asyncio.sleep(100)
        raise Refused("aborted")

    answer, count = play(MIGRATION, asked=migration(memory_copy=copy))
    assert (answer.ended, answer.error, answer.ended_s) == (Ended.FAILED, "aborted", 109.25)
    assert count.methods["Migration.save"].rpcs == 20
    assert "post_live_migration_at_destination" not in count.methods
    assert count.kinds["live-migration"].failed == 1


def test_steps_that_wait_for_the_same_sibling_overlap() -> None:
    both = template("t", step("a", "cast", steps=(step("x", work=3), step("y", work=5), step("z", after=1, work=1))))
    assert play(both, asked=Asked(kind="t", instances=["i"]))[0].ended_s == 6


def test_a_cast_is_not_waited_for_but_the_operation_ends_after_it() -> None:
    slow = step("slow", "cast", work=9)
    answer, _ = play(template("t", step("quick", steps=(slow,), work=1)), asked=Asked(kind="t", instances=["i"]))
    assert answer.ended_s == 9


def test_a_call_that_takes_longer_than_its_caller_waits_times_out_and_its_work_goes_on() -> None:
    late = template("t", step("late", work=70, timeout_s=60.0), step("next", after=0, work=1))
    answer, _ = play(late, asked=Asked(kind="t", instances=["i"]))
    assert (answer.ended, answer.error, answer.ended_s) == (Ended.TIMED_OUT, "MessagingTimeout", 70)


def test_a_host_that_is_down_answers_nothing() -> None:
    answer, count = play(MIGRATION, asked=migration(), down="b")
    assert answer.ended is Ended.TIMED_OUT
    assert count.methods["pre_live_migration"].messages == 1


def test_what_is_cast_to_a_host_that_is_down_is_lost() -> None:
    answer, count = play(MIGRATION, asked=migration(), down="a")
    assert (answer.ended, answer.error) == (Ended.FAILED, "MessageLost")
    assert "pre_live_migration" not in count.methods


def test_a_variant_that_failed_when_it_was_recorded_fails() -> None:
    none = Variant(operations=1, share=1.0, roots=(step("schedule", "cast"),), error="NoValidHost")
    answer, _ = play(Template(kind="create", variants=(none,)), asked=Asked(kind="create", instances=["i"]))
    assert (answer.ended, answer.error) == (Ended.FAILED, "NoValidHost")


def test_variants_come_as_often_as_their_share_and_the_same_again_for_the_same_seed() -> None:
    rare = Variant(operations=1, share=0.2, roots=(step("rare", "cast", work=0.0),), error="Rare")
    usual = Variant(operations=4, share=0.8, roots=(step("usual", delay=0.5),))
    spread = Template(kind="t", variants=(usual, rare), instances=0)
    varied = msgspec.structs.replace(MIGRATION.variants[0].roots[0], delay=Times(quantiles_s=(0.0, 1.0, 5.0)))

    async def main(seed: int) -> tuple[Count, list[Answer]]:
        world = VirtualWorld([spread, template("m", varied, instances=0)], [], seed)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(world.operate(Asked(kind=k, instances=[]))) for k in ["t", "m"] * 500]
        return world.tally.count(), [task.result() for task in tasks]

    first, again, other = run_virtual(main(1)), run_virtual(main(1)), run_virtual(main(2))
    assert first == again != other
    assert 70 < first[0].kinds["t"].failed < 130
    assert first[0].kinds["t"].asked == 500


def test_an_unknown_kind_and_an_unknown_host_are_refused_with_what_to_do() -> None:
    with pytest.raises(UsageError, match="no template of resize of 0 servers: learn one"):
        play(MIGRATION, asked=Asked(kind="resize", instances=[]))
    with pytest.raises(UsageError, match="host nowhere is not in the fleet"):
        play(MIGRATION, asked=Asked(kind="live-migration", instances=["i"], dest="nowhere"))
