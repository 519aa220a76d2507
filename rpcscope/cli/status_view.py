"""Recorders on a screen, for who never saw one: a block for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from rpcscope.cli.output import cell, console, number
from rpcscope.model import GapCause
from rpcscope.modes import OFF, REQUESTS_ONLY
from rpcscope.query.status import RecorderStatus
from rpcscope.query.times import SECOND, iso
from rpcscope.store.protocol import GapTotal, RecorderHealth

_LATE_NS = 15 * SECOND
_MB = 1_000_000
_PHASES = 6
_STYLES = {"recording": "bold green", "silent": "bold red", "ended": "bold"}
_SEES = {
    "publish": "messages as they are sent, no deliveries",
    "control": "all messages; no deliveries of replies and of fanout copies",
    "full": "all messages and all deliveries",
    "bindings": "requests alone: no replies, no deliveries",
    "off": "nothing: it let go of the broker",
}
_CAUSES = {
    GapCause.DROPPED: "its queue was full",
    GapCause.DISCONNECTED: "no connection to the broker",
    GapCause.NOT_TRACED: "tracing was off",
    GapCause.STORE: "the database refused",
}


def print_status(found: Sequence[RecorderStatus]) -> None:
    """A block for each recorder."""
    screen = console()
    if not found:
        screen.print(cell("Nothing live was recorded into this database yet: `rpcscope record` does."))
    for place, one in enumerate(found):
        if place:
            screen.print()
        screen.print(Text.assemble((one.recording.scope, "bold"), ": ", (_state(one), _STYLES[one.state])))
        for word, sentence in _lines(one):
            screen.print(Text.assemble((f"  {word:<10}", "dim"), sentence))


def _state(one: RecorderStatus) -> str:
    if one.state == "ended":
        return f"ended {iso(one.recording.ended_ns)}"
    if one.state == "silent":
        how_long = duration(one.now_ns - one.heard_ns)
        return f"not heard of since {iso(one.heard_ns)}, {how_long} ago; it was killed or can not reach the database"
    return "recording"


def _lines(one: RecorderStatus) -> Iterator[tuple[str, str]]:
    """A word and what is to be said of it. What is only true now is said of recorders that run."""
    counters, health, mode = one.info.counters, one.health, one.mode
    runs = one.state == "recording"
    yield "sees", f"{_SEES.get(mode, 'unknown')} (mode {mode})"
    yield from _flight(one)
    yield "since", _since(one)
    rate = f", {health.events_rate:,.1f} a second over the last minute" if runs and health else ""
    yield "events", f"{counters.seen:,} seen{rate}"
    if runs and health:
        yield "behind", _behind(health, one.now_ns)
    yield "missed", "; ".join(map(_missed, one.gaps)) or "nothing"
    yield (
        "left out",
        (
            f"{counters.rejected:,} no oslo.messaging messages, {counters.duplicates:,} given twice by the broker, "
            f"{counters.evicted:,} given up to bound memory"
        ),
    )
    if runs and health:
        yield "traced", "needs no tracing" if mode in (REQUESTS_ONLY, OFF) else _traced(health)
        yield "costs", _costs(health)


def _flight(one: RecorderStatus) -> Iterator[tuple[str, str]]:
    """What it saw in which phase, the newest first; nothing of a tap that keeps its mode."""
    if len(one.phases) < 2:
        return
    ends = [phase.at_ns for phase in one.phases[1:]]
    told = [f"{one.mode} since {iso(one.phases[-1].at_ns)}: {one.phases[-1].why}"]
    for phase, end_ns in zip(reversed(one.phases[:-1]), reversed(ends), strict=True):
        told.append(f"{phase.mode} from {iso(phase.at_ns)} for {duration(end_ns - phase.at_ns)}: {phase.why}")
    for place, sentence in enumerate(told[:_PHASES]):
        yield "" if place else "flight", sentence
    if len(told) > _PHASES:
        yield "", f"and {len(told) - _PHASES:,} phases before, since a day ago; --format json has them"


def _since(one: RecorderStatus) -> str:
    end_ns = one.now_ns if one.state == "recording" else one.recording.ended_ns or one.heard_ns
    who = f", process {one.health.pid} on {one.health.host}" if one.health else ""
    return f"{iso(one.recording.started_ns)}, for {duration(end_ns - one.recording.started_ns)}{who}"


def _behind(health: RecorderHealth, now_ns: int) -> str:
    lag = "not known how late it reads" if health.lag_ns is None else f"{health.lag_ns / SECOND:,.1f} s"
    if not health.stored_ns:
        return f"{lag}; {health.backlog:,} events wait; nothing committed yet"
    age_ns = max(0, now_ns - health.stored_ns)
    late = ": the database does not take it" if age_ns > _LATE_NS else ""
    return f"{lag}; {health.backlog:,} events wait; last commit {duration(age_ns)} ago{late}"


def _missed(total: GapTotal) -> str:
    times = "once" if total.gaps == 1 else f"{total.gaps:,} times"
    known = total.gaps - total.unknown
    parts = [f"about {total.estimate:,} messages"] if known else []
    if total.unknown:
        parts.append("an unknown number" + (f" in {total.unknown:,} of them" if known else " of messages"))
    return f"{_CAUSES[total.cause]} {times}, {duration(total.blind_ns)} in all: {' and '.join(parts)}"


def _traced(health: RecorderHealth) -> str:
    if health.nodes_traced is None:
        return "not known: this recorder does not switch tracing"
    if not health.nodes:
        return "not known: the management API does not answer"
    less = "" if health.nodes_traced >= health.nodes else ": counts are not whole"
    return f"{health.nodes_traced} of {health.nodes} nodes of the broker{less}"


def _costs(health: RecorderHealth) -> str:
    memory = "" if health.rss_bytes is None else f", {number(health.rss_bytes / _MB)} MB of memory"
    return f"{health.cpu_share:.1%} of a core over the last minute{memory}, on its own host"


def duration(ns: int) -> str:
    """How long, in the two units that tell it."""
    seconds = max(0, ns) / SECOND
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} days {hours % 24} h"
