"""Operations of a time are counted by kind, status and step, each once."""

from __future__ import annotations

from rpcscope.model import Batch, Status
from rpcscope.store import Store
from tests.contract.records import SECOND, START, begun, make_operation


def test_each_operation_counts_once_by_the_part_that_knows_its_kind_best(store: Store) -> None:
    writer, base = begun(store)
    other, base_of_other = begun(store)
    here = [
        make_operation(base + n, request_id=f"req-{n}", kind="create", kind_rank=5, started_ns=START + n * SECOND)
        for n in range(4)
    ]
    there = make_operation(
        base_of_other + 1, request_id="req-3", kind="", kind_rank=0, status=Status.RUNNING, started_ns=START
    )
    nameless = make_operation(base + 9, request_id="", started_ns=START)
    writer.write(Batch(recording_id=base >> 40, operations=(*here, nameless)))
    other.write(Batch(recording_id=base_of_other >> 40, operations=(there,)))
    found = store.reader().operation_steps(START, START + 3 * SECOND, 2 * SECOND)
    assert [(one.kind, one.status, one.step, one.operations) for one in found] == [
        ("create", here[0].status, 0, 2),
        ("create", here[0].status, 1, 1),
    ]
    assert store.reader().operation_steps(START + 9 * SECOND, START + 10 * SECOND, SECOND) == []


def test_whether_there_are_more_than_so_many_is_told_exactly(store: Store) -> None:
    writer, base = begun(store)
    writer.write(
        Batch(
            recording_id=base >> 40,
            operations=tuple(
                make_operation(base + n, request_id=f"req-{n}", started_ns=START + n) for n in range(1, 4)
            ),
        )
    )
    assert store.reader().is_more(START, START + 10, 2)
    assert not store.reader().is_more(START, START + 10, 3)
    assert not store.reader().is_more(START, START + 3, 2)
