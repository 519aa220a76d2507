"""Operations and processes as rows, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Any

import msgspec
from sqlalchemy import Row

from rpcscope.model import Operation, Process, Status, Tally
from rpcscope.store.schema import TALLY, operation_part
from rpcscope.store.text import fit, fit_number

OPERATION_NAMES = ("kind_id", "error_id", "source_host_id", "dest_host_id", "owed_method_id", "owed_host_id")
PROCESS_NAMES = ("program_id", "host_id", "role_id")

_BY_REQUEST = tuple(f"r_{word}" for word in TALLY)
_BY_CAUSE = tuple(f"c_{word}" for word in TALLY)
_numbers = attrgetter(*TALLY)
_name_ids = itemgetter(*(operation_part.c.keys().index(column) for column in OPERATION_NAMES))
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[str, ...]).decode


def operation_names(operations: Iterable[Operation]) -> set[str]:
    """Every text of the operations that the dictionary of names holds."""
    texts: set[str] = set()
    for o in operations:
        texts.update((o.kind, o.error, o.source_host, o.dest_host, o.owed_method, o.owed_host))
    return texts


def process_names(processes: Iterable[Process]) -> set[str]:
    """Every text of the processes that the dictionary of names holds."""
    texts: set[str] = set()
    for p in processes:
        texts.update((p.program, p.host, p.role))
    return texts


def operation_row(o: Operation, names: Mapping[str, int]) -> dict[str, Any]:
    """The row of `operation_part`."""
    return {
        "id": o.id,
        "request_id": fit(o.request_id),
        "global_request_id": fit(o.global_request_id),
        "kind_id": names[o.kind],
        "kind_rank": o.kind_rank,
        "background": o.background,
        "status": int(o.status),
        "error_id": names[o.error],
        "instances": _encode([fit(instance) for instance in o.instances]),
        "source_host_id": names[o.source_host],
        "dest_host_id": names[o.dest_host],
        "project_id": fit(o.project_id),
        "started_ns": o.started_ns,
        "last_ns": o.last_ns,
        "finished_ns": o.finished_ns,
        "complete": o.complete,
        **dict(zip(_BY_REQUEST, _numbers(o.by_request), strict=True)),
        **dict(zip(_BY_CAUSE, _numbers(o.by_cause), strict=True)),
        "owed_call": o.owed_call,
        "owed_method_id": names[o.owed_method],
        "owed_process": o.owed_process,
        "owed_host_id": names[o.owed_host],
        "owed_since_ns": o.owed_since_ns,
    }


def instance_rows(operations: Iterable[Operation]) -> list[dict[str, Any]]:
    """The rows of `operation_instance`, each once."""
    pairs = {(o.id, fit(instance)): None for o in operations for instance in o.instances}
    return [{"operation_id": operation, "instance": instance} for operation, instance in pairs]


def name_ids(rows: Iterable[Sequence[Any]]) -> set[int]:
    """Ids of every name in rows of `operation_part`."""
    return {number for row in rows for number in _name_ids(row)}


def operation_of(row: Sequence[Any], names: Mapping[int, str]) -> Operation:
    """The operation of a row of `operation_part`, in the order of its columns; by place, for lists are long."""
    return Operation(
        id=row[0],
        request_id=row[1],
        global_request_id=row[2],
        kind=names[row[3]],
        kind_rank=row[4],
        background=bool(row[5]),
        status=Status(row[6]),
        error=names[row[7]],
        instances=_decode(row[8]),
        source_host=names[row[9]],
        dest_host=names[row[10]],
        project_id=row[11],
        started_ns=row[12],
        last_ns=row[13],
        finished_ns=row[14],
        complete=bool(row[15]),
        by_request=_tally(row[16:24]),
        by_cause=_tally(row[24:32]),
        owed_call=row[32],
        owed_method=names[row[33]],
        owed_process=row[34],
        owed_host=names[row[35]],
        owed_since_ns=row[36],
    )


def process_row(p: Process, names: Mapping[str, int]) -> dict[str, Any]:
    """The row of `process`."""
    return {
        "id": p.id,
        "key": fit(p.key),
        "program_id": names[p.program],
        "pid": fit_number(p.pid),
        "peer": fit(p.peer),
        "host_id": names[p.host],
        "role_id": names[p.role],
        "seen_ns": p.seen_ns,
        "gone_ns": p.gone_ns,
    }


def process_of(row: Row[Any], names: Mapping[int, str]) -> Process:
    """The process of a row."""
    return Process(
        id=row.id,
        key=row.key,
        program=names[row.program_id],
        pid=row.pid,
        peer=row.peer,
        host=names[row.host_id],
        role=names[row.role_id],
        seen_ns=row.seen_ns,
        gone_ns=row.gone_ns,
    )


def _tally(row: Sequence[int]) -> Tally:
    calls, casts, fanouts, replies, heartbeats, notifications, copies, size = row
    return Tally(
        calls=calls,
        casts=casts,
        fanouts=fanouts,
        replies=replies,
        heartbeats=heartbeats,
        notifications=notifications,
        copies=copies,
        bytes=size,
    )
