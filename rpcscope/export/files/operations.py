"""The table of operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rpcscope.export.files.column import Column, Table, Type
from rpcscope.export.files.wanted import Wanted, operations
from rpcscope.query.operations import OperationView
from rpcscope.store.protocol import Reader

_COUNTS = ("messages", "rpcs", "calls", "casts", "fanouts", "replies", "heartbeats", "notifications", "copies", "bytes")
_Told = tuple[OperationView, dict[str, Any]]
"""An operation, and the fields that are said of it everywhere."""


def _read(reader: Reader, wanted: Wanted) -> Iterator[_Told]:
    for view in operations(reader, wanted):
        yield view, view.as_dict()


def _field(name: str, type: Type, meaning: str) -> Column:
    return Column(name, type, meaning, lambda told: told[1][name])


def _of(name: str, type: Type, meaning: str, take: Callable[[OperationView], Any]) -> Column:
    return Column(name, type, meaning, lambda told: take(told[0]))


def _count(word: str) -> Column:
    what = "Bytes of the messages" if word == "bytes" else word.upper() if word == "rpcs" else word.capitalize()
    return _field(word, "int", f"{what} that carry its request id, and of their replies.")


def _caused(word: str) -> Column:
    what = "Bytes of the messages" if word == "bytes" else word.upper() if word == "rpcs" else word.capitalize()
    return Column(
        f"cause_{word}", "int", f"{what} that it made happen, whatever id they carry.", lambda t: t[1]["by_cause"][word]
    )


OPERATIONS = Table(
    "operations",
    "An operation, put together from all that recorders saw of it.",
    (
        _field("request_id", "text", "Of it."),
        _field("global_request_id", "text", "That links it to others."),
        _field("kind", "text", "create, live-migration, periodic:..., unattributed."),
        _field("background", "bool", "A timer or a start began it."),
        _field("status", "text", "done, failed, running, stuck, unknown."),
        _field("error", "text", "Class of what made it fail."),
        _field("instances", "texts", "Servers it is about."),
        _field("source_host", "text", ""),
        _field("dest_host", "text", ""),
        _field("project_id", "text", ""),
        _of("started_at", "time", "First message.", lambda view: view.whole.started_ns),
        _of("finished_at", "time", "Its end; none while it is not over.", lambda view: view.whole.finished_ns),
        _of("duration_ns", "int", "ns from the first message to the end.", lambda view: view.duration_ns),
        _field("complete", "bool", "Its first message was seen."),
        *map(_count, _COUNTS),
        *map(_caused, _COUNTS),
        _of("in_gap", "bool", "A tap was blind during it: its counts may be too low.", lambda view: bool(view.gaps)),
        _of("owed_method", "text", "What it waits for.", lambda view: view.owed.method if view.owed else None),
        _of("owed_host", "text", "Who owes it.", lambda view: (view.owed.host or None) if view.owed else None),
    ),
    _read,
)
