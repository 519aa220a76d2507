"""Calls one by one, each as it is in the tree of its operation."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping

from rpcscope.model import Call, Operation
from rpcscope.query.ids import recording_of
from rpcscope.query.repairs import Repairs

_REMEMBERED = 64
"""Operations whose calls are kept at hand: what runs at a time comes one after the other."""
Ids = tuple[int, ...]


class Mended:
    """Repairs calls that are read by time. Operations that one recording saw cost nothing.

    Args:
        operations: all parts.
        read: the merged calls that Operation.ids caused or that carry their request id.
    """

    def __init__(self, repairs: Repairs, operations: Iterable[Operation], read: Callable[[Ids], list[Call]]) -> None:
        self._repairs = repairs
        self._read = read
        self._known: OrderedDict[Ids, dict[str, tuple[Call, str]]] = OrderedDict()
        self.request_ids: Mapping[int, str] = {part.id: part.request_id for part in operations}
        parts: defaultdict[str, list[int]] = defaultdict(list)
        for number, request_id in self.request_ids.items():
            parts[request_id].append(number)
        crossing = [tuple(ids) for name, ids in parts.items() if name and len(set(map(recording_of, ids))) > 1]
        self._parts = {number: ids for ids in crossing for number in ids}

    def one(self, call: Call) -> tuple[Call, str]:
        """The call with its parent, and how that was found if it was found now."""
        ids = self._parts.get(call.cause_id)
        if ids is None or call.parent_unique_id:
            return call, ""
        return self._operation(ids).get(call.unique_id, (call, ""))

    def _operation(self, ids: Ids) -> dict[str, tuple[Call, str]]:
        known = self._known.get(ids)
        if known is None:
            calls, notes = self._repairs.mend(self._read(ids), self.request_ids)
            known = {call.unique_id: (call, notes[call.unique_id]) for call in calls if call.unique_id in notes}
            self._known[ids] = known
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(ids)
        return known
