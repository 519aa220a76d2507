"""What a part of an operation must be, as SQL, for a filter of operations."""

from __future__ import annotations

from collections.abc import Collection
from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, exists, false, or_, select

from rpcscope.model import Status
from rpcscope.store.names import NameReader
from rpcscope.store.protocol import OperationFilter
from rpcscope.store.resume import ID_BITS
from rpcscope.store.schema import call, operation_instance, operation_part, process
from rpcscope.store.text import fit

Part = FromClause
"""`operation_part` or an alias of it."""


def conditions(names: NameReader, wanted: OperationFilter, part: Part) -> list[ColumnElement[bool]] | None:
    """What a part must be; None when nothing can be it, because a name of the filter was never stored."""
    found: list[ColumnElement[bool]] = []
    for text, column in ((wanted.kind, part.c.kind_id), (wanted.host, None)):
        number = None if text is None else names.id_of(text)
        if text is not None and number is None:
            return None
        if number is not None:
            found.append(_touches(number, part) if column is None else column == number)
    return found + of_time(wanted, part) + _of_ids(wanted, part) + _of_values(wanted, part)


def of_time(wanted: OperationFilter, part: Part) -> list[ColumnElement[bool]]:
    """What the index on the time knows: when it began, and whether a person began it."""
    found: list[ColumnElement[bool]] = []
    if wanted.background is not None:
        found.append(part.c.background.is_(wanted.background))
    if wanted.since_ns is not None:
        found.append(part.c.started_ns >= wanted.since_ns)
    if wanted.until_ns is not None:
        found.append(part.c.started_ns < wanted.until_ns)
    return found


def _of_ids(wanted: OperationFilter, part: Part) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.instance is not None:
        same = select(operation_instance.c.operation_id).where(operation_instance.c.instance == fit(wanted.instance))
        found.append(part.c.id.in_(same))
    if wanted.request_id is not None:
        request_id = fit(wanted.request_id)
        found.append(or_(part.c.request_id == request_id, part.c.global_request_id == request_id))
    if wanted.related is not None:
        ids = sorted({fit(one) for one in wanted.related if one})
        found.append(or_(part.c.request_id.in_(ids), part.c.global_request_id.in_(ids)) if ids else false())
    if wanted.project_id is not None:
        found.append(part.c.project_id == fit(wanted.project_id))
    if wanted.recording_id is not None:
        found += [part.c.id >= wanted.recording_id << ID_BITS, part.c.id < (wanted.recording_id + 1) << ID_BITS]
    return found


def _of_values(wanted: OperationFilter, part: Part) -> list[ColumnElement[bool]]:
    """What a part must be lest the whole can not be it: what several parts add up to is not known here."""
    found: list[ColumnElement[bool]] = []
    if wanted.statuses is not None:
        found.append(_has_status(wanted.statuses, part))
    lasted, rpcs = lasted_ns(part), counted(part, "calls", "casts", "fanouts")
    for value, least in ((lasted, wanted.min_duration_ns), (rpcs, wanted.min_rpcs)):
        if least is not None:
            found.append(or_(value >= least, _is_one_of_several(part)))
    for value, most in ((lasted, wanted.max_duration_ns), (rpcs, wanted.max_rpcs)):
        if most is not None:
            found.append(or_(value <= most, value.is_(None)))
    if wanted.min_duration_ns is not None or wanted.max_duration_ns is not None:
        found.append(or_(part.c.finished_ns.is_not(None), _is_one_of_several(part)))
    return found


def lasted_ns(part: Part) -> ColumnElement[Any]:
    """How long a part took; NULL while it is not over."""
    return part.c.finished_ns - part.c.started_ns


def counted(part: Part, *kinds: str) -> ColumnElement[Any]:
    """Messages of these kinds that carry the request id."""
    columns: list[ColumnElement[Any]] = [part.c[f"r_{kind}"] for kind in kinds]
    return reduce(add, columns)


def _has_status(statuses: Collection[Status], part: Part) -> ColumnElement[bool]:
    """A part that ended and does not know of what is done where another part saw the beginning."""
    same = part.c.status.in_([int(status) for status in statuses])
    if Status.DONE not in statuses:
        return same
    ended = and_(part.c.status == int(Status.UNKNOWN), part.c.finished_ns.is_not(None), part.c.complete.is_(False))
    return or_(same, and_(ended, _is_one_of_several(part)))


def _is_one_of_several(part: Part) -> ColumnElement[bool]:
    other = operation_part.alias()
    return exists().where(other.c.request_id == part.c.request_id, other.c.id != part.c.id)


def _touches(host: int, part: Part) -> ColumnElement[bool]:
    """The host is named in the part, or a call of the part was sent to it or worked on by it."""
    there = select(process.c.id).where(process.c.host_id == host)
    went = exists().where(call.c.operation_id == part.c.id, or_(call.c.server_id == host, call.c.to_process.in_(there)))
    named = (part.c.source_host_id == host, part.c.dest_host_id == host, part.c.owed_host_id == host)
    return or_(*named, went)
