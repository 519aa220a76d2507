"""What notifications tell and how far migrations are is kept beside the operations, and goes with them."""

from __future__ import annotations

from typing import Any

from rpcscope.model import Batch, Noted, Notice, Progress, ProgressSample
from rpcscope.store import Store
from tests.contract.records import SECOND, START, begun, make_call, make_operation, recording_of

SERVER = "003a7e15-8c0a-4889-a087-bc54a24feb64"
MIGRATION = "2f58666f-6fa2-4915-b79c-d9829f11798c"
GIB = 1 << 30


def noted(call_id: int, operation_id: int, **words: Any) -> Noted:
    notice = Notice(publisher="nova-compute:h1", host="h1", state="building", task_state="spawning", percent=40)
    defaults: dict[str, Any] = {
        "unique_id": f"{call_id:032x}", "at_ns": START + call_id % 1000, "event": "instance.create.error",
        "instance": SERVER, "failure": "NoValidHost", "notice": notice,
    }  # fmt: skip
    return Noted(call_id=call_id, operation_id=operation_id, **(defaults | words))


def sample(call_id: int, operation_id: int, **words: Any) -> ProgressSample:
    progress = Progress(
        migration=MIGRATION, status="running", memory_total=64 * GIB, memory_processed=GIB,
        memory_remaining=63 * GIB, disk_total=0, disk_processed=1, disk_remaining=2,
    )  # fmt: skip
    defaults: dict[str, Any] = {
        "unique_id": f"{call_id:032x}", "at_ns": START + call_id % 1000, "instance": SERVER, "progress": progress,
    }  # fmt: skip
    return ProgressSample(call_id=call_id, operation_id=operation_id, **(defaults | words))


def test_both_come_back_as_they_were_by_their_operation(store: Store) -> None:
    writer, base = begun(store)
    told = (noted(base + 1, base + 7), noted(base + 2, base + 7, notice=Notice(), failure="", instance=""))
    moved = (sample(base + 3, base + 7), sample(base + 4, base + 7, progress=Progress()))
    others = (noted(base + 5, base + 8),)
    writer.write(Batch(recording_id=recording_of(base), notices=(*told, *others), progress=moved))
    reader = store.reader()
    assert reader.notices([base + 7]) == list(told)
    assert reader.progress([base + 7, base + 9]) == list(moved)
    assert reader.notices([]) == reader.progress([base + 8]) == []


def test_of_more_than_the_limit_the_newest_are_given_the_oldest_first(store: Store) -> None:
    writer, base = begun(store)
    moved = tuple(sample(base + n, base + 7) for n in range(1, 6))
    writer.write(Batch(recording_id=recording_of(base), progress=moved))
    assert store.reader().progress([base + 7], 2) == list(moved[-2:])
    assert store.reader().progress_between(moved[1].at_ns, moved[3].at_ns) == list(moved[1:4])
    assert store.reader().progress_between(moved[0].at_ns, moved[4].at_ns, 2) == list(moved[-2:])


def test_a_message_that_comes_again_replaces_what_it_told(store: Store) -> None:
    writer, base = begun(store)
    writer.write(Batch(recording_id=recording_of(base), notices=(noted(base + 1, base + 7),)))
    again = noted(base + 1, base + 7, event="instance.create.end", failure="")
    writer.write(Batch(recording_id=recording_of(base), notices=(again,)))
    assert store.reader().notices([base + 7]) == [again]


def test_both_go_with_their_operation(store: Store) -> None:
    writer, base = begun(store)
    old = make_operation(base + 7, last_ns=START + 10)
    new = make_operation(base + 8, request_id="req-new", last_ns=START + 90 * SECOND)
    calls = (make_call(base + 1, operation_id=old.id), make_call(base + 2, operation_id=new.id))
    writer.write(
        Batch(
            recording_id=recording_of(base), operations=(old, new), calls=calls,
            notices=(noted(base + 1, old.id), noted(base + 2, new.id), noted(base + 3, base + 99)),
            progress=(sample(base + 4, old.id), sample(base + 5, new.id), sample(base + 6, base + 99)),
        )
    )  # fmt: skip
    deleted = writer.prune(START + 60 * SECOND)
    assert (deleted["notice"], deleted["migration_progress"]) == (2, 2)
    assert [one.call_id for one in store.reader().notices([old.id, new.id, base + 99])] == [base + 2]
    assert [one.call_id for one in store.reader().progress([old.id, new.id, base + 99])] == [base + 5]
