"""A recorder at a steady rate into PostgreSQL for as long as told: is anything lost untold, does memory grow?

    python benchmarks/soak.py --seconds 3600 --rate 1000

The services of the recordings send real messages over a private broker (`soaking/sender.py`), each when its time has
come by the clock. `rpcscope record` stores them in a private PostgreSQL. Between the legs the recorder is kept from
keeping up until its queue has dropped its oldest events: it is stopped as a suspended machine is, or the table it
writes to is held by somebody else. For that time a policy bounds the queue: its own bound would take minutes to reach.

Ends with 1 when a leg lost a message, a planted loss was not told as a gap, or memory grew beyond the bound.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.soaking.ground import ground
from benchmarks.soaking.memory import SETTLED, growth_mb
from benchmarks.soaking.run import HOW, Part, Plan, Result, Soak

GROWTH_MB = 32.0
"""Memory of the recorder may grow by so much after the first quarter of an hour's run."""
LAG_S = 30.0
"""In a leg the recorder may be so late at most. On an idle machine it is a small part of a second."""


def main() -> None:
    parser = argparse.ArgumentParser(description="A recorder at a steady rate into PostgreSQL for as long as told.")
    parser.add_argument("--seconds", type=float, default=60.0, help="of all legs")
    parser.add_argument("--rate", type=int, default=1000, help="messages a second")
    parser.add_argument("--mode", choices=["control", "full"], default="control")
    parser.add_argument(
        "--queue-limit", type=int, default=5000, help="events that the tap's queue may hold while the recorder is kept"
    )
    parser.add_argument("--planted", default="store held,stopped", help=f"of {', '.join(HOW)}")
    given = parser.parse_args()
    planted = tuple(filter(None, given.planted.split(",")))
    plan = Plan(seconds=given.seconds, rate=given.rate, mode=given.mode, queue_limit=given.queue_limit, planted=planted)
    result = soak(plan)
    report(plan, result)
    wrong = list(faults(result))
    for one in wrong:
        print(f"WRONG: {one}")
    sys.exit(1 if wrong else 0)


def soak(plan: Plan) -> Result:
    """One run from beginning to end, on servers of its own."""
    with ground(plan.mode, seed=7) as whole:
        result = Soak(whole, plan, lambda line: print(line, file=sys.stderr)).run()
        whole.end()
    return result


def faults(result: Result, *, growth: float = GROWTH_MB, lag_s: float = LAG_S) -> Iterator[str]:
    """What must not be, in sentences."""
    for number, leg in enumerate(result.legs, 1):
        if leg.lost or leg.count.copies_sent != leg.count.copies_stored:
            yield f"leg {number} sent {leg.count.sent} messages and stored {leg.count.stored}: {leg.count}"
        if leg.gaps:
            yield f"leg {number} has {len(leg.gaps)} gaps that nobody planted"
        if leg.lag_s > lag_s:
            yield f"in leg {number} the recorder was {leg.lag_s:.1f} s late"
    for stall in result.stalls:
        if not stall.lost:
            yield f"the stall ({stall.name}) lost nothing, so it proves nothing"
        elif not stall.gaps:
            yield f"the stall ({stall.name}) lost {stall.lost} messages, and no gap tells of it"
    if not result.stalls and result.rpcs != result.rpcs_sent:
        yield f"{result.rpcs_sent} calls, casts and fanouts were sent, and {result.rpcs} are stored"
    if result.counters.rejected or result.counters.duplicates or result.counters.evicted:
        yield f"events were rejected, given twice or evicted: {result.counters}"
    if (grown := growth_mb(result.memory)) > growth:
        yield f"memory grew by {grown:.1f} MB after the first quarter"


def report(plan: Plan, result: Result) -> None:
    """As Markdown."""
    sent, memory = sum(part.count.sent for part in result.parts), result.memory
    print(f"{plan.seconds:,.0f} s at {plan.rate:,} messages a second, mode {plan.mode}, Python "
          f"{platform.python_version()}: {sent:,} messages, {result.rpcs:,} calls, casts and fanouts stored, "
          f"database {result.database_mb:,.0f} MB\n")  # fmt: skip
    print("| | sent | stored | lost | gaps told | told as lost | error | recorder behind, at most |")
    print("|---|---|---|---|---|---|---|---|")
    for part in result.parts:
        print(_row(part))
    marks = [memory[round(share * (len(memory) - 1))].mb for share in (0.01, SETTLED, 0.5, 0.75, 1)]
    print(f"\nmemory at 1, 25, 50, 75, 100 %: {', '.join(f'{mb:.0f}' for mb in marks)} MB; median "
          f"{median(one.mb for one in memory):.0f}, highest {max(one.mb for one in memory):.0f} MB; "
          f"growth after the first quarter {growth_mb(memory):+.1f} MB")  # fmt: skip


def _row(part: Part) -> str:
    told = "" if not part.gaps else "unknown" if part.estimate is None else f"{part.estimate:,}"
    error = f"{part.estimate / part.lost - 1:+.1%}" if part.estimate is not None and part.lost else ""
    lag = f"{part.lag_s:.2f} s" if part.lag_s else ""
    counts = " | ".join(f"{number:,}" for number in (part.count.sent, part.count.stored, part.lost, len(part.gaps)))
    return f"| {part.name} | {counts} | {told} | {error} | {lag} |"


if __name__ == "__main__":
    main()
