"""What a flow would do to a fleet, played in virtual time: hours, messages, and what will not work."""

from __future__ import annotations

import random
from collections.abc import Iterable

import msgspec

from rpcscope.fleet.model import FleetFile
from rpcscope.fleet.state import Fleet
from rpcscope.flows.catalog import Flow, run
from rpcscope.flows.parameters import Parameters, shown
from rpcscope.flows.report import Report, Story
from rpcscope.flows.tally import Count
from rpcscope.flows.virtual import run_virtual
from rpcscope.flows.virtual_world import VirtualWorld
from rpcscope.templates.model import Provenance, Template


class Stuck(msgspec.Struct, frozen=True, kw_only=True):
    """A migration that would not end by itself: its server writes faster than the links carry."""

    server: str
    host: str
    flavor: str
    at_s: float


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to expect. A control plane that is slow under load makes it longer: nothing queues here."""

    flow: str
    parameters: dict[str, object]
    took_s: float  # from the flow's start until all is over
    count: Count
    operations_peak: int
    link_peak: float | None  # largest part of a link in use, 0 to 1; None: nothing was copied
    copied_bytes: int  # memory and disks of migrations
    stuck: tuple[Stuck, ...]
    story: Story
    provenance: dict[str, Provenance]  # of the templates that were played, by kind


def plan(flow: Flow, parameters: Parameters, file: FleetFile, templates: Iterable[Template]) -> Plan:
    """Play it once with the fleet's seed. The same arguments give the same plan.

    Raises UsageError for what the fleet or the templates do not have.
    """
    return run_virtual(_play(flow, parameters, file, templates))


async def _play(flow: Flow, parameters: Parameters, file: FleetFile, templates: Iterable[Template]) -> Plan:
    fleet, templates = Fleet.of(file), list(templates)
    world = VirtualWorld(templates, fleet.hosts, file.seed)
    report = Report(flow.name, world.now_s)
    await run(flow, world, fleet, parameters, random.Random(file.seed), report)  # noqa: S311 - no secret
    story, count = report.story(), world.tally.count()
    return Plan(
        flow=flow.name,
        parameters=shown(parameters),
        took_s=story.ended_s - story.started_s,
        count=count,
        operations_peak=int(story.peaks.get("operations", 0)),
        link_peak=story.peaks.get("part of a link"),
        copied_bytes=story.sums.get("copied bytes", 0),
        stuck=_stuck(story),
        story=story,
        provenance={one.kind: one.provenance for one in templates if one.kind in count.kinds},
    )


def _stuck(story: Story) -> tuple[Stuck, ...]:
    """Each server once, when it was first seen."""
    found: dict[str, Stuck] = {}
    for event in story.events:
        if event.what == "can not converge":
            flavor = str(event.facts.get("flavor", ""))
            found.setdefault(event.server, Stuck(server=event.server, host=event.host, flavor=flavor, at_s=event.at_s))
    return tuple(found.values())
