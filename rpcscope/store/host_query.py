"""What hit a host in a time: calls that went to it or came from it, closed and open."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from rpcscope.model import Call, Outcome
from rpcscope.store.call_query import CallFilter, open_calls
from rpcscope.store.call_rows import first_ns
from rpcscope.store.database import Database
from rpcscope.store.names import NameReader
from rpcscope.store.operation_query import request_ids
from rpcscope.store.places import HostMethod, HostTouch, HostWork
from rpcscope.store.schema import call, process

LOOK = 200_000
"""Calls that are looked at, a microsecond or two each. No index has the host: it would make inserts slower."""
_Touch = tuple[int, int, int, int]
"""Calls received and sent, when the first and the last of them began."""
_SUMS = ("calls", "failed", "timed_out", "answered", "server_ns", "bytes")


@dataclass(frozen=True, slots=True)
class _Host:
    """A host as calls name it."""

    name: str
    name_id: int
    processes: frozenset[int]

    def received(self, c: Call) -> bool:
        """The call was sent to it, or one of its processes took it."""
        return c.server == self.name or c.to_process in self.processes

    def sent(self, c: Call) -> bool:
        """One of its processes published the call."""
        return c.from_process in self.processes


def host_work(database: Database, names: NameReader, text: str, since_ns: int, until_ns: int, limit: int) -> HostWork:
    """See `protocol.Reader.host_work`."""
    name_id = names.id_of(text)
    if not name_id:
        return HostWork(received=(), sent=(), operations=0, touches=(), since_ns=None)
    opened = open_calls(database, CallFilter(since_ns=since_ns, until_ns=until_ns))
    with database.reading() as connection:
        there = connection.execute(select(process.c.id).where(process.c.host_id == name_id)).scalars()
        host = _Host(text, name_id, frozenset(there))
        edge = newest_edge(connection, since_ns, until_ns)
        during = (call.c.first_ns >= (since_ns if edge is None else edge), call.c.first_ns < until_ns)
        methods = [_methods(connection, side, during) for side in (_received(host), _sent(host))]
        touched = _touched(connection, host, during)
    texts = names.load({row.method_id for rows in methods for row in rows})
    touches = _touches(touched, opened, host)
    found = _by_request(touches, request_ids(database, touches))
    return HostWork(
        received=_totals(methods[0], texts, [c for c in opened if host.received(c)]),
        sent=_totals(methods[1], texts, [c for c in opened if host.sent(c)]),
        operations=len(found),
        touches=tuple(found[:limit]),
        since_ns=edge,
    )


def newest_edge(connection: Connection, since_ns: int, until_ns: int) -> int | None:
    """From when on no more than LOOK closed calls are there to look at; None: from the beginning of the time."""
    first = call.c.first_ns
    query = select(first).where(first >= since_ns, first < until_ns).order_by(first.desc()).offset(LOOK).limit(1)
    found: int | None = connection.execute(query).scalar_one_or_none()
    return None if found is None else found + 1


def _received(host: _Host) -> ColumnElement[bool]:
    return or_(call.c.server_id == host.name_id, _among(call.c.to_process, host.processes))


def _sent(host: _Host) -> ColumnElement[bool]:
    return _among(call.c.from_process, host.processes)


def _among(column: ColumnElement[int], numbers: Collection[int]) -> ColumnElement[bool]:
    return column.in_(sorted(numbers))


def _methods(connection: Connection, side: ColumnElement[bool], during: Iterable[ColumnElement[bool]]) -> list[Any]:
    answered = and_(call.c.delivered_ns.is_not(None), call.c.replied_ns.is_not(None))
    took = case((answered, call.c.replied_ns - call.c.delivered_ns))
    key = (call.c.method_id, call.c.kind)
    query = select(
        *key,
        func.count().label("calls"),
        *(
            func.sum(case((call.c.outcome == int(outcome), 1), else_=0)).label(word)
            for word, outcome in (("failed", Outcome.FAILED), ("timed_out", Outcome.TIMED_OUT))
        ),
        func.count(took).label("answered"),
        func.coalesce(func.sum(took), 0).label("server_ns"),
        func.max(took).label("slowest_ns"),
        func.sum(call.c.request_bytes).label("bytes"),
    )
    return list(connection.execute(query.where(side, *during).group_by(*key)))


def _totals(rows: Iterable[Any], texts: Mapping[int, str], opened: Iterable[Call]) -> tuple[HostMethod, ...]:
    # SUM is a Decimal in two of the three databases.
    sums = {(texts[row.method_id], row.kind): [int(getattr(row, word)) for word in _SUMS] for row in rows}
    slowest = {(texts[row.method_id], row.kind): row.slowest_ns for row in rows}
    for c in opened:
        mine = sums.setdefault((c.method, int(c.kind)), [0] * len(_SUMS))
        mine[0] += 1
        mine[-1] += c.request_bytes
    found = [
        HostMethod(
            method=method, kind=kind, slowest_ns=slowest.get((method, kind)), **dict(zip(_SUMS, sum_, strict=True))
        )
        for (method, kind), sum_ in sums.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.calls, one.method, one.kind)))


def _touched(connection: Connection, host: _Host, during: Iterable[ColumnElement[bool]]) -> list[Any]:
    received, sent = _received(host), _sent(host)
    query = select(
        call.c.operation_id,
        func.sum(case((received, 1), else_=0)).label("received"),
        func.sum(case((sent, 1), else_=0)).label("sent"),
        func.min(call.c.first_ns).label("first_ns"),
        func.max(call.c.first_ns).label("last_ns"),
    )
    query = query.where(or_(received, sent), call.c.operation_id != 0, *during)
    return list(connection.execute(query.group_by(call.c.operation_id)))


def _touches(rows: Iterable[Any], opened: Iterable[Call], host: _Host) -> dict[int, _Touch]:
    """What each operation had to do with the host, by its id."""
    found = {row.operation_id: (int(row.received), int(row.sent), row.first_ns, row.last_ns) for row in rows}
    for c in opened:
        received, sent, at = host.received(c), host.sent(c), first_ns(c)
        if c.operation_id and (received or sent):
            found[c.operation_id] = _added(found.get(c.operation_id), (int(received), int(sent), at, at))
    return found


def _by_request(touches: Mapping[int, _Touch], named: Mapping[int, str]) -> list[HostTouch]:
    """Parts of one operation together; the newest first by their last call."""
    found: dict[str, _Touch] = {}
    for number, touch in touches.items():
        if request_id := named.get(number):
            found[request_id] = _added(found.get(request_id), touch)
    rows = [
        HostTouch(request_id=request_id, received=received, sent=sent, first_ns=first, last_ns=last)
        for request_id, (received, sent, first, last) in found.items()
    ]
    return sorted(rows, key=lambda row: (-row.last_ns, row.request_id))


def _added(before: _Touch | None, touch: _Touch) -> _Touch:
    if before is None:
        return touch
    return before[0] + touch[0], before[1] + touch[1], min(before[2], touch[2]), max(before[3], touch[3])
