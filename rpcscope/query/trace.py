"""One operation with all its calls."""

from __future__ import annotations

from dataclasses import dataclass, field

from rpcscope.model import Status
from rpcscope.query.beside import Beside, beside
from rpcscope.query.calls import Calls, CallView
from rpcscope.query.operations import STUCK_AFTER_S, Operations, OperationView
from rpcscope.query.stages import ends
from rpcscope.query.tree import Node, grow, walk
from rpcscope.store.protocol import OperationFilter, Reader

MOST_CALLS = 3_000
"""Calls of one operation that are read for a picture: a request id that a process keeps for ever has no end of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What was seen of one operation."""

    operation: OperationView
    roots: tuple[Node, ...]  # calls that it caused, as trees by time
    others: tuple[CallView, ...]  # calls that carry its request id and were caused by other operations
    is_cut: bool  # it has more calls: these are the oldest
    beside: Beside = field(default_factory=Beside)  # beside its RPCs

    @property
    def from_ns(self) -> int:
        """Its first message."""
        return self.operation.whole.started_ns

    @property
    def to_ns(self) -> int:
        """Its last event, or its end."""
        whole = self.operation.whole
        return max(whole.finished_ns or whole.last_ns, *ends(self.roots).values(), self.from_ns + 1)

    @property
    def is_over(self) -> bool:
        """Nothing more is expected of it."""
        return self.operation.status in (Status.DONE, Status.FAILED)

    @property
    def calls(self) -> list[CallView]:
        """What it caused, parents before children."""
        return [node.view for _, node in self.walk()]

    def walk(self) -> list[tuple[int, Node]]:
        """Nodes with their depth, parents before children."""
        return list(walk(list(self.roots)))

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            "operation": self.operation.as_dict(),
            "calls": [node.as_dict() for node in self.roots],
            "others": [view.as_dict() for view in self.others],
            "cut": self.is_cut,
            **self.beside.as_dict(),
        }


def traces(
    reader: Reader, request_id: str, *, stuck_after_s: float = STUCK_AFTER_S, most: int = MOST_CALLS
) -> list[Trace]:
    """The operation of a request id; of a global request id there may be several, the newest first."""
    found = list(Operations(reader, stuck_after_s=stuck_after_s).find(OperationFilter(request_id=request_id)))
    exact = [view for view in found if view.whole.request_id == request_id]
    calls = Calls(reader)
    return [_trace(calls, view, most, beside(reader, view)) for view in exact or found]


def _trace(calls: Calls, view: OperationView, most: int, told: Beside) -> Trace:
    read = calls.of_operation(view.ids, limit=most + 1)
    shown = read[:most]
    return Trace(
        operation=view,
        roots=tuple(grow([one for one in shown if one.call.cause_id in view.ids])),
        others=tuple(one for one in shown if one.call.cause_id not in view.ids),
        is_cut=len(read) > most,
        beside=told,
    )
