"""What is said of runs of the emulator, on a terminal and on a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rpcscope.query.times import SECOND
from rpcscope.query.words import duration
from rpcscope.store.run_rows import Run

_OF_OPERATIONS = (" done", " timed out", "memory copy ended", "server moved")
"""Ends of events that the table of kinds counts, too."""
_SHORT = 0.01
"""A rate that is missed by less counts as reached."""


def seconds(value: float) -> str:
    """A duration as people say it."""
    return f"{value:.1f} s" if value < 100 else duration(round(value * SECOND))


def happenings(events: Mapping[str, int]) -> str:
    """What a flow tells beside the ends of its operations: "host updated 8, no host has room 2"."""
    told = sorted(events.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{what} {count:,}" for what, count in told if not what.endswith(_OF_OPERATIONS))


def provenance_note(asked: Mapping[str, Any]) -> list[str]:
    """That templates know no hypervisor, where that is so: said wherever their numbers are."""
    templates: Mapping[str, Mapping[str, Any]] = asked.get("templates") or {}
    fake = [kind for kind, one in templates.items() if one.get("driver") == "fake"]
    if not fake:
        return []
    whose = "The templates" if len(fake) == len(templates) else f"The templates of {', '.join(fake)}"
    releases = sorted({str(templates[kind].get("release", "")) for kind in fake} - {""})
    of = f" of {', '.join(releases)}" if releases else ""
    return [
        f"{whose} are recordings{of} on a fake driver: messages and their order are real, the hypervisor's work, "
        "networks and volumes are not in them."
    ]


def shortfalls(run: Run) -> list[str]:
    """Where the run did not do what it was asked for."""
    found = []
    pace = (run.outcome.get("part") or {}).get("pace") or {}
    short = pace.get("shortfall")
    if short is not None and short > _SHORT:
        found.append(
            f"The pace was not kept: {pace['reached_per_s']:,.2f} a second of {pace['asked_per_s']:,.2f} asked for, "
            f"{short:.0%} less"
        )
    errors = run.outcome.get("errors") or {}
    found += [f"{count:,} operations ended with {name}" for name, count in errors.items()]
    expired = sum((run.outcome.get("expired") or {}).values())
    if expired:
        found.append(f"{expired:,} calls had no answer in their caller's time")
    for name, words in (("lost", "messages went with their host, or found none"),
                        ("late_replies", "replies came when nobody waited any more"),
                        ("strangers", "messages came from clients that are not the emulation's")):  # fmt: skip
        if run.outcome.get(name):
            found.append(f"{run.outcome[name]:,} {words}")
    if run.outcome.get("error"):
        found.append(f"It could not go on: {run.outcome['error']}")
    return found
