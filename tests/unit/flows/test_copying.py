"""Memory copies over shared links: the worked values of pre-copy, patience, and what others on the link cost."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from math import inf

import pytest

from rpcscope.flows.copying import MemoryCopy, Way
from rpcscope.flows.traffic import Traffic
from rpcscope.flows.virtual import run_virtual
from rpcscope.flows.world import Refused
from rpcscope.physics.guest import GIB, Guest
from rpcscope.physics.policy import Policy
from tests.unit.flows.support import PlainWorld

GB = 1e9
LINK = 1.1 * GB
FLAT = Policy(downtime_steps=3, downtime_ms=500.0, setup_s=0.0, resume_s=0.0)


def copies(*ways: Way, policy: Policy, capacity: float = LINK) -> list[tuple[MemoryCopy, float, bool]]:
    """All at once; each with when it ended and whether it was given up."""

    async def one(copy: MemoryCopy) -> tuple[MemoryCopy, float, bool]:
        try:
            await copy.copy()
        except Refused:
            return copy, asyncio.get_running_loop().time(), True
        return copy, asyncio.get_running_loop().time(), False

    async def main() -> list[tuple[MemoryCopy, float, bool]]:
        world = PlainWorld()
        traffic = Traffic(world, {"nic": capacity})
        return await asyncio.gather(*(one(MemoryCopy(world, traffic, way, policy)) for way in ways))

    return run_virtual(main())


def way(memory: float, dirty: float, **more: float) -> Way:
    guest = {key: more.pop(key) for key in ("working_set", "disk", "disk_write") if key in more}
    return Way(guest=Guest(memory=memory, dirty=dirty, **guest), links=("nic",), **more)


def test_a_copy_without_writes_takes_its_bytes_over_the_bandwidth_and_the_setting_up() -> None:
    ((copy, ended, _),) = copies(way(11 * GB, 0), policy=Policy())
    assert ended == pytest.approx(0.3 + 10 + 0.02)
    assert copy.state.data == 11 * GB


@pytest.mark.parametrize(
    ("memory", "dirty", "total_s", "downtime_s", "data"),
    [(16, 0.1, 15.99, 0.120, 17.59), (16, 0.5, 26.43, 0.282, 29.07), (64, 0.9, 317.88, 0.471, 349.67)],
)
def test_the_worked_values_come_out_when_all_of_the_downtime_is_allowed_at_once(
    memory: float, dirty: float, total_s: float, downtime_s: float, data: float
) -> None:
    whole = replace(FLAT, downtime_steps=1)
    ((copy, ended, _),) = copies(way(memory * GB, dirty * GB), policy=whole)
    assert ended == pytest.approx(total_s, rel=0.002)
    assert copy.state.downtime_s == pytest.approx(downtime_s, rel=0.01)
    assert copy.state.data / GB == pytest.approx(data, rel=0.002)
    assert not copy.hopeless


def test_two_on_one_link_take_twice_as_long_and_the_third_has_what_they_leave() -> None:
    ended = [end for _, end, _ in copies(*[way(11 * GB, 0)] * 2, policy=FLAT)]
    assert ended == pytest.approx([20, 20])
    ended = [end for _, end, _ in copies(way(11 * GB, 0), way(5.5 * GB, 0), policy=FLAT)]
    assert ended == pytest.approx([15, 10])


def test_who_writes_faster_than_the_link_is_given_up_when_novas_patience_ends() -> None:
    ((copy, ended, aborted),) = copies(way(4 * GIB, 2 * GB), policy=FLAT)
    assert aborted
    assert copy.hopeless
    assert ended == 4 * 800


def test_alone_it_converges_beside_others_it_does_not() -> None:
    """A link of 1.1 GB/s bears 0.4 GB/s of writes; a third of it does not."""
    one = way(400 * GIB, 0.4 * GB, abort_after_s=3000)
    assert [aborted for _, _, aborted in copies(one, policy=FLAT)] == [False]
    together = copies(one, one, one, policy=FLAT)
    assert [aborted for _, _, aborted in together] == [True] * 3
    assert [copy.never_converged for copy, _, _ in together] == [True] * 3


def test_one_that_had_to_share_for_a_while_and_then_ended_did_converge() -> None:
    writing, other = way(40 * GIB, 0.6 * GB), way(100 * GIB, 0)
    (copy, ended, aborted), _ = copies(writing, other, policy=FLAT)
    assert copy.hopeless
    assert not aborted
    assert not copy.never_converged
    assert ended > copies(writing, policy=FLAT)[0][1]


def test_without_a_time_limit_what_never_ends_is_given_up_at_once() -> None:
    ((copy, ended, aborted),) = copies(way(4 * GIB, 2 * GB), policy=replace(FLAT, completion_timeout_s=0.0))
    assert aborted
    assert ended < 120
    assert copy.hopeless


def test_a_disk_that_is_written_faster_than_the_link_is_given_up_too() -> None:
    endless = replace(FLAT, completion_timeout_s=0.0, auto_converge=True)
    ((copy, ended, aborted),) = copies(way(4 * GIB, 0, disk=100 * GB, disk_write=2 * GB), policy=endless)
    assert aborted
    assert ended < 200
    assert copy.never_converged


def test_a_program_that_wakes_late_does_not_make_a_copy_diverge() -> None:
    """With speed 100, 5 ms of the wall's clock are half a second of the world."""

    class Late(PlainWorld):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds + 0.5)

    async def main() -> MemoryCopy:
        world = Late()
        copy = MemoryCopy(world, Traffic(world, {"nic": LINK}), way(16 * GB, 0.5 * GB), Policy())
        await copy.copy()
        return copy

    punctual = copies(way(16 * GB, 0.5 * GB), policy=Policy())[0][0].state
    late = run_virtual(main()).state
    assert (late.rounds, late.data) == (punctual.rounds, punctual.data)
    assert late.downtime_s == pytest.approx(punctual.downtime_s)


def test_a_small_working_set_waits_for_the_downtime_to_grow_to_it() -> None:
    # 0.44 GB take 0.4 s. 500 ms in 10 steps of 75 s a GiB are 50, 95, 140 ... 410 ms, which is step 8.
    guest = way(4 * GIB, 5 * GB, working_set=0.44 * GB)
    ((copy, ended, aborted),) = copies(guest, policy=Policy(setup_s=0.0, resume_s=0.0))
    assert not aborted
    assert ended == pytest.approx(8 * 4 * 75 + 0.4, abs=0.5)
    assert copy.state.downtime_s == pytest.approx(0.4, rel=0.01)


def test_forced_it_pauses_or_goes_on_at_the_destination() -> None:
    forced = replace(FLAT, completion_timeout_s=10.0, force=True)
    ((copy, ended, aborted),) = copies(way(4 * GIB, 2 * GB), policy=forced)
    assert not aborted
    assert copy.state.downtime_s == pytest.approx(4 * GIB / LINK, rel=0.01)
    assert ended == pytest.approx(40 + 4 * GIB / LINK, abs=4 * GIB / LINK)
    ((copy, _, aborted),) = copies(way(4 * GIB, 2 * GB), policy=replace(forced, post_copy=True))
    assert not aborted
    assert copy.state.downtime_s == 0


def test_a_throttled_guest_converges() -> None:
    ((copy, ended, aborted),) = copies(way(16 * GB, 1.5 * GB), policy=replace(FLAT, auto_converge=True))
    assert not aborted
    assert ended < 800
    assert 0.2 <= copy.state.throttle <= 0.99


def test_local_disks_are_copied_before_the_memory() -> None:
    ((copy, ended, _),) = copies(way(11 * GB, 0, disk=100 * GB, disk_speed=0.5 * GB), policy=FLAT)
    assert ended == pytest.approx(200 + 10, rel=0.001)
    assert copy.state.data == pytest.approx(111 * GB, rel=0.001)


def test_steal_slows_the_copy_and_the_guests_writing() -> None:
    ((_, ended, _),) = copies(way(11 * GB, 0, steal=0.5), policy=FLAT)
    assert ended == pytest.approx(20)
    ((_, ended, aborted),) = copies(way(16 * GB, 0.9 * LINK, steal=0.2), policy=FLAT)
    assert not aborted


def test_somebody_may_give_it_up() -> None:
    ((copy, ended, aborted),) = copies(way(110 * GB, 0, abort_after_s=30), policy=FLAT)
    assert (ended, aborted) == (30, True)
    assert copy.state.data == pytest.approx(33 * GB)


def test_a_sender_that_is_cancelled_leaves_the_link_to_others() -> None:
    async def main() -> tuple[float, int]:
        world = PlainWorld()
        traffic = Traffic(world, {"nic": 100.0})
        first = asyncio.create_task(traffic.send(("nic",), 1000, until_s=12))
        second = asyncio.create_task(traffic.send(("nic",), 1000))
        await asyncio.sleep(10)
        first.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        return world.now_s(), traffic.carried()["nic"]

    assert run_virtual(main()) == (15, 1500)


def test_many_transfers_move_all_their_bytes_and_never_more_than_the_link_carries() -> None:
    async def main() -> tuple[float, int, float]:
        world = PlainWorld()
        traffic = Traffic(world, {"a": 300.0, "b": 100.0, "c": inf})
        sent = [traffic.send(way, 1000 + n) for n in range(60) for way in (("a", "c"), ("a", "b"), ("b",))]
        moved = await asyncio.gather(*sent)
        assert [size for size, _ in moved] == [1000 + n for n in range(60) for _ in range(3)]
        return world.now_s(), traffic.carried()["a"], traffic.peak

    ended, carried, peak = run_virtual(main())
    assert carried == 2 * sum(1000 + n for n in range(60))
    assert ended >= carried / 300
    assert peak == pytest.approx(1)
