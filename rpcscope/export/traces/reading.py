"""Operations with their calls, many at a time: a handful of queries for hundreds of operations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rpcscope.export.traces.resources import Resources
from rpcscope.export.traces.spans import Exported
from rpcscope.model import Operation
from rpcscope.query.calls import Calls, CallView
from rpcscope.query.operations import STUCK_AFTER_S, Operations, OperationView
from rpcscope.query.processes import processes
from rpcscope.query.several import caused
from rpcscope.query.trace import MOST_CALLS
from rpcscope.store.protocol import OperationFilter, Reader

CALLS_AT_ONCE = 5_000
_MOST_RELATIVES = 20
_LOOKED_AT = 1_000


class Reading:
    """What is known of operations as of when it is made: make a new one to know of later recordings and processes.

    Args:
        adopts: traces go on with those that oslo.messaging began.
    """

    def __init__(self, reader: Reader, *, adopts: bool = False, stuck_after_s: float = STUCK_AFTER_S) -> None:
        self._reader, self._adopts = reader, adopts
        self._operations = Operations(reader, stuck_after_s=stuck_after_s)
        self._calls = Calls(reader)
        self.resources = Resources(processes(reader))

    def views(self, parts: Iterable[Operation]) -> list[OperationView]:
        """The operations of parts. Replies whose request was never seen are no operation."""
        return [view for view in self._operations.of_parts(parts) if view.whole.request_id]

    def whole(self, views: Sequence[OperationView]) -> Iterator[Exported]:
        """Each with its calls, in their order."""
        relatives = self._relatives(views)
        for together in _packs(views):
            calls = self._calls_of(together)
            for view in together:
                name = view.whole.request_id
                yield Exported(
                    operation=view, calls=calls.get(name, ()), relatives=relatives.get(name, ()), adopts=self._adopts
                )

    def _calls_of(self, views: Sequence[OperationView]) -> Mapping[str, Sequence[CallView]]:
        if _rpcs(views[0]) > MOST_CALLS:  # it is alone
            of_one = self._calls.of_operation(views[0].ids, limit=MOST_CALLS)
            return {views[0].whole.request_id: [one for one in of_one if one.call.cause_id in views[0].ids]}
        found = caused(self._reader, {number: view.whole.request_id for view in views for number in view.ids})
        seen = iter(self._calls.views([call for calls in found.values() for call in calls]))
        return {name: [next(seen) for _ in calls] for name, calls in found.items()}

    def _relatives(self, views: Sequence[OperationView]) -> dict[str, list[str]]:
        """Of each the newest of those of its global request id that began before it."""
        shared = {view.whole.global_request_id for view in views} - {""}
        if not shared:
            return {}
        began: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for part in self._reader.operations(OperationFilter(related=shared, limit=_LOOKED_AT)):
            for name in {part.global_request_id, part.request_id} & shared:
                mine = began[name]
                mine[part.request_id] = min(part.started_ns, mine.get(part.request_id, part.started_ns))
        return {view.whole.request_id: _before(view, began[view.whole.global_request_id]) for view in views}


def _before(view: OperationView, began: Mapping[str, int]) -> list[str]:
    mine = (view.whole.started_ns, view.whole.request_id)
    earlier = sorted((at, name) for name, at in began.items() if name and (at, name) < mine)
    return [name for _, name in earlier[-_MOST_RELATIVES:] if name != view.whole.request_id]


def _packs(views: Iterable[OperationView]) -> Iterator[list[OperationView]]:
    """Operations that are read at once; one with more calls than are read is alone."""
    pack: list[OperationView] = []
    rpcs = 0
    for view in views:
        mine = _rpcs(view)
        if pack and (rpcs + mine > CALLS_AT_ONCE or mine > MOST_CALLS or rpcs > MOST_CALLS):
            yield pack
            pack, rpcs = [], 0
        pack.append(view)
        rpcs += mine
    if pack:
        yield pack


def _rpcs(view: OperationView) -> int:
    return view.whole.by_cause.rpcs + view.whole.by_cause.notifications
