"""The newest operations of a kind are found with all their parts, in every database."""

from __future__ import annotations

from rpcscope.model import Batch
from rpcscope.store import Store
from tests.contract.records import SECOND, START, begun, make_operation, recording_of


def found(store: Store, kind: str, limit: int) -> list[int]:
    return [part.id & 0xFF for part in store.reader().newest_of_kind(kind, limit)]


def test_the_newest_of_a_kind_come_with_parts_that_know_no_kind(store: Store) -> None:
    writer, base = begun(store)
    parts = (
        make_operation(base + 1, request_id="req-1", kind="create", started_ns=START + 1 * SECOND),
        make_operation(base + 2, request_id="req-2", kind="create", started_ns=START + 2 * SECOND),
        make_operation(base + 3, request_id="req-3", kind="create", started_ns=START + 3 * SECOND),
        make_operation(base + 4, request_id="req-3", kind="", started_ns=START + 9 * SECOND),
        make_operation(base + 5, request_id="req-4", kind="delete", started_ns=START + 8 * SECOND),
    )
    writer.write(Batch(recording_id=recording_of(base), operations=parts))
    assert found(store, "create", 2) == [4, 3, 2]
    assert found(store, "create", 100) == [4, 3, 2, 1]
    assert found(store, "delete", 1) == [5]
    assert found(store, "never-seen", 5) == []
