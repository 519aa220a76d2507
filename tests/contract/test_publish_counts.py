"""Messages are counted by who published them, step by step; of too many some are looked at, and the share is told."""

from __future__ import annotations

from collections import Counter

import pytest

from rpcscope.model import Batch, MessageKind
from rpcscope.store import Store
from rpcscope.store.rate_query import publish_counts
from tests.contract.records import SECOND, START, begun, make_call

CALLS, STEPS = 400, 4
END = START + CALLS * SECOND
STEP = CALLS * SECOND // STEPS


@pytest.fixture
def steady(store: Store) -> Store:
    """A call each second, from process 7 to process 8, answered within it."""
    writer, base = begun(store)
    calls = [
        make_call(
            base + 1 + n, kind=MessageKind.REQUEST, from_process=7, to_process=8, publishes=1, replies=1, heartbeats=0,
            published_ns=START + n * SECOND, delivered_ns=None, replied_ns=START + n * SECOND + 1,
            reply_delivered_ns=None,
        )
        for n in range(CALLS)
    ]  # fmt: skip
    writer.write(Batch(recording_id=base >> 40, calls=tuple(calls)))
    return store


def test_of_few_calls_every_message_is_counted_in_its_step(steady: Store) -> None:
    found = steady.reader().publish_counts(START, END, STEP)
    assert found.share == 1
    assert [(one.step, one.process, one.messages) for one in found.counts] == [
        (step, process, CALLS // STEPS) for step in range(STEPS) for process in (7, 8)
    ]


def test_of_too_many_each_step_is_estimated_from_a_part_of_it_and_the_share_is_told(steady: Store) -> None:
    found = publish_counts(steady._database, START, END, STEP, look=CALLS // 4)
    assert 0.2 < found.share < 0.3
    for one in found.counts:
        assert one.messages == pytest.approx(CALLS // STEPS, rel=0.05), one
    assert Counter(one.process for one in found.counts) == {7: STEPS, 8: STEPS}


def test_a_time_without_calls_has_no_counts_and_is_known_as_a_whole(steady: Store) -> None:
    found = steady.reader().publish_counts(END, END + STEP, STEP)
    assert (found.counts, found.share) == ([], 1)
