"""Plans and runs on a screen: expected, then measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rpcscope.cli.fit import put_table
from rpcscope.cli.gap_view import print_gaps
from rpcscope.cli.output import cell, console, heading, number, size, table
from rpcscope.query.run_words import happenings, provenance_note, seconds, shortfalls

if TYPE_CHECKING:
    from rpcscope.cli.performance import Performance
    from rpcscope.flows.plan import Stuck
    from rpcscope.query.runs import Amount, Compared

_STUCK = 5
_METHODS = 15


def print_flows() -> None:
    """Each flow in a line."""
    from rpcscope.flows.catalog import FLOWS

    lines = table("flow", "what it does")
    for flow in FLOWS.values():
        lines.add_row(flow.name, flow.summary)
    put_table(lines, fold="what it does")
    console().print(
        "Options of one: rpcscope emulate FLOW --help. Plan of one: rpcscope emulate FLOW --fleet FILE --dry-run."
    )


def print_plan(performance: Performance, stuck: Sequence[Stuck] = ()) -> None:
    """What is to be expected of a run."""
    screen, expected, idle = console(), performance.expected, performance.expected["idle"]
    heading(f"The plan: {performance.what}")
    speed = f" (at speed {performance.speed:g})" if performance.speed != 1 else ""
    screen.print(
        f"{seconds(expected['took_s'])}{speed} on {len(performance.hosts):,} hosts: "
        f"{expected['operations']:,} operations, {expected['rpcs']:,} RPCs, {expected['messages']:,} messages, "
        f"{expected['bytes'] / 1e6:,.1f} MB."
    )
    _print_kinds(expected["kinds"])
    if expected.get("copied_bytes"):
        screen.print(
            f"{expected['copied_bytes'] / 1e9:,.1f} GB of memory and disks are copied, "
            f"over links that are used to {expected['link_peak'] or 0:.0%} at most."
        )
    if told := happenings(expected.get("events") or {}):
        screen.print(cell(f"What happens: {told}."))
    for one in stuck[:_STUCK]:
        screen.print(
            cell(f"! server {one.server} ({one.flavor}) on {one.host} writes faster than it can be copied", "yellow")
        )
    if len(stuck) > _STUCK:
        screen.print(cell(f"! and {len(stuck) - _STUCK:,} more servers", "yellow"))
    screen.print(
        f"The broker has {idle['connections']:,} connections, {idle['queues']:,} queues and {idle['consumers']:,} "
        f"consumers; periodic tasks send {idle['messages_s']:,.1f} messages a second beside that."
    )
    screen.print("Nothing queues in a plan: a control plane that is slow under load takes longer.", style="dim")
    for note in provenance_note(performance.asked):
        screen.print(cell(note, "yellow"))


def _print_kinds(kinds: Mapping[str, Any]) -> None:
    lines = table("kind", ">operations", ">failed", ">RPCs", ">messages", ">bytes", ">p50 s", ">p95 s")
    for kind, one in kinds.items():
        lines.add_row(
            cell(kind), number(one["asked"]), number(one["failed"] + one["timed_out"]), number(one["rpcs"]),
            number(one["messages"]), size(one["bytes"]), number(one["took_p50_s"], 2) or "?",
            number(one["took_p95_s"], 2) or "?",
        )  # fmt: skip
    put_table(lines, spare=("bytes", "p95 s"), fold="kind")


def print_run(found: Compared) -> None:
    """What came of a run: expected beside measured."""
    run, screen = found.run, console()
    heading(f"The run: {run.what}, {run.state.word}")
    outcome = run.outcome
    asked = outcome["operations"]
    screen.print(
        f"{seconds(found.took_s)} (planned {seconds(run.expected['took_s'])}): {asked['asked']:,} operations begun, "
        f"{asked['done']:,} done, {asked['failed']:,} failed, {asked['timed_out']:,} timed out."
    )
    if not found.recordings:
        screen.print(cell("Nobody recorded it: what it put on the bus is not known.", "red"))
    _print_pairs(found)
    _print_methods(found)
    if told := happenings((outcome.get("part") or {}).get("events") or {}):
        screen.print(cell(f"What happened: {told}."))
    late = outcome["lateness_ms"]
    if late["p50"] is not None:
        screen.print(f"Late: {late['p50']:,.1f} ms (p50), {late['p95']:,.1f} ms (p95), {late['max']:,.1f} ms at most.")
    for sentence in shortfalls(run):
        screen.print(cell(f"! {sentence}", "yellow"))
    peaks = ", ".join(
        f"{role} {one['in_flight']:,} + {one['inner']:,}" for role, one in sorted(outcome["peaks"].items())
    )
    screen.print(cell(f"At most in hand + waiting for a thread in all processes: {peaks or 'not known'}."))
    screen.print(
        f"Periodic tasks: {found.background_operations:,} operations, {found.background_messages:,} messages recorded."
    )
    print_gaps([found.gaps])
    for note in provenance_note(run.asked):
        screen.print(cell(note, "yellow"))
    screen.print(cell(f"Recorded as vhost {run.vhost}; run {run.id}: rpcscope serve, page Runs."))


def _print_pairs(found: Compared) -> None:
    lines = table("kind", "", ">operations", ">done", ">failed", ">RPCs", ">messages", ">bytes", ">p50 s", ">p95 s")
    for pair in found.kinds:
        for word, amount in (("expected", pair.expected), ("measured", pair.measured)):
            lines.add_row(cell(pair.name if word == "expected" else ""), word, *_amount(amount))
    put_table(lines, spare=("bytes", "p95 s", "RPCs"), fold="kind")


def _amount(one: Amount | None) -> list[str]:
    if one is None:
        return ["0", *[""] * 7]
    return [
        number(one.operations), number(one.done), number(one.failed), number(one.rpcs), number(one.messages),
        size(one.bytes), number(one.p50_s, 2) or "?", number(one.p95_s, 2) or "?",
    ]  # fmt: skip


def _print_methods(found: Compared) -> None:
    lines = table("method", ">RPCs expected", ">measured", ">messages expected", ">measured")
    for one in found.methods[:_METHODS]:
        wanted, seen = one.expected or (0, 0, 0), one.measured or (0, 0, 0)
        lines.add_row(cell(one.method), number(wanted[0]), number(seen[0]), number(wanted[1]), number(seen[1]))
    put_table(lines, fold="method")
    if len(found.methods) > _METHODS:
        console().print(
            f"And {len(found.methods) - _METHODS:,} methods with fewer messages: --format json has all.", style="dim"
        )
