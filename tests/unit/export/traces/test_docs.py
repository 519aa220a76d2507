"""docs/export/otlp.md names every attribute that leaves, and none that does not."""

from __future__ import annotations

import re
from pathlib import Path

from rpcscope.export.traces.reading import Reading
from rpcscope.export.traces.spans import spans
from rpcscope.model import Copy, Flag, MessageKind, Outcome
from rpcscope.store import Store
from rpcscope.store.protocol import OperationFilter
from tests.support.dashboard import CAPTURES, import_captures
from tests.unit.query.one import call, cast, stored

PAGE = Path(__file__).parents[4] / "docs" / "export" / "otlp.md"
ROW = re.compile(r"^\| (`[^|]+`) \|", re.MULTILINE)


def documented() -> set[str]:
    """Names in the first column of the tables; `.name` behind a name is its neighbour."""
    found: set[str] = set()
    for cell in ROW.findall(PAGE.read_text()):
        first, *others = re.findall(r"`([^`]+)`", cell)
        if first.startswith("-"):
            continue
        start = first.rpartition(".")[0]
        found |= {first, *(f"{start}{other}" if other.startswith(".") else other for other in others)}
    return found


def test_every_attribute_that_leaves_is_documented_and_every_documented_one_leaves(empty_store: Store) -> None:
    import_captures(empty_store, *sorted(CAPTURES.glob("*.zst")))
    odd = {"outcome": Outcome.FAILED, "failure": "Boom", "flags": int(Flag.REPUBLISHED), "publishes": 2}
    fanout = cast(3, 5, 6, kind=MessageKind.FANOUT, more_copies=(Copy(at_ns=1, process=0),))
    stored(empty_store, [call(1, 0, 1, 2, heartbeats=2, **odd), call(2, 3, None, 4), fanout],
           global_request_id="req-global", source_host="a", instances=("i",), project_id="p")  # fmt: skip
    reader = empty_store.reader()
    reading = Reading(reader)
    views = reading.views(reader.operations(OperationFilter()))
    said = {
        name for one in reading.whole(views) for span in spans(one, reading.resources) for name, _ in span.attributes
    }
    assert said <= documented()
    assert documented() - said == {"openstack.tap.blind"}  # no tap of these was
