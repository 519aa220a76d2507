"""A loss is told by the first marker that nothing of it can come behind, from the last one that came before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from rpcscope_collectors.losses import Losses, Place
from rpcscope_collectors.tap_queue import TapQueue


@dataclass
class Connection:
    """As much of a queue's connection as losses look at."""

    acked: int = 0
    is_alive: bool = True


def place(connection: Connection, tag: int) -> Place:
    return Place(cast(TapQueue, connection), tag)


def looked(*read_ns: int) -> Losses:
    losses = Losses()
    losses.begin(5)
    for each in read_ns:
        losses.look(each)
    return losses


def test_it_begins_with_the_marker_that_was_read_at_the_look_before_the_last() -> None:
    assert looked(10, 20, 30, 40).found(45, None, "full").from_ns == 20


def test_before_a_marker_came_back_it_begins_where_the_recording_does() -> None:
    assert looked(0, 0).found(45, None, "full").from_ns == 5


def test_a_marker_that_was_sent_after_the_look_tells_it_once() -> None:
    losses, here = looked(10, 20, 30), Connection()
    loss = losses.found(45, None, "full")
    assert losses.due(45, place(here, 9)) == []
    assert losses.due(46, place(here, 10)) == [loss]
    assert losses.due(47, place(here, 11)) == []


def test_a_marker_that_the_broker_had_not_under_way_tells_it_however_early_it_was_sent() -> None:
    losses, here = looked(10, 20, 30), Connection()
    loss = losses.found(45, place(here, 100), "full")
    assert losses.due(31, place(here, 100)) == []
    assert losses.due(32, place(here, 101)) == [loss]


def test_tags_of_another_connection_tell_nothing() -> None:
    losses, here, other = looked(10, 20, 30), Connection(), Connection()
    losses.found(45, place(here, 100), "full")
    assert losses.due(31, place(other, 101)) == []


def test_what_no_marker_told_is_left_for_the_end() -> None:
    losses = looked(10, 20, 30)
    loss = losses.found(45, None, "full")
    assert losses.rest() == [loss]
    assert losses.rest() == []


def test_it_is_stored_once_the_marker_that_told_it_is_acknowledged() -> None:
    losses, here = looked(10, 20, 30), Connection(acked=9)
    loss = losses.found(45, None, "full")
    assert not loss.is_stored
    losses.due(46, place(here, 10))
    assert not loss.is_stored
    here.acked = 10
    assert loss.is_stored


def test_a_connection_that_was_lost_will_never_say_and_is_not_waited_for() -> None:
    losses, here = looked(10, 20, 30), Connection()
    loss = losses.found(45, None, "full")
    losses.due(46, place(here, 10))
    here.is_alive = False
    assert loss.is_stored
