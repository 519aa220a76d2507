"""Methods of a time: how often each is called, how often it fails, how long it takes, how large it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from rpcscope.query.looked import Looked, looked_at
from rpcscope.query.processes import processes
from rpcscope.query.red import Red, red
from rpcscope.query.service_names import ServiceNames
from rpcscope.store.protocol import Reader
from rpcscope.store.traffic import TrafficSum


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodRow:
    """One method: who takes it, and what it does."""

    method: str
    services: tuple[str, ...]  # who works on it, the one with the most calls first
    red: Red

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {"method": self.method, "services": list(self.services), **self.red.as_dict()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Methods:
    """Methods that match, in the order asked for."""

    rows: tuple[MethodRow, ...]
    workers: tuple[str, ...]  # services that take calls in the time, whatever was filtered
    senders: tuple[str, ...]
    looked: Looked


def methods(
    reader: Reader, from_ns: int, to_ns: int, *, worker: str = "", sender: str = "", order: str = "calls"
) -> Methods:
    """Methods that were called from one time up to another.

    Args:
        worker: only calls that this service takes; "" of all.
        sender: only calls that this one sends.
        order: one of `ORDERS`.
    """
    traffic = reader.traffic(from_ns, to_ns)
    names = ServiceNames(processes(reader).values(), traffic.sums)
    ends = [(names.sender(one), names.worker(one), one) for one in traffic.sums]
    groups: defaultdict[str, list[tuple[str, TrafficSum]]] = defaultdict(list)
    for source, target, one in ends:
        if sender in ("", source) and worker in ("", target):
            groups[one.method].append((target, one))
    rows = [_row(method, group, to_ns - from_ns) for method, group in groups.items()]
    return Methods(
        rows=tuple(
            sorted((row for row in rows if row.red.calls), key=lambda row: (_ORDERS[order](row), *_next(order, row)))
        ),
        workers=tuple(sorted({target for _, target, _ in ends})),
        senders=tuple(sorted({source for source, _, _ in ends})),
        looked=looked_at(reader, traffic.windows, from_ns, to_ns),
    )


def _row(method: str, group: list[tuple[str, TrafficSum]], length_ns: int) -> MethodRow:
    workers: defaultdict[str, float] = defaultdict(float)
    for worker, one in group:
        workers[worker] += one.calls
    return MethodRow(
        method=method,
        services=tuple(sorted(workers, key=lambda name: (-workers[name], name))),
        red=red((one for _, one in group), length_ns),
    )


def _next(order: str, row: MethodRow) -> tuple[float, str]:
    """Among those that are alike the most frequent comes first; by name nothing does but the name."""
    return (0 if order == "name" else -row.red.calls, row.method)


_ORDERS: dict[str, Callable[[MethodRow], float]] = {
    "calls": lambda row: -row.red.calls,
    "slowest": lambda row: -(row.red.p95_ns or 0),
    "time": lambda row: -(row.red.mean_ns or 0) * row.red.calls,
    "largest": lambda row: -row.red.largest_bytes,
    "errors": lambda row: -row.red.errors,
    "name": lambda row: 0,
}
ORDERS = tuple(_ORDERS)
"""Most frequent, slowest by p95, most time altogether, largest, most errors, by name."""
