"""What waits to be sent, and what is counted, whoever does it at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from rpcscope_oslo_tap.buffer import Buffer
from rpcscope_oslo_tap.count import Count


def test_what_does_not_fit_is_counted_as_lost_and_what_was_there_stays() -> None:
    buffer = Buffer(3)
    for number in range(5):
        buffer.put(number)
    assert [buffer.take() for _ in range(4)] == [0, 1, 2, None]
    assert buffer.lost() == 2


def test_asking_how_many_are_lost_loses_nothing() -> None:
    buffer = Buffer(0)
    counts = []
    for number in range(4):
        buffer.put(number)
        counts.append(buffer.lost())
    assert counts == [1, 2, 3, 4]


def test_the_times_of_the_first_and_the_last_loss_are_told_once() -> None:
    buffer = Buffer(0)
    buffer.put(1)
    first, last = buffer.lost_between()
    assert 0 < first <= last
    buffer.put(2)
    assert buffer.lost_between()[0] >= last


def test_no_step_of_a_count_is_forgotten_when_many_threads_take_it() -> None:
    count = Count()

    def add() -> None:
        for _ in range(20_000):
            count.add()

    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(add)
    assert count.value() == 160_000
    assert count.value() == 160_000
