"""Calls of one method in a time, no more than a page can think about."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, cast, func, select

from rpcscope.model import RPCS, Call
from rpcscope.store.call_query import CallFilter, open_calls
from rpcscope.store.call_rows import first_ns
from rpcscope.store.database import Database
from rpcscope.store.names import NameReader
from rpcscope.store.schema import call
from rpcscope.store.traffic import MethodCall, MethodTraffic, Window
from rpcscope.store.traffic_query import LOOK, begun, during
from rpcscope.store.windows import windows

MOST = 10_000
"""Calls that are read, ten microseconds each."""
_COPIED = (
    "id", "kind", "outcome", "flags", "clock", "unique_id", "operation_id", "cause_id", "parent_id", "from_process",
    "to_process", "first_ns", "published_ns", "delivered_ns", "replied_ns", "reply_delivered_ns", "replies",
    "request_bytes", "reply_bytes",
)  # fmt: skip
_NAMED = {"parent_method": "parent_method_id", "topic": "topic_id", "failure": "failure_id"}
_SPREAD = 1 << 16


def method_traffic(
    database: Database,
    names: NameReader,
    method: str,
    from_ns: int,
    to_ns: int,
    *,
    look: int = LOOK,
    most: int = MOST,
) -> MethodTraffic:
    """See `protocol.Reader.method_traffic`."""
    everything = open_calls(database, CallFilter(since_ns=from_ns, until_ns=to_ns, limit=look))
    opened = [c for c in everything if c.method == method and c.kind in RPCS]
    method_id = names.id_of(method)
    if not method_id:
        return MethodTraffic(windows=(), every=1, calls=())
    with database.reading() as connection:
        looked = windows(connection, from_ns, to_ns, look)
        every = -(-_count(connection, looked, method_id) // most) or 1
        rows = [(window, row) for window in looked for row in _rows(connection, window, method_id, every)]
    texts = names.load({getattr(row, column) or 0 for _, row in rows for column in _NAMED.values()})
    known = {c.id: c.method for c in everything}
    calls = [_call(row, window.weight * every, texts, known) for window, row in rows]
    return MethodTraffic(windows=looked, every=every, calls=(*calls, *(_open(c, known) for c in opened)))


def _count(connection: Connection, looked: tuple[Window, ...], method_id: int) -> int:
    query = select(func.count()).select_from(call).where(*during(), call.c.method_id == method_id)
    return sum(int(connection.execute(query, _span(window)).scalar_one()) for window in looked)


def _rows(connection: Connection, window: Window, method_id: int, every: int) -> list[Any]:
    query = _query().where(call.c.method_id == method_id)
    if every > 1:
        query = query.where(_spread() < _SPREAD // every)
    return list(connection.execute(query, _span(window)))


def _span(window: Window) -> dict[str, int]:
    return {"from_ns": window.from_ns, "to_ns": window.to_ns}


def _query() -> Select[Any]:
    parent = call.alias("parent")
    named = [parent.c.method_id.label("parent_method_id"), call.c.topic_id, call.c.failure_id]
    columns = [*(call.c[column] for column in _COPIED), *named]
    found = select(*columns).select_from(call.outerjoin(parent, parent.c.id == call.c.parent_id))
    return found.where(*during(), begun())


def _spread() -> ColumnElement[int]:
    """A number below 65,536 that says nothing of the call, and is spread evenly over those of any run of ids."""
    # Ids follow each other: the golden ratio of the modulus keeps any regular pattern of them from being preferred.
    return (cast(call.c.id, BigInteger) % _SPREAD) * 40_503 % _SPREAD


def _call(row: Any, weight: float, texts: dict[int, str], opened: dict[int, str]) -> MethodCall:
    copied = {column: getattr(row, column) for column in _COPIED}
    named: dict[str, Any] = {word: texts[getattr(row, column) or 0] for word, column in _NAMED.items()}
    named["parent_method"] = named["parent_method"] or opened.get(row.parent_id, "")
    return MethodCall(weight=weight, **copied, **named)


def _open(c: Call, opened: dict[int, str]) -> MethodCall:
    copied = {column: getattr(c, column) for column in _COPIED if column != "first_ns"}
    parent = opened.get(c.parent_id, "")
    return MethodCall(weight=1, first_ns=first_ns(c), parent_method=parent, topic=c.topic, failure=c.failure, **copied)
