"""What notifications tell and how far migrations are, as rows of `notice` and `migration_progress`, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row

from rpcscope.model import Noted, Notice, Progress, ProgressSample
from rpcscope.store.schema import SIZES, migration_progress, notice
from rpcscope.store.text import fit, fit_number
from rpcscope.store.upsert import upsert

_KEY = "call_id"


def put_notices(connection: Connection, notices: Iterable[Noted], progress: Iterable[ProgressSample]) -> None:
    """Stores both. A recorder that was killed may come to a message again, so that a row may be there."""
    upsert(connection, notice, [_notice_row(one) for one in notices], _KEY)
    upsert(connection, migration_progress, [_progress_row(one) for one in progress], _KEY)


def notice_of(row: Row[Any]) -> Noted:
    """The notification of a row."""
    told = Notice(
        publisher=row.publisher, host=row.host, state=row.state, task_state=row.task_state, percent=row.percent
    )
    return Noted(
        call_id=row.call_id,
        operation_id=row.operation_id,
        unique_id=row.unique_id,
        at_ns=row.at_ns,
        event=row.event,
        instance=row.instance,
        failure=row.failure,
        notice=told,
    )


def progress_of(row: Row[Any]) -> ProgressSample:
    """The sample of a row."""
    return ProgressSample(
        call_id=row.call_id,
        operation_id=row.operation_id,
        unique_id=row.unique_id,
        at_ns=row.at_ns,
        instance=row.instance,
        progress=Progress(migration=row.migration, status=row.status, **{name: getattr(row, name) for name in SIZES}),
    )


def _notice_row(one: Noted) -> dict[str, Any]:
    texts = {name: fit(getattr(one.notice, name)) for name in ("publisher", "host", "state", "task_state")}
    return _row(one) | texts | {"event": fit(one.event), "failure": fit(one.failure), "percent": one.notice.percent}


def _progress_row(one: ProgressSample) -> dict[str, Any]:
    said = one.progress
    sizes = {name: fit_number(getattr(said, name)) for name in SIZES}
    return _row(one) | sizes | {"migration": fit(said.migration), "status": fit(said.status)}


def _row(one: Noted | ProgressSample) -> dict[str, Any]:
    return {
        "call_id": one.call_id,
        "operation_id": one.operation_id,
        "unique_id": fit(one.unique_id),
        "at_ns": one.at_ns,
        "instance": fit(one.instance),
    }
