"""What was never seen delivered is found by topic, and operations' kinds by their ids, in every database."""

from __future__ import annotations

from typing import Any

from rpcscope.model import Batch, Call, MessageKind
from rpcscope.store import Store
from tests.contract.records import SECOND, START, begun, make_call, make_operation, recording_of

UNTAKEN: dict[str, Any] = {"delivered_ns": None, "replied_ns": None, "topic": "compute", "server": "h", "publishes": 1}
MANY = 1_000


def untaken(number: int, **words: Any) -> Call:
    return make_call(number, kind=MessageKind.CAST, **(UNTAKEN | words))


def found(store: Store, *topics: str, since_ns: int = START) -> list[int]:
    calls, whole = store.reader().undelivered_calls(topics, since_ns, MANY)
    assert whole
    return [call.id & 0xFF for call in calls]


def test_closed_calls_that_nobody_took_are_found_by_topic_the_oldest_first(store: Store) -> None:
    writer, base = begun(store)
    calls = (
        untaken(base + 3),
        untaken(base + 2),
        untaken(base + 4, topic="conductor", server=""),
        untaken(base + 5, delivered_ns=START + 9 * SECOND),
        make_call(base + 6, **(UNTAKEN | {"replied_ns": START + 9 * SECOND})),
        untaken(base + 7, published_ns=START - SECOND),
    )
    writer.write(Batch(recording_id=recording_of(base), calls=calls))
    assert found(store, "compute") == [2, 3]
    assert found(store, "compute", "conductor") == [2, 3, 4]
    assert found(store, "compute", since_ns=START - SECOND) == [7, 2, 3]
    first, whole = store.reader().undelivered_calls(["compute"], START, 1)
    assert ([call.id & 0xFF for call in first], whole) == ([2], False)
    assert found(store, "nobody's") == found(store) == []


def test_what_was_delivered_after_it_was_closed_is_not_among_them(store: Store) -> None:
    writer, base = begun(store)
    first, second = untaken(base + 1), untaken(base + 2)
    late = untaken(base + 9, unique_id=first.unique_id, publishes=0, delivered_ns=START + 9 * SECOND)
    lost = untaken(
        base + 10, unique_id=second.unique_id, publishes=0, published_ns=None, delivered_ns=START + 9 * SECOND
    )
    writer.write(Batch(recording_id=recording_of(base), calls=(first, second)))
    assert found(store, "compute") == [1, 2]
    writer.write(Batch(recording_id=recording_of(base), calls=(late, lost)))
    assert found(store, "compute") == []


def test_the_surest_part_of_a_request_id_tells_the_kind(store: Store) -> None:
    writer, base = begun(store)
    parts = (
        make_operation(base + 1, request_id="req-1", kind="", kind_rank=0),
        make_operation(base + 2, request_id="req-1", kind="create", kind_rank=3),
        make_operation(base + 3, request_id="", kind="", kind_rank=0),
    )
    writer.write(Batch(recording_id=recording_of(base), operations=parts))
    kinds = store.reader().operation_kinds({part.id for part in parts} | {base + 99})
    assert kinds == {base + 1: "create", base + 2: "create", base + 3: ""}
