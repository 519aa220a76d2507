"""A plan, a fleet and a report as the JSON that is kept of a run. Times are s of the wall's clock."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rpcscope.fleet.estimate import estimate
from rpcscope.templates.counts import count

if TYPE_CHECKING:
    from rpcscope.fleet.model import FleetFile
    from rpcscope.flows.pacer import Paced
    from rpcscope.flows.plan import Plan
    from rpcscope.flows.report import Report
    from rpcscope.flows.tally import KindCount
    from rpcscope.templates.model import Provenance, Template


def asked_of(fleet: FleetFile, speed: float, provenance: dict[str, Provenance]) -> dict[str, Any]:
    """What was asked for: on which fleet, how fast, by which templates."""
    found = estimate(fleet)
    return {
        "speed": speed,
        "fleet": {
            "name": fleet.name, "hosts": found.hosts, "servers": found.servers, "shape": found.shape,
            "profile": fleet.control.profile, "background": fleet.control.background, "seed": fleet.seed,
        },
        "templates": templates_of(provenance),
    }  # fmt: skip


def templates_of(provenance: dict[str, Provenance]) -> dict[str, dict[str, Any]]:
    """Where the numbers of each kind come from."""
    return {
        kind: {"release": one.release, "driver": one.driver, "operations": one.operations}
        for kind, one in sorted(provenance.items())
    }


def expected_of(plan: Plan, fleet: FleetFile, templates: Iterable[Template], speed: float) -> dict[str, Any]:
    """What a plan says, of a world of that speed."""
    return {
        "took_s": plan.took_s / speed,
        "operations": sum(one.asked for one in plan.count.kinds.values()),
        "rpcs": plan.count.rpcs,
        "messages": plan.count.messages,
        "bytes": plan.count.bytes,
        "kinds": {kind: _kind(one, speed) for kind, one in plan.count.kinds.items()},
        "methods": {
            name: {"rpcs": one.rpcs, "messages": one.messages, "bytes": one.bytes}
            for name, one in plan.count.methods.items()
        },
        "operations_peak": plan.operations_peak,
        "link_peak": plan.link_peak,
        "copied_bytes": plan.copied_bytes,
        "events": plan.story.tally,
        "stuck": len(plan.stuck),
        "idle": idle_of(fleet, templates, speed),
    }


def idle_of(fleet: FleetFile, templates: Iterable[Template], speed: float) -> dict[str, Any]:
    """What the broker has before anything is asked for; messages a second as these templates have them."""
    found = estimate(fleet)
    timers = [one for one in templates if one.background and one.interval_s] if fleet.control.background else []
    each_s = sum(_messages(one) / (one.interval_s or 1.0) for one in timers)
    return {
        "connections": found.connections, "queues": found.queues, "consumers": found.consumers,
        "messages_s": found.hosts * each_s * speed,
    }  # fmt: skip


def told_of(report: Report) -> dict[str, Any]:
    """How a flow fared so far."""
    story = report.story()
    return {"events": story.tally, "peaks": story.peaks, "sums": story.sums, "pace": pace_of(story.paced)}


def pace_of(paced: Paced | None) -> dict[str, Any] | None:
    """How a pace was kept, in s of the world; None where nothing was paced."""
    if paced is None:
        return None
    return {name: getattr(paced, name) for name in (*paced.__struct_fields__, "shortfall")}


def _kind(one: KindCount, speed: float) -> dict[str, Any]:
    took = {name: getattr(one, name) for name in ("took_p50_s", "took_p95_s", "took_max_s")}
    return {
        "asked": one.asked, "done": one.done, "failed": one.failed, "timed_out": one.timed_out,
        "rpcs": one.rpcs, "messages": one.messages, "bytes": one.bytes,
        **{name: None if value is None else value / speed for name, value in took.items()},
    }  # fmt: skip


def _messages(template: Template) -> float:
    """Of one operation, on average."""
    return sum(one.share * count(one.roots, by_cause=True).messages for one in template.variants)
