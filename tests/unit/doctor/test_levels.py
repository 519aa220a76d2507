"""How much of a trouble makes it bad, and how little is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rpcscope.doctor import Level, ask, examine
from rpcscope.model import Flag, Outcome
from rpcscope.store import Store, open_store
from tests.contract.records import START
from tests.support.trouble import END, SILENT, Cloud

Plant = Callable[[Cloud], None]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "store.sqlite"), create=True) as opened:
        yield opened


def level(store: Store, name: str, plant: Plant) -> Level | None:
    cloud = Cloud(store)
    cloud.quiet()
    plant(cloud)
    flags = {flag.name: flag.level for flag in examine(ask(store.reader(), START, END, END))}
    return flags.get(name)


def silent(count: int) -> Plant:
    return lambda cloud: cloud.calls(count, server="host-1", **SILENT)


def late(count: int) -> Plant:
    flags = int(Flag.LATE_REPLY)
    return lambda cloud: cloud.calls(count, server="host-1", flags=flags, outcome=Outcome.TIMED_OUT)


def again(count: int) -> Plant:
    return lambda cloud: cloud.calls(count, server="host-1", flags=int(Flag.REDELIVERED))


def grown(ready: int) -> Plant:
    return lambda cloud: cloud.poll(conductor={"ready": ready})


def unread(ready: int) -> Plant:
    return lambda cloud: cloud.poll(notifications__error={"ready": ready, "consumers": 0})


def abandoned(queue: str) -> Plant:
    return lambda cloud: cloud.poll(**{queue: {"ready": 1, "consumers": 0}})


@pytest.mark.parametrize(
    ("name", "plant", "expected"),
    [
        ("timeouts", silent(9), Level.WARN),
        ("timeouts", silent(10), Level.BAD),
        ("late-replies", late(9), Level.WARN),
        ("late-replies", late(10), Level.BAD),
        ("repeated-timeouts", silent(2), None),
        ("repeated-timeouts", silent(19), Level.WARN),
        ("repeated-timeouts", silent(20), Level.BAD),
        ("redeliveries", again(99), Level.WARN),
        ("redeliveries", again(100), Level.BAD),
        ("growing-queues", grown(99), None),
        ("growing-queues", grown(9_999), Level.WARN),
        ("growing-queues", grown(10_000), Level.BAD),
        ("unread-notifications", unread(99_999), Level.WARN),
        ("unread-notifications", unread(100_000), Level.BAD),
        ("consumerless-queues", abandoned("conductor"), Level.BAD),
        ("consumerless-queues", abandoned("conductor_fanout_1"), Level.WARN),
        ("lost-reply-queues", lambda cloud: cloud.poll(reply_x={"consumers": 0}), Level.INFO),
        ("silent-servers", lambda cloud: cloud.calls(2, server="host-3", **SILENT), None),
        ("silent-servers", silent(3), None),
    ],
)
def test_a_level_begins_where_the_docs_say(store: Store, name: str, plant: Plant, expected: Level | None) -> None:
    assert level(store, name, plant) is expected
