"""Recorders on a screen, for who never saw one: a block for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.text import Text

from rpcscope.cli.labels import written
from rpcscope.cli.output import cell, console, number
from rpcscope.model import Counters
from rpcscope.modes import OFF, REQUESTS_ONLY
from rpcscope.query.clocks import HostClock
from rpcscope.query.status import RecorderStatus
from rpcscope.query.times import SECOND, iso
from rpcscope.query.words import CAUSES, SEES, duration
from rpcscope.store.protocol import GapTotal, RecorderHealth

_LATE_NS = 15 * SECOND
_MB = 1_000_000
_MS = 1_000_000
_PHASES = 6
_CLOCKS = 6
_APART_NS = 1 * SECOND  # clocks that NTP keeps are nearer by far
_YOUNG_NS = 10 * SECOND  # before that a rate tells of its start alone
_KEPT_NS = 600 * SECOND  # so long the broker keeps a queue without a recorder
_STYLES = {"recording": "bold green", "silent": "bold red", "ended": "bold"}


class _Line(NamedTuple):
    """What is said under one word, and whether something is wrong with it now."""

    word: str
    text: str
    odd: bool = False


def print_status(found: Sequence[RecorderStatus]) -> None:
    """A block for each recorder; what is wrong now has a mark."""
    screen = console()
    if not found:
        screen.print(cell("Nothing live was recorded into this database yet: `rpcscope record` does."))
    for place, one in enumerate(found):
        if place:
            screen.print()
        lines = [*_lines(one)]
        odd = "; look at the lines with !" if any(line.odd for line in lines) else ""
        screen.print(Text.assemble((one.recording.scope, "bold"), ": ", (_state(one), _STYLES[one.state]), odd))
        for line in lines:
            mark = ("! ", "bold yellow") if line.odd else "  "
            screen.print(Text.assemble(mark, (f"{line.word:<10}", "dim"), line.text))


def _state(one: RecorderStatus) -> str:
    if one.state == "ended":
        return f"ended {_when(one.recording.ended_ns)}"
    if one.state == "silent":
        how_long = duration(one.now_ns - one.heard_ns)
        return f"not heard of since {_when(one.heard_ns)}, {how_long} ago; it was killed or can not reach the database"
    return "recording"


def _lines(one: RecorderStatus) -> Iterator[_Line]:
    """What is only true now is said of recorders that run."""
    counters, health, mode = one.info.counters, one.health, one.mode
    runs = one.state == "recording"
    yield _Line("sees", f"{SEES.get(mode, 'unknown')} (mode {mode})", odd=runs and mode == OFF)
    yield from (_Line(*told) for told in _flight(one))
    if one.labels:
        yield _Line("labels", written(one.labels))
    yield _Line("since", _since(one))
    tells = runs and health is not None and health.at_ns - health.since_ns >= _YOUNG_NS
    rate = f", {health.events_rate:,.1f} a second over the last minute" if health and tells else ""
    yield _Line("events", f"{counters.seen:,} seen{rate}")
    if runs and health:
        yield _behind(health, one.now_ns)
    yield _Line("missed", "; ".join(map(_missed, one.gaps)) or "nothing")
    yield _Line("left out", _left_out(counters))
    yield from _clocks(one.clocks)
    if runs and health:
        yield _traced(health, mode)
        yield _Line("costs", _costs(health, tells=tells))
    if one.state == "silent":
        yield _Line("next", _next(one))


def _clocks(clocks: Sequence[HostClock]) -> Iterator[_Line]:
    """How far those of hosts are off, the worst first; nothing where no process tells of its calls."""
    worst = sorted(clocks, key=lambda one: -abs(one.offset.ahead_ns))
    for place, one in enumerate(worst[:_CLOCKS]):
        yield _Line("" if place else "clocks", _clock(one), odd=abs(one.offset.ahead_ns) > _APART_NS)
    if len(worst) > _CLOCKS:
        yield _Line("", f"and {len(worst) - _CLOCKS:,} more, which are nearer; --format json has them")


def _clock(one: HostClock) -> str:
    ahead_ms, error_ms = one.offset.ahead_ns / _MS, one.offset.error_ns / _MS
    word = "ahead of" if ahead_ms >= 0 else "behind"
    whose = f"that of {one.of}" if one.of else "the tap's"
    return f"{one.host}'s is {abs(ahead_ms):,.3f} ms {word} {whose}, give or take {error_ms:,.3f} ms"


def _flight(one: RecorderStatus) -> Iterator[tuple[str, str]]:
    """What it saw in which phase, the newest first; nothing of a tap that keeps its mode."""
    if len(one.phases) < 2:
        return
    ends = [phase.at_ns for phase in one.phases[1:]]
    told = [f"{one.mode} since {_when(one.phases[-1].at_ns)}: {one.phases[-1].why}"]
    for phase, end_ns in zip(reversed(one.phases[:-1]), reversed(ends), strict=True):
        told.append(f"{phase.mode} from {_when(phase.at_ns)} for {duration(end_ns - phase.at_ns)}: {phase.why}")
    for place, sentence in enumerate(told[:_PHASES]):
        yield "" if place else "flight", sentence
    if len(told) > _PHASES:
        yield "", f"and {len(told) - _PHASES:,} phases before, since a day ago; --format json has them"


def _since(one: RecorderStatus) -> str:
    end_ns = one.now_ns if one.state == "recording" else one.recording.ended_ns or one.heard_ns
    who = f", process {one.health.pid} on {one.health.host}" if one.health else ""
    return f"{_when(one.recording.started_ns)}, for {duration(end_ns - one.recording.started_ns)}{who}"


def _behind(health: RecorderHealth, now_ns: int) -> _Line:
    lag = "not known how late it reads" if health.lag_ns is None else f"reads {health.lag_ns / SECOND:,.1f} s late"
    waits = f"{lag}; {health.backlog:,} events read and not yet stored"
    odd = (health.lag_ns or 0) > _LATE_NS
    if not health.stored_ns:
        return _Line("behind", f"{waits}; nothing committed yet", odd)
    age_ns = max(0, now_ns - health.stored_ns)
    late = ": the database does not take it" if age_ns > _LATE_NS else ""
    return _Line("behind", f"{waits}; last commit {duration(age_ns)} ago{late}", odd or bool(late))


def _missed(total: GapTotal) -> str:
    times = "once" if total.gaps == 1 else f"{total.gaps:,} times"
    known = total.gaps - total.unknown
    parts = [f"about {total.estimate:,} messages"] if known else []
    if total.unknown:
        parts.append("an unknown number" + (f" in {total.unknown:,} of them" if known else " of messages"))
    return f"{CAUSES[total.cause]} {times}, {duration(total.blind_ns)} in all: {' and '.join(parts)}"


def _left_out(counters: Counters) -> str:
    parts = [
        (counters.rejected, "no oslo.messaging messages"),
        (counters.duplicates, "given twice by the broker"),
        (counters.evicted, "given up to bound memory"),
    ]
    return ", ".join(f"{count:,} {why}" for count, why in parts if count) or "nothing"


def _traced(health: RecorderHealth, mode: str) -> _Line:
    if mode in (REQUESTS_ONLY, OFF):
        return _Line("traced", "needs no tracing")
    if health.nodes_traced is None:
        return _Line("traced", "not known: this recorder does not switch tracing")
    if not health.nodes:
        return _Line("traced", "not known: the management API does not answer", odd=True)
    odd = health.nodes_traced < health.nodes
    less = ": counts are not whole" if odd else ""
    return _Line("traced", f"{health.nodes_traced} of {health.nodes} nodes of the broker{less}", odd)


def _costs(health: RecorderHealth, *, tells: bool) -> str:
    cpu = f"{health.cpu_share:.1%} of a core over the last minute" if tells else "not yet known how much CPU"
    memory = "" if health.rss_bytes is None else f", {number(health.rss_bytes / _MB)} MB of memory"
    return f"{cpu}{memory}, on its own host"


def _next(one: RecorderStatus) -> str:
    """What to do about a recorder that is gone."""
    if one.now_ns - one.heard_ns < _KEPT_NS:
        return "start it again: within ten minutes of its death it goes on where it stopped"
    return "start it again; what came since is missed. `rpcscope untrace` on its host ends tracing that it left on"


def _when(ns: int | None) -> str:
    """To the second, which is what people compare."""
    return f"{shown[:19]}Z" if (shown := iso(ns)) else "an unknown time"
