"""Recordings of a real nova that were changed as a new release might change it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from rpcscope.model import Batch, Call, Operation
from rpcscope.store import open_store
from rpcscope.store.protocol import OperationFilter

NEW = "object_action(Planted.save)"
SAVE = "object_action(Instance.save)"


def with_a_new_call(source: Path, target: Path, *, every: int = 1) -> Path:
    """A copy of a store in which each boot, or every so manieth, calls the conductor once more."""
    shutil.copy(source, target)
    with open_store(str(target)) as store:
        reader = store.reader()
        boots = [one for one in reader.operations(OperationFilter(kind="create")) if one.complete]
        calls = list(reader.calls(operation_ids=[boot.id for boot in boots]))
        (info,) = reader.recordings()
        planted = [_planted(boot, calls, 1_000_000 + n) for n, boot in enumerate(boots) if n % every == 0]
        store.writer().write(
            Batch(
                recording_id=info.recording.id, calls=tuple(call for _, call in planted),
                operations=tuple(boot for boot, _ in planted), counters=info.counters, last_ns=info.last_ns,
                position=info.position, ended=True,
            )
        )  # fmt: skip
    return target


def with_a_slow_method(source: Path, target: Path, method: str, by_ns: int) -> Path:
    """A copy of a store in which all calls of a method were answered later."""
    shutil.copy(source, target)
    with closing(sqlite3.connect(target)) as database, database:
        database.execute(
            "UPDATE call SET replied_ns = replied_ns + ?, reply_delivered_ns = reply_delivered_ns + ?"
            " WHERE method_id = (SELECT id FROM name WHERE text = ?)",
            (by_ns, by_ns, method),
        )
    return target


def _planted(boot: Operation, calls: Sequence[Call], number: int) -> tuple[Operation, Call]:
    model = next(call for call in calls if call.operation_id == boot.id and call.method == SAVE)
    made = replace(
        model, id=model.id + number, unique_id=f"{number:032x}", msg_id=f"{number + 5_000:032x}", method=NEW
    )  # fmt: skip
    tally = boot.by_request
    more = replace(tally, calls=tally.calls + 1, replies=tally.replies + 1, bytes=tally.bytes + 5_000)
    return replace(boot, by_request=more), made
