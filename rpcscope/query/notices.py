"""What notifications told of one operation."""

from __future__ import annotations

from collections.abc import Collection

from rpcscope.model import Noted
from rpcscope.query.times import iso
from rpcscope.store.protocol import Reader


def notices_of(reader: Reader, operation_ids: Collection[int]) -> tuple[Noted, ...]:
    """The oldest first. Several recordings may have seen one notification: it is told once."""
    found: dict[str, Noted] = {}
    for one in reader.notices(operation_ids):
        found.setdefault(one.unique_id, one)
    return tuple(found.values())


def states(one: Noted) -> str:
    """Of the server: `building / spawning`; "" when it does not say."""
    told = one.notice
    return " / ".join(word for word in (told.state, told.task_state) if word)


def notice_dict(one: Noted) -> dict[str, object]:
    """The fields of the JSON contract."""
    told = one.notice
    return {
        "at": iso(one.at_ns),
        "event": one.event,
        "instance": one.instance or None,
        "host": told.host or None,
        "state": told.state or None,
        "task_state": told.task_state or None,
        "percent": told.percent,
        "error": one.failure or None,
        "publisher": told.publisher or None,
        "unique_id": one.unique_id,
    }
