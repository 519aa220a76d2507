"""What the caller takes is settled up to its last delivery, and with it what was left out behind."""

from __future__ import annotations

from typing import Any

from rpcscope.model import Gap, GapCause
from rpcscope_collectors.buffer import Buffer

GAP = Gap(from_ns=1, to_ns=2, cause=GapCause.DISCONNECTED)


class Queue:
    """What the buffer needs of a connection."""

    def wake(self) -> None:
        """Nobody sleeps."""


def filled(queue: Any, *tags: int, left_out: tuple[int, ...] = ()) -> Buffer:
    buffer = Buffer()
    for tag in tags:
        buffer.put(None if tag in left_out else GAP, queue, tag)
    return buffer


def test_nothing_is_settled_before_the_caller_says_so() -> None:
    queue: Any = Queue()
    buffer = filled(queue, 1, 2, 3)
    assert len(buffer.take(2)) == 2
    assert buffer.settled(queue) == 0
    buffer.settle()
    assert buffer.settled(queue) == 2


def test_a_delivery_that_is_left_out_goes_with_the_one_before_it() -> None:
    queue: Any = Queue()
    buffer = filled(queue, 1, 2, 3, 4, left_out=(2, 3))
    assert len(buffer.take(1)) == 1
    buffer.settle()
    assert buffer.settled(queue) == 3
    assert len(buffer) == 1


def test_deliveries_left_out_alone_are_settled_too() -> None:
    queue: Any = Queue()
    buffer = filled(queue, 1, 2, left_out=(1, 2))
    assert buffer.take(5) == []
    buffer.settle()
    assert buffer.settled(queue) == 2


def test_tags_of_another_connection_mean_nothing() -> None:
    old: Any = Queue()
    new: Any = Queue()
    buffer = filled(old, 7)
    buffer.take(1)
    buffer.settle()
    assert (buffer.settled(old), buffer.settled(new)) == (7, 0)


def test_what_is_no_delivery_has_no_tag() -> None:
    buffer = Buffer()
    buffer.put(GAP)
    assert buffer.take(5) == [GAP]
    buffer.settle()
