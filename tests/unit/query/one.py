"""An operation written by hand: calls whose times are chosen, as the store gives them back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rpcscope.model import Batch, Call, Clock, MessageKind, Outcome, ParentSource, Process, Status
from rpcscope.query.calls import CallView
from rpcscope.query.trace import Trace, traces
from rpcscope.store import Store
from tests.contract.records import begun, make_call, make_operation, make_process, recording_of

MS = 1_000_000
BEGAN = 1_790_000_000_000 * MS
REQUEST_ID, SECOND_REQUEST = "req-1", "req-2"


def uid(number: int) -> str:
    return f"{number:032x}"


def call(number: int, *times: int | None, parent: int = 0, **words: Any) -> Call:
    """Times in ms since the operation began: published, delivered, replied, reply delivered."""
    at = [None if time is None else BEGAN + time * MS for time in times] + [None] * (4 - len(times))
    last = max(time for time in at if time is not None)
    defaults: dict[str, Any] = {
        "published_ns": at[0], "delivered_ns": at[1], "replied_ns": at[2], "reply_delivered_ns": at[3],
        "last_ns": last, "unique_id": uid(number), "outcome": Outcome.OK, "failure": "", "flags": 0,
        "parent_unique_id": uid(parent) if parent else "", "parent_id": 0, "clock": Clock.TAP,
        "parent_source": ParentSource.INFERRED if parent else ParentSource.NONE, "heartbeats": 0, "replies": 1,
        "topic": "conductor", "server": "",
    }  # fmt: skip
    return make_call(number, **(defaults | words))


def cast(number: int, *times: int | None, parent: int = 0, **words: Any) -> Call:
    kind: dict[str, Any] = {"kind": MessageKind.CAST, "outcome": Outcome.NONE, "replies": 0}
    return call(number, *times, parent=parent, **(kind | words))


def stored(store: Store, calls: list[Call], processes: tuple[Process, ...] = (), **words: Any) -> Trace:
    """The operation that caused these calls, read from a store."""
    writer, base = begun(store, tap_mode="full")
    last = max(one.last_ns for one in calls)
    settled: dict[str, Any] = {
        "request_id": REQUEST_ID, "global_request_id": "", "kind": "create", "status": Status.DONE, "error": "",
        "started_ns": BEGAN, "last_ns": last, "finished_ns": last, "instances": (), "owed_call": 0, **words,
    }  # fmt: skip
    operation = make_operation(base + 1, **settled)
    mine = tuple(
        replace(
            one, id=base + one.id, operation_id=base + 1, cause_id=base + 1,
            from_process=base + one.from_process, to_process=base + one.to_process,
        )
        for one in calls
    )  # fmt: skip
    known = processes or (make_process(8, program="nova-api"), make_process(9, program="nova-conductor", host="vm"))
    writer.write(
        Batch(
            recording_id=recording_of(base), operations=(operation,), calls=mine, last_ns=last, ended=True,
            processes=tuple(replace(process, id=base + process.id) for process in known),
        )
    )  # fmt: skip
    return traces(store.reader(), str(settled["request_id"]))[0]


def view_of(trace: Trace, number: int) -> CallView:
    return next(view for view in trace.calls if view.call.unique_id == uid(number))
