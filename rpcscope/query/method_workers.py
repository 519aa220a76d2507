"""Which processes do the work of a method."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rpcscope.model import MessageKind, Process
from rpcscope.query.method_calls import executed, is_error, weigh
from rpcscope.query.operations import process_name
from rpcscope.query.shares import Percentiles, in_ms
from rpcscope.store.traffic import MethodCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """What one process did of the work."""

    process: str  # program:pid
    host: str
    calls: float
    share: float  # of the calls whose worker is known
    errors: float
    execution: Percentiles

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            "process": self.process,
            "host": self.host or None,
            "calls": round(self.calls),
            "share": round(self.share, 4),
            "errors": round(self.errors),
            "execution_ms": self.execution.as_dict(in_ms),
        }


def workers(calls: Sequence[MethodCall], ends: Mapping[int, Process]) -> tuple[Worker, ...]:
    """Those that took a call or cast of it, the one with the most first. A fanout goes to all of them."""
    groups: defaultdict[tuple[str, str], list[MethodCall]] = defaultdict(list)
    for call in calls:
        process = ends.get(call.to_process)
        if process and call.kind != MessageKind.FANOUT:
            groups[process_name(process), process.host].append(call)
    whole = sum(weigh(group) for group in groups.values()) or 1
    found = [
        Worker(
            process=name,
            host=host,
            calls=weigh(group),
            share=weigh(group) / whole,
            errors=weigh(call for call in group if is_error(call)),
            execution=Percentiles.of(executed(call) for call in group),
        )
        for (name, host), group in groups.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.calls, one.process, one.host)))
