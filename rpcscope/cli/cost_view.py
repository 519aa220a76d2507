"""The cost table: the founding question on one screen."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from rpcscope.cli.fit import put_table
from rpcscope.cli.gap_view import marked, print_gaps
from rpcscope.cli.output import UNSEEN, cell, console, number, plain, size, table
from rpcscope.query.cost import KindCost
from rpcscope.query.gaps import Loss

_SPARE = ("max ms", "fanouts", "casts", "bytes", "replies", "by cause", "p95 ms", "left out")


def print_costs(
    costs: list[KindCost], conditions: list[str], *, with_methods: bool, missed: Sequence[Loss] = ()
) -> None:
    """A line per kind, the methods, and the conditions. `missed`: when taps were blind at any time."""
    screen = console()
    if not costs:
        screen.print("Nothing is stored yet: `rpcscope import FILE` or `rpcscope record` fills the database.")
        return
    put_table(_summary(costs, bool(missed)), spare=_SPARE)
    if with_methods:
        for cost in costs:
            screen.print()
            put_table(_methods(cost), spare=("share", "bytes", "per operation"), fold="method")
    screen.print()
    screen.print(
        "A message is one publish. RPCs are calls, casts and fanouts; each call has a reply. By cause: with what the "
        "operation made happen under other request ids. One number: the same in every operation; else median (p95)."
    )
    if any(cost.left_out for cost in costs):
        screen.print("left out: unfinished or failed, or their beginning was not recorded.")
    touched = sum(cost.touched for cost in costs)
    more = f"; {touched:,} of those counted may have more messages" if touched else ""
    print_gaps([missed, *(cost.gaps for cost in costs)], f"at least so many: operations may be missing{more}")
    if any(cost.requests_only for cost in costs):
        screen.print(f"?: {sum(cost.requests_only for cost in costs)} operations were {UNSEEN}")
    for text in conditions:
        screen.print("Conditions: ", cell(text), sep="")


def _summary(costs: list[KindCost], missed: bool) -> Table:
    left_out = any(c.left_out for c in costs)
    optional = [">left out"] if left_out else []
    counts = [">RPCs", ">calls", ">casts", ">fanouts", ">replies", ">messages", ">by cause", ">bytes"]
    columns = ["kind", ">operations", *optional, *counts, ">p50 ms", ">p95 ms", ">max ms"]
    lines = table(*columns)
    for c in costs:
        extra = [number(c.left_out)] if left_out else []
        spreads = (c.rpcs, c.calls, c.casts, c.fanouts, c.replies, c.messages, c.messages_by_cause)
        unknown = "?" if c.requests_only else ""
        times = (c.duration_ms.p50, c.duration_ms.p95, c.duration_ms.max)
        lines.add_row(
            cell(c.kind),
            marked(number(c.operations), missed or c.gaps),
            *extra,
            *(marked(plain(spread.as_dict()), c.touched > 0) or unknown for spread in spreads),
            marked(size(c.bytes.p50), c.touched > 0) or unknown,
            *map(number, times),
        )
    return lines


def _methods(cost: KindCost) -> Table:
    lines = table(
        "method",
        "",
        ">count",
        ">per operation",
        ">messages",
        ">share",
        ">bytes",
        ">mean ms",
        "failures",
        title=cost.kind,
    )
    for m in cost.methods:
        failures = [f"{m.failed} failed"] if m.failed else []
        failures += [f"{m.timed_out} timed out"] if m.timed_out else []
        failures += [f"{m.expected_failures} expected"] if m.expected_failures else []
        lines.add_row(
            cell(m.method), m.kind, marked(number(m.count), cost.gaps), number(m.per_operation, 2),
            marked(number(m.messages), cost.gaps) or "?",
            "?" if m.share is None else f"{m.share:.1%}", marked(size(m.bytes), cost.gaps) or "?",
            number(m.mean_ms, 1) or ("?" if m.failed is None else ""),
            "?" if m.failed is None else ", ".join(failures),
        )  # fmt: skip
    return lines
