"""What recorders say of themselves, and their gaps added up."""

from __future__ import annotations

from dataclasses import replace

from rpcscope.model import Batch, Gap, GapCause
from rpcscope.store import GapTotal, RecorderHealth, Store
from tests.contract.records import SECOND, START, begun, recording_of


def make_health(recording_id: int) -> RecorderHealth:
    return RecorderHealth(
        recording_id=recording_id, at_ns=START, since_ns=START - SECOND, host="mon1", pid=4711, stored_ns=START - 1,
        events_rate=1234.567, backlog=12, cpu_share=0.125, lag_ns=300, rss_bytes=80_000_000, nodes_traced=2, nodes=3,
    )  # fmt: skip


def test_the_newest_word_of_each_recorder_is_kept(store: Store) -> None:
    (writer, one), (_, two) = begun(store), begun(store)
    first, second = recording_of(one), recording_of(two)
    writer.report(make_health(first))
    unknown = replace(make_health(second), lag_ns=None, rss_bytes=None, nodes_traced=None, nodes=None)
    writer.report(unknown)
    newer = replace(make_health(first), at_ns=START + 5 * SECOND, events_rate=0.001, backlog=0)
    writer.report(newer)
    assert store.reader().health() == [newer, unknown]


def test_gaps_are_added_up_by_recording_and_cause(store: Store) -> None:
    (writer, one), (_, two) = begun(store), begun(store)
    first, second = recording_of(one), recording_of(two)

    def gap(cause: GapCause, seconds: int, estimate: int | None = None) -> Gap:
        return Gap(from_ns=START, to_ns=START + seconds * SECOND, cause=cause, estimate=estimate)

    dropped, away = GapCause.DROPPED, GapCause.DISCONNECTED
    writer.write(Batch(recording_id=first, gaps=(gap(dropped, 1, 100), gap(dropped, 2), gap(dropped, 3, 20))))
    writer.write(Batch(recording_id=second, gaps=(gap(away, 4),)))
    assert store.reader().gap_totals() == [
        GapTotal(recording_id=first, cause=dropped, gaps=3, blind_ns=6 * SECOND, estimate=120, unknown=1),
        GapTotal(recording_id=second, cause=away, gaps=1, blind_ns=4 * SECOND, estimate=0, unknown=1),
    ]
