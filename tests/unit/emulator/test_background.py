"""The timers of hosts, on a clock that skips."""

from __future__ import annotations

import asyncio
from collections import Counter

from rpcscope.emulator.background import REPORT_STATE, Background
from rpcscope.flows.virtual import run_virtual
from rpcscope.templates.model import Template, Variant

AUDIT = "periodic:update_available_resource"
INTERVALS = {REPORT_STATE: 10.0, AUDIT: 60.0, "periodic:sync_power_states": 600.0}
TEMPLATES = [
    Template(kind=kind, variants=(Variant(operations=1, share=1.0, roots=()),), background=True, interval_s=interval_s)
    for kind, interval_s in INTERVALS.items()
]


def counted(hosts: int, hours: float, speed: float = 1.0, takes_s: float = 0.02) -> tuple[Counter[str], list[float]]:
    """Runs of each kind on all hosts, and when the state was reported."""
    counts: Counter[str] = Counter()
    reports: list[float] = []

    def run(kind: str, host: str) -> asyncio.Future[None]:
        counts[kind] += 1
        if kind == REPORT_STATE:
            reports.append(asyncio.get_running_loop().time())
        return asyncio.ensure_future(asyncio.sleep(takes_s))

    async def main() -> None:
        loop = asyncio.get_running_loop()
        background = Background(loop, lambda: loop.time() * speed, speed, run)
        background.know(TEMPLATES, seed=1)
        for number in range(hosts):
            background.begin(f"compute-{number}", fresh=False)
        await asyncio.sleep(hours * 3600 / speed)
        background.close()

    run_virtual(main())
    return counts, reports


def test_each_task_runs_in_an_hour_as_often_as_its_interval_says() -> None:
    counts, _ = counted(hosts=20, hours=1)
    assert abs(counts[REPORT_STATE] - 20 * 360) <= 20
    assert 20 * (3600 / 63 - 1) <= counts[AUDIT] <= 20 * 61
    assert 20 * (3600 / 630 - 1) <= counts["periodic:sync_power_states"] <= 20 * 7


def test_a_faster_world_has_as_many_runs_in_an_hour_of_its_own() -> None:
    counts, _ = counted(hosts=20, hours=1, speed=10.0)
    assert abs(counts[REPORT_STATE] - 20 * 360) <= 20


def test_hosts_are_not_in_step() -> None:
    _, reports = counted(hosts=100, hours=0.01)
    assert len({round(at, 1) for at in reports[:100]}) > 50
