"""Runs of the emulator: what was asked for, what was expected, what came of it.

What went over the wire is not in here: it is what the recording of the run's vhost has.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from sqlalchemy import Row, insert, select, update

from rpcscope.store.database import Database
from rpcscope.store.schema import run
from rpcscope.store.text import fit


class RunState(IntEnum):
    """Where a run stands."""

    RUNNING = 0
    DONE = 1
    FAILED = 2  # it could not go on
    INTERRUPTED = 3  # somebody ended it

    @property
    def word(self) -> str:
        """As it is shown."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a flow, or of a replay. The mappings are JSON."""

    id: int = 0  # given by the store
    label: str = ""  # what its user calls it
    what: str  # the flow's name, or "replay"
    vhost: str  # it made this one, and ran in it alone
    state: RunState = RunState.RUNNING
    started_ns: int  # when its services were up
    heard_ns: int  # when it last said how it fares
    ended_ns: int | None = None
    asked: Mapping[str, Any]  # parameters, fleet, speed, where the templates come from
    expected: Mapping[str, Any]  # by the plan: operations, messages, bytes, durations, by kind and method
    outcome: Mapping[str, Any]  # so far: operations, lateness of the pacer, peaks, errors


def begin_run(database: Database, one: Run) -> int:
    """Stores a run that begins; its id."""
    row = {
        "label": fit(one.label), "what": fit(one.what), "vhost": fit(one.vhost), "state": int(one.state),
        "started_ns": one.started_ns, "heard_ns": one.heard_ns, "ended_ns": one.ended_ns,
        "asked": _text(one.asked), "expected": _text(one.expected), "outcome": _text(one.outcome),
    }  # fmt: skip
    with database.writing() as connection:
        key: Any = connection.execute(insert(run).values(row)).inserted_primary_key
        return int(key[0])


def tell_run(
    database: Database, run_id: int, *, state: RunState, at_ns: int, outcome: Mapping[str, Any], ended: bool
) -> None:
    """Replaces what was known of how it fares."""
    row: dict[str, Any] = {"state": int(state), "heard_ns": at_ns, "outcome": _text(outcome)}
    if ended:
        row["ended_ns"] = at_ns
    with database.writing() as connection:
        connection.execute(update(run).where(run.c.id == run_id).values(row))


def runs(database: Database, limit: int, before_id: int | None) -> list[Run]:
    """The newest runs, or those before one."""
    query = select(run).order_by(run.c.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(run.c.id < before_id)
    with database.reading() as connection:
        return [_run_of(row) for row in connection.execute(query)]


def run_by_id(database: Database, run_id: int) -> Run | None:
    """One of them."""
    with database.reading() as connection:
        row = connection.execute(select(run).where(run.c.id == run_id)).one_or_none()
    return None if row is None else _run_of(row)


def _run_of(row: Row[Any]) -> Run:
    return Run(
        id=row.id, label=row.label, what=row.what, vhost=row.vhost, state=RunState(row.state),
        started_ns=row.started_ns, heard_ns=row.heard_ns, ended_ns=row.ended_ns,
        asked=json.loads(row.asked), expected=json.loads(row.expected), outcome=json.loads(row.outcome),
    )  # fmt: skip


def _text(value: Mapping[str, Any]) -> str:
    """In ASCII, so that every database takes it."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))
