"""A side of a comparison is the same of every database."""

from __future__ import annotations

from rpcscope.compare.comparison import compare
from rpcscope.compare.newest import Reading
from rpcscope.compare.population import population
from rpcscope.compare.selection import Selection, select
from rpcscope.compare.thresholds import Thresholds
from rpcscope.store import Store
from tests.support.dashboard import CAPTURES, import_captures


def test_a_side_of_a_label_and_of_a_time_holds_their_operations_alone(store: Store) -> None:
    import_captures(store, CAPTURES / "02_boot_10_serial.jsonl.zst", CAPTURES / "05_delete_1.jsonl.zst")
    reader = store.reader()
    first, _ = (info.recording.id for info in reader.recordings())
    store.writer().label(first, {"release": "2026.2"})
    everything = population(reader, Selection(), "everything", Reading())
    labelled = population(reader, select(reader, {"release": "2026.2"}), "labelled", Reading(by_cause=True))
    middle = sorted(one.started_ns for one in reader.operations() if one.kind == "create")[5]
    late = population(reader, Selection(from_ns=middle), "late", Reading(kind="create"))
    assert {kind: len(side.done) for kind, side in everything.kinds.items()} == {"create": 10, "delete": 1}
    assert {kind: [one.rpcs for one in side.done] for kind, side in labelled.kinds.items()} == {"create": [16] * 10}
    assert {kind: len(side.done) for kind, side in late.kinds.items()} == {"create": 5}
    assert sum(used.count for used in late.kinds["create"].done[0].methods.values()) == 15
    assert compare(everything, everything, Thresholds()).is_equal
