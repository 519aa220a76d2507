"""Other operations that belong to one: of the same global request id, or about the same server."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from rpcscope.query.operations import Operations, OperationView
from rpcscope.query.trace import Trace
from rpcscope.store.protocol import OperationFilter, Reader

MOST = 20
"""Of each kind of relation."""
_MOST_INSTANCES = 5


@dataclass(frozen=True, slots=True)
class Relative:
    """Another operation, and why it is one."""

    operation: OperationView
    why: str  # global request id | server
    shared: str  # the id


def relatives(reader: Reader, trace: Trace) -> list[Relative]:
    """The newest of each relation, by their beginning; who has both is told by the global request id."""
    whole = trace.operation.whole
    asked = Operations(reader)
    found: dict[str, Relative] = {}
    if whole.global_request_id:
        wanted = OperationFilter(request_id=whole.global_request_id, limit=MOST + 1)
        _collect(found, asked, wanted, "global request id", whole.global_request_id)
    for instance in whole.instances[:_MOST_INSTANCES]:
        wanted = OperationFilter(instance=instance, limit=MOST + 1)
        _collect(found, asked, wanted, "server", instance)
    found.pop(whole.request_id, None)
    return sorted(found.values(), key=lambda one: one.operation.whole.started_ns)


def _collect(found: dict[str, Relative], asked: Operations, wanted: OperationFilter, why: str, shared: str) -> None:
    for view in islice(asked.find(wanted), MOST + 1):
        if view.whole.request_id:
            found.setdefault(view.whole.request_id, Relative(view, why, shared))
