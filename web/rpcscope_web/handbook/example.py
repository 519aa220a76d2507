"""Which operation a page shows: the one that is most like the usual one."""

from __future__ import annotations

from rpcscope.query.kind import KindShape
from rpcscope.query.trace import Trace, traces
from rpcscope.query.usual_tree import Traced
from rpcscope.store.protocol import Reader
from rpcscope_web.handbook.actors import without_hosts

_MOSTLY = 0.5


def example(reader: Reader, shape: KindShape) -> Trace | None:
    """With the fewest missing and extra steps, then nearest to the median of the durations; without names of hosts."""
    model = {view.whole.request_id for view in shape.sample.model}
    usual = {one.path for one in shape.tree.calls if one.share >= _MOSTLY}
    middle = shape.cost.duration_ms.p50 or 0.0
    times = {view.whole.request_id: (view.duration_ns or 0) / 1e6 for view, _ in shape.traced}

    def distance(one: Traced) -> tuple[int, float, str]:
        return len(usual ^ one.steps.keys()), abs(times[one.request_id] - middle), one.request_id

    known = [one for _, one in shape.traced if one.request_id in model and one.steps]
    if not known:
        return None
    found = [trace for trace in traces(reader, min(known, key=distance).request_id) if trace.roots]
    return without_hosts(found[0]) if found else None
