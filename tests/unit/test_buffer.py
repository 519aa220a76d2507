"""What the caller takes is acknowledged up to its last delivery, and with it what was left out behind."""

from __future__ import annotations

from typing import Any

from rpcscope.model import Gap, GapCause
from rpcscope_collectors.buffer import Buffer

GAP = Gap(from_ns=1, to_ns=2, cause=GapCause.DISCONNECTED)


class Queue:
    """What the buffer needs of a connection: it notes what is acknowledged."""

    def __init__(self) -> None:
        self.acked: list[int] = []

    def wake(self) -> None:
        """Nobody sleeps."""

    def ack(self, tag: int) -> None:
        self.acked.append(tag)


def filled(queue: Any, *tags: int, left_out: tuple[int, ...] = ()) -> Buffer:
    buffer = Buffer()
    for tag in tags:
        buffer.put(None if tag in left_out else GAP, queue, tag)
    return buffer


def settle(buffer: Buffer, queue: Any) -> list[int]:
    buffer.settle()
    buffer.acknowledge(queue)
    found: list[int] = queue.acked
    return found


def test_nothing_is_acknowledged_before_it_is_settled() -> None:
    queue: Any = Queue()
    buffer = filled(queue, 1, 2, 3)
    assert len(buffer.take(2)) == 2
    buffer.acknowledge(queue)
    assert queue.acked == []
    assert settle(buffer, queue) == [2]


def test_a_delivery_that_is_left_out_goes_with_the_one_before_it() -> None:
    queue: Any = Queue()
    buffer = filled(queue, 1, 2, 3, 4, left_out=(2, 3))
    assert len(buffer.take(1)) == 1
    assert settle(buffer, queue) == [3]
    assert len(buffer) == 1


def test_deliveries_left_out_alone_are_acknowledged_too() -> None:
    queue: Any = Queue()
    buffer = filled(queue, 1, 2, left_out=(1, 2))
    assert buffer.take(5) == []
    assert settle(buffer, queue) == [2]


def test_tags_of_another_connection_are_never_sent() -> None:
    old: Any = Queue()
    new: Any = Queue()
    buffer = filled(old, 7)
    buffer.take(1)
    buffer.settle()
    buffer.acknowledge(new)
    assert new.acked == []


def test_what_is_no_delivery_needs_no_acknowledgement() -> None:
    buffer = Buffer()
    buffer.put(GAP)
    assert buffer.take(5) == [GAP]
    buffer.settle()
