"""The loop with a virtual clock: exact, in order, without the real world."""

from __future__ import annotations

import asyncio

import pytest

from rpcscope.flows.virtual import run_virtual

DAY = 86_400.0


def now() -> float:
    return asyncio.get_running_loop().time()


def test_a_year_passes_at_once_and_exactly() -> None:
    async def sleep_a_year() -> float:
        for _ in range(365):
            await asyncio.sleep(DAY)
        return now()

    assert run_virtual(sleep_a_year()) == 365 * DAY


def test_what_is_asked_for_at_one_instant_runs_in_the_order_it_was_asked_for() -> None:
    order: list[int] = []

    async def note(n: int) -> None:
        await asyncio.sleep(1.0 if n < 50 else 0.5)
        await asyncio.sleep(0.1 if n < 50 else 0.6)
        order.append(n)

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            for n in range(100):
                group.create_task(note(n))

    run_virtual(all_of_them())
    assert sorted(order[:50]) == order[:50]
    assert sorted(order) == list(range(100))
    first = list(order)
    order.clear()
    run_virtual(all_of_them())
    assert order == first


def test_time_limits_and_cancelled_timers_work_as_in_the_real_world() -> None:
    async def main() -> tuple[float, float]:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.sleep(99)
        limited = now()
        await asyncio.sleep(1)
        return limited, now()

    assert run_virtual(main()) == (5.0, 6.0)


def test_who_waits_for_what_nobody_can_do_is_told() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="nothing left can bring about"):
        run_virtual(wait())


@pytest.mark.parametrize("real", ["thread", "connection", "process", "server"])
def test_the_real_world_is_refused(real: str) -> None:
    async def main() -> None:
        if real == "thread":
            await asyncio.to_thread(print)
        elif real == "connection":
            await asyncio.open_connection("127.0.0.1", 9)
        elif real == "process":
            await asyncio.create_subprocess_exec("/bin/true")
        else:
            await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)

    with pytest.raises(RuntimeError, match="needs the real world"):
        run_virtual(main())


def test_an_error_of_a_task_ends_the_run() -> None:
    async def fail() -> None:
        await asyncio.sleep(3)
        raise ValueError("broken")

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            group.create_task(asyncio.sleep(100))

    with pytest.raises(ExceptionGroup) as raised:
        run_virtual(main())
    assert raised.group_contains(ValueError, match="broken")
