"""A look into the processes: what no broker can show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from rpcscope.emulator.process import Process
from rpcscope.emulator.tally import Sample, Tally

MAX_SAMPLES = 100_000


def sample(tally: Tally, at_s: float, processes: Iterable[Process]) -> None:
    """Add one sample for each role."""
    by_role: dict[str, list[Process]] = defaultdict(list)
    for process in processes:
        by_role[process.role].append(process)
    if len(tally.samples) >= MAX_SAMPLES:
        del tally.samples[::2]
    for role, group in by_role.items():
        inner = [len(process.executor.inner) for process in group]
        tally.samples.append(
            Sample(
                at_s=at_s,
                role=role,
                in_flight=sum(len(process.executor.hands) for process in group),
                inner=sum(inner),
                inner_max=max(inner),
                unsent=sum(process.pool.waiting for process in group),
            )
        )
