"""Processes with more in hand than they can work on."""

from __future__ import annotations

from rpcscope.doctor.facts import Facts
from rpcscope.doctor.finding import Check, Evidence, Finding, Level, Subject, finding, plural
from rpcscope.query.steps import peak, value_at
from rpcscope.query.work import POOL_SIZE, Work

ABOVE = 2
"""So many pools in hand."""
FLOOD = 10


def _swamped(facts: Facts) -> Finding | None:
    found = [(most, one) for one in facts.work if one.process and (most := peak(one.total) or 0) >= ABOVE * POOL_SIZE]
    if not found:
        return None
    level = Level.BAD if max(most for most, _ in found) >= FLOOD * POOL_SIZE else Level.WARN
    title = plural(len(found), "process has", "processes have") + f" far more in hand than a pool of {POOL_SIZE}"
    return finding(level, title, (_row(facts, most, one) for most, one in found))


def _row(facts: Facts, most: int, one: Work) -> Evidence:
    now = value_at(one.total, facts.to_ns)
    at_end = "" if now is None else f", {now:,} at the end"
    methods = sorted(one.methods, key=lambda method: -(peak(one.methods[method]) or 0))[:3]
    said = f"up to {most:,} calls in hand{at_end}; at least {most - POOL_SIZE:,} waited in its memory"
    subject = Subject.HOST if one.host else Subject.NONE
    return Evidence(what=one.process, said=f"{said}; most of {', '.join(methods)}", subject=subject, key=one.host)


SWAMPED = Check(
    name="swamped",
    find=_swamped,
    why="Requests wait in the process, where no queue of RabbitMQ shows them, and where they are lost when it dies. A "
    "pool has 64 threads unless executor_thread_pool_size says otherwise.",
    todo="Add workers (each has a pool of its own), or find what it waits for. More threads in one process help only "
    "while it waits for others; its Python code runs on one core.",
)
