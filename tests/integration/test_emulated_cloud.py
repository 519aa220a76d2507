"""Emulated services on a private broker: what they put on it, and how operations end."""

from __future__ import annotations

import asyncio
import base64
import json
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from rpcscope.emulator.bus_world import BusWorld
from rpcscope.emulator.vhost import OwnVhost
from rpcscope.errors import UsageError
from rpcscope.fleet.model import Control
from rpcscope.flows.world import Answer, Asked, Ended, Refused
from rpcscope.private_broker import PrivateBroker
from rpcscope.templates.model import Template, Times
from tests.support.emulated import (
    INSTANCE,
    SAVE,
    SMALL,
    always,
    boot,
    call,
    cast,
    fanout,
    own_vhost,
    template,
    world_of,
)
from tests.support.rabbitmq import Cloud

pytestmark = pytest.mark.server

T = TypeVar("T")
GROUP = "object_class_action_versions(InstanceGroup.get_by_instance_uuid)"
BOOT = Counter(
    {
        "schedule_and_build_instances": 1,
        "select_destinations": 1,
        "build_and_run_instance": 1,
        SAVE: 2,
        GROUP: 1,
        "update_instance_info": 1,
    }
)


def run(
    server: PrivateBroker, play: Callable[[BusWorld], Awaitable[T]], *templates: Template, **more: Any
) -> tuple[T, BusWorld]:
    """What `play` returns of a world of these templates."""

    async def inside(own: OwnVhost) -> tuple[T, BusWorld]:
        async with world_of(own, templates, **more) as world:
            return await play(world), world

    with own_vhost(server) as own:
        return asyncio.run(asyncio.wait_for(inside(own), 90))


def control(**more: Any) -> Control:
    return msgspec.structs.replace(SMALL, **more)


def asked(kind: str, **more: Any) -> Asked:
    return Asked(kind=kind, instances=[INSTANCE], **{"dest": "compute-1"} | more)


def operate(kind: str, **more: Any) -> Callable[[BusWorld], Awaitable[Answer]]:
    return lambda world: world.operate(asked(kind, **more))


def listed(server: PrivateBroker, world: BusWorld, what: str) -> list[dict[str, Any]]:
    """What the management API shows of the world's vhost."""
    path = f"vhosts/{world.vhost}/{what}" if what == "connections" else f"{what}/{world.vhost}"
    request = urllib.request.Request(f"{server.management_url}/api/{path}")
    secret = base64.b64encode(f"{server.user}:{server.password}".encode()).decode()
    request.add_header("Authorization", f"Basic {secret}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: list[dict[str, Any]] = json.load(answer)
        return found


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(holds):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("profile", ["classic", "quorum+stream"])
@pytest.mark.parametrize("shape", ["2026", "2025", "reduced"])
def test_a_boot_is_played_to_its_end(rabbitmq: PrivateBroker, profile: Any, shape: Any) -> None:
    answer, world = run(rabbitmq, operate("create"), boot(), control=control(profile=profile, shape=shape))
    assert (answer.ended, answer.error) == (Ended.DONE, "")
    assert world.tally.sent == BOOT
    assert sum(world.tally.answered.values()) == 4
    assert (world.tally.strangers, world.tally.lost, world.tally.late_replies) == (0, 0, 0)


@pytest.mark.parametrize(
    ("shape", "connections", "consumers", "queues"),
    [("2026", 5, 7, ["compute-alt.h", "compute.h", "fanout", "fanout", "reply"]),
     ("2025", 4, 4, ["compute.h", "fanout", "reply"]),
     ("reduced", 1, 4, ["compute.h", "fanout", "reply"])],
)  # fmt: skip
def test_a_compute_has_the_connections_consumers_and_queues_of_novas(
    rabbitmq: PrivateBroker, shape: Any, connections: int, consumers: int, queues: list[str]
) -> None:
    async def look(world: BusWorld) -> None:
        await until(lambda: len(mine(listed(rabbitmq, world, "connections"))) == connections)
        await until(lambda: len(known(listed(rabbitmq, world, "consumers"))) >= consumers + 6)
        clients = mine(listed(rabbitmq, world, "connections"))
        assert len({one["user_provided_name"].split(":")[1] for one in clients}) == 1  # one pid
        assert len({one["user_provided_name"] for one in clients}) == connections
        assert {one["peer_host"] for one in clients} == {"127.1.1.2"}
        names = {one["name"] for one in clients}
        taken = [
            one
            for one in known(listed(rabbitmq, world, "consumers"))
            if one["channel_details"]["connection_name"] in names
        ]
        assert len(taken) == consumers
        private = {one["queue"]["name"] for one in taken} - {"compute", "compute-alt"}
        kinds = sorted("fanout" if "_fanout_" in name else name.partition("_")[0] for name in private)
        assert kinds == queues

    def mine(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [one for one in found if one.get("user_provided_name", "").startswith("nova-compute:")]

    def known(consumers: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Whose channel the management API knows: it learns of it after the consumer."""
        return [one for one in consumers if one["channel_details"]]

    run(rabbitmq, look, boot(), hosts=["h"], control=control(shape=shape))


def test_every_listener_gets_a_fanout_and_one_goes_on_from_it(rabbitmq: PrivateBroker) -> None:
    async def play(world: BusWorld) -> None:
        await world.operate(asked("tell"))
        await until(lambda: world.tally.service["sync"].count == 3)

    tell = template("tell", fanout("sync", "scheduler", sender="api", steps=(call(SAVE, instance=0),)))
    _, world = run(rabbitmq, play, tell, control=control(scheduler=3))
    assert world.tally.sent == {"sync": 1, SAVE: 1}


def test_a_call_without_an_answer_in_time_makes_the_operation_time_out_and_its_work_goes_on(
    rabbitmq: PrivateBroker,
) -> None:
    slow = cast(
        "build", "conductor", sender="api", steps=(call("dawdle", "scheduler", work=always(2.5)), call(SAVE, after=0))
    )

    async def play(world: BusWorld) -> Answer:
        answer = await world.operate(asked("slow"))
        await until(lambda: world.tally.late_replies == 1)
        return answer

    answer, world = run(rabbitmq, play, template("slow", slow), control=control(rpc_timeout_s=1.0))
    assert (answer.ended, answer.error) == (Ended.TIMED_OUT, "MessagingTimeout")
    assert world.tally.expired == {"dawdle": 1}
    assert world.tally.service["dawdle"].count == 1
    assert world.tally.late_replies == 1
    assert SAVE not in world.tally.sent


def test_a_watched_call_outlasts_the_timeout_because_its_server_is_heard(rabbitmq: PrivateBroker) -> None:
    watched = call("select_destinations", "scheduler", sender="api", timeout_s=1800.0, work=always(2.4))
    answer, world = run(rabbitmq, operate("w"), template("w", watched), control=control(rpc_timeout_s=1.0))
    assert answer.ended is Ended.DONE
    assert world.tally.heartbeats == 4


def test_a_failure_that_was_not_recorded_ends_what_waits_for_it(rabbitmq: PrivateBroker) -> None:
    inner = call("check", "scheduler", steps=(call("dawdle", work=always(3)),))
    outer = cast("migrate", "conductor", sender="api", steps=(inner, call(SAVE, after=0)))
    answer, world = run(rabbitmq, operate("m"), template("m", outer), control=control(rpc_timeout_s=1.0))
    assert answer.ended is Ended.TIMED_OUT
    assert SAVE not in world.tally.sent


def test_what_is_more_than_the_threads_waits_in_the_process_and_in_no_queue(rabbitmq: PrivateBroker) -> None:
    many = cast(
        "fan", "conductor", sender="api", steps=tuple(call("dawdle", "scheduler", work=always(0.3)) for _ in range(8))
    )

    async def play(world: BusWorld) -> list[int]:
        answer = asyncio.ensure_future(world.operate(asked("many")))
        (scheduler,) = world._cloud._control["scheduler"]
        depths = []
        while not answer.done():
            depths.append(len(scheduler.executor.inner))
            assert len(scheduler.executor.hands) <= 2
            await asyncio.sleep(0.01)
        assert (await answer).ended is Ended.DONE
        return depths

    depths, _ = run(rabbitmq, play, template("many", many), control=control(pool=2))
    assert max(depths) == 6


def test_a_process_publishes_over_no_more_connections_than_its_pool_has(rabbitmq: PrivateBroker) -> None:
    steps = tuple(call(SAVE, instance=0) for _ in range(20))
    burst = cast("build_and_run_instance", "compute", host="dest", sender="conductor", steps=steps)

    async def play(world: BusWorld) -> int:
        before = world.connections
        assert (await world.operate(asked("burst"))).ended is Ended.DONE
        return world.connections - before

    opened, _ = run(rabbitmq, play, template("burst", burst), control=control(send_pool=3))
    assert opened <= 2 + 3 + 3  # of the compute, of the conductor; one more reply queue is not needed


def test_a_flow_takes_the_place_of_a_wait_and_steps_repeat_while_it_lasts(rabbitmq: PrivateBroker) -> None:
    steps = (
        call("begin"),
        call("save-migration", after=0, wait="memory-copy", repeats_s=1.0),
        call("save-instance", after=1, wait="memory-copy", repeats_s=1.0),
        call("end", after=0, wait="memory-copy", delay=always(50)),
    )
    moved = cast("live_migration", "compute", host="source", sender="api", steps=steps)

    async def play(world: BusWorld) -> Answer:
        return await world.operate(asked("lm", source="compute-1", waits={"memory-copy": lambda: world.sleep(3.5)}))

    answer, world = run(rabbitmq, play, template("lm", moved), speed=5.0)
    assert answer.ended is Ended.DONE
    assert world.tally.sent == {"live_migration": 1, "begin": 1, "save-migration": 3, "save-instance": 3, "end": 1}
    assert answer.ended_s - answer.started_s >= 3.5


def test_a_refused_wait_makes_the_operation_fail(rabbitmq: PrivateBroker) -> None:
    async def refuse() -> None:
        raise Refused("MigrationAborted")

    steps = (call("begin"), call("end", after=0, wait="memory-copy"))
    moved = template("lm", cast("live_migration", "compute", host="dest", sender="api", steps=steps))
    answer, world = run(rabbitmq, operate("lm", waits={"memory-copy": refuse}), moved)
    assert (answer.ended, answer.error) == (Ended.FAILED, "MigrationAborted")
    assert "end" not in world.tally.sent


def test_what_a_host_has_in_hand_when_its_power_fails_is_lost_and_the_host_comes_back(rabbitmq: PrivateBroker) -> None:
    build = cast(
        "build", "compute", host="dest", sender="api", steps=(call("dawdle", work=always(1.0)), call(SAVE, after=0))
    )

    async def play(world: BusWorld) -> tuple[Answer, Answer]:
        first = asyncio.ensure_future(world.operate(asked("b")))
        await until(lambda: world.tally.sent["dawdle"] == 1)
        await world.remove_host("compute-1", cleanly=False)
        lost = await first
        await world.add_host("compute-1")
        return lost, await world.operate(asked("b"))

    (lost, again), world = run(rabbitmq, play, template("b", build))
    assert (lost.ended, lost.error) == (Ended.FAILED, "HostGone")
    assert again.ended is Ended.DONE
    assert world.tally.lost == 1


def test_what_a_host_began_by_itself_ends_with_its_power(rabbitmq: PrivateBroker) -> None:
    async def play(world: BusWorld) -> Answer:
        answer = asyncio.ensure_future(world.operate(Asked(kind="audit", instances=[], source="compute-1")))
        await until(lambda: world.tally.sent["dawdle"] == 1)
        await world.remove_host("compute-1", cleanly=False)
        return await answer

    steps = [call("dawdle", sender="compute", sender_host="source", work=always(2)), call(SAVE, sender="api", after=0)]
    answer, _ = run(rabbitmq, play, template("audit", *steps, instances=0))
    assert (answer.ended, answer.error) == (Ended.FAILED, "HostGone")


def test_a_host_that_is_stopped_cleanly_ends_what_it_has_begun(rabbitmq: PrivateBroker) -> None:
    build = cast(
        "build", "compute", host="dest", sender="api", steps=(call("dawdle", work=always(0.5)), call(SAVE, after=0))
    )

    async def play(world: BusWorld) -> Answer:
        answer = asyncio.ensure_future(world.operate(asked("b")))
        await until(lambda: world.tally.sent["dawdle"] == 1)
        await world.remove_host("compute-1", cleanly=True)
        return await answer

    answer, world = run(rabbitmq, play, template("b", build))
    assert answer.ended is Ended.DONE
    assert world.tally.lost == 0


def test_a_call_to_a_host_without_power_times_out(rabbitmq: PrivateBroker) -> None:
    async def play(world: BusWorld) -> Answer:
        await world.remove_host("compute-1", cleanly=False)
        return await world.operate(asked("ask"))

    ask = template("ask", call("ping", "compute", host="dest", sender="api"))
    answer, _ = run(rabbitmq, play, ask, control=control(rpc_timeout_s=0.5))
    assert (answer.ended, answer.error) == (Ended.TIMED_OUT, "MessagingTimeout")


def test_a_host_that_starts_plays_what_is_known_of_a_start(rabbitmq: PrivateBroker) -> None:
    async def play(world: BusWorld) -> None:
        await world.remove_host("compute-1", cleanly=True)
        assert not world.tally.sent
        await world.add_host("compute-1")

    ping = call("ping", sender="compute", sender_host="source")
    _, world = run(rabbitmq, play, template("startup:compute", ping, background=True, instances=0))
    assert world.tally.sent == {"ping": 1}


def test_a_reply_whose_queue_is_gone_holds_a_thread_until_it_is_given_up(
    rabbitmq: PrivateBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rpcscope.emulator.stranger.MISSING_QUEUE_S", 1.0)
    inner = {"method": "ping", "args": {}, "_msg_id": "0" * 32, "_reply_q": "reply_gone", "_unique_id": "1" * 32}
    body = json.dumps({"oslo.version": "2.0", "oslo.message": json.dumps(inner)})

    async def play(world: BusWorld) -> None:
        (conductor,) = world._cloud._control["conductor"]
        cloud = Cloud(rabbitmq, world.vhost, Path())
        with closing(await asyncio.to_thread(cloud.connect)) as connection:
            connection.channel().basic_publish("nova", "conductor", body.encode())
            await until(lambda: len(conductor.executor.hands) == 1)
            await until(lambda: world.tally.lost_replies == 1)
        assert not conductor.executor.hands

    run(rabbitmq, play, boot())


def test_variants_are_played_as_often_as_their_share(rabbitmq: PrivateBroker) -> None:
    one, other = (
        template("v", cast("one", "conductor", sender="api")),
        template("v", cast("two", "conductor", sender="api")),
    )
    variants = (
        msgspec.structs.replace(one.variants[0], share=0.75),
        msgspec.structs.replace(other.variants[0], share=0.25, error="NoValidHost"),
    )

    async def play(world: BusWorld) -> list[Answer]:
        return list(await asyncio.gather(*(world.operate(asked("v")) for _ in range(400))))

    answers, world = run(rabbitmq, play, msgspec.structs.replace(one, variants=variants))
    assert 260 <= world.tally.sent["one"] <= 340
    assert Counter(answer.ended for answer in answers)[Ended.FAILED] == world.tally.sent["two"]


def test_service_times_have_the_factor_of_the_fleet_file(rabbitmq: PrivateBroker) -> None:
    ask = template("ask", call("ping", sender="api", work=always(0.1)), call("pong", sender="api", work=always(0.1)))
    _, world = run(rabbitmq, operate("ask"), ask, control=control(service_times={"ping": 3.0, "*": 0.5}))
    assert world.tally.service["ping"].asked_s == pytest.approx(0.3)
    assert world.tally.service["pong"].asked_s == pytest.approx(0.05)


def test_periodic_tasks_run_on_every_host(rabbitmq: PrivateBroker) -> None:
    save = call("object_action(Service.save)", sender="compute", sender_host="source")
    report = template("periodic:report_state", save, background=True, interval_s=10.0)

    async def play(world: BusWorld) -> None:
        await until(lambda: world.tally.answered["object_action(Service.save)"] >= 4)

    _, world = run(rabbitmq, play, report, hosts=["a", "b"], speed=50.0, control=control(background=True))
    assert world.tally.background >= 4


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (asked("unknown"), "no template of unknown"),
        (asked("create", dest="nowhere"), "not in the fleet"),
        (asked("create", dest=""), "needs a dest host"),
        (Asked(kind="create", instances=[]), "no template of create of 0"),
    ],
)
def test_what_can_not_be_asked_is_told_in_a_sentence(rabbitmq: PrivateBroker, wrong: Asked, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        run(rabbitmq, lambda world: world.operate(wrong), boot())


def test_a_recorded_delay_is_kept_at_any_speed(rabbitmq: PrivateBroker) -> None:
    late = template("late", call("ping", sender="api", delay=Times(quantiles_s=(0.4,), count=1)))
    answer, _ = run(rabbitmq, operate("late"), late, speed=100.0)
    assert answer.ended_s - answer.started_s >= 0.39 * 100
