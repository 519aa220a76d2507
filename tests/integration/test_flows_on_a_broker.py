"""Flows on a real broker do what their plans say: the same operations, RPC by RPC, and the same fleet afterwards."""

from __future__ import annotations

import asyncio
import random

import pytest

from rpcscope.fleet.model import Flavor, FleetFile, Hosts, Migration, Timing
from rpcscope.fleet.state import Fleet
from rpcscope.flows.catalog import flow_named, run
from rpcscope.flows.parameters import Parameters, read
from rpcscope.flows.plan import Plan, plan
from rpcscope.flows.report import Report, Story
from rpcscope.private_broker import PrivateBroker
from rpcscope.templates.files import shipped
from tests.support.emulated import own_vhost, world_of

pytestmark = pytest.mark.server
KINDS = (
    "create",
    "create-no-valid-host",
    "delete",
    "live-migration",
    "evacuate",
    "set_host_enabled",
    "startup:compute",
)
FLEET = FleetFile(
    hosts=(Hosts(count=4, name="h{n}", memory_gib=32, servers={"small": 2}),),
    flavors={"small": Flavor(memory_gib=4)},
    timing=Timing(reboot_s=30, check_s=5, detect_s=10),
    migration=Migration(max_concurrent=2),
)


def played(
    server: PrivateBroker, name: str, speed: float, **values: object
) -> tuple[Plan, dict[str, int], Story, Fleet]:
    """The plan; RPCs that were sent by method; the report; and the fleet afterwards."""
    flow, fleet = flow_named(name), Fleet.of(FLEET)
    parameters, templates = read(flow.parameters, values), [shipped(kind) for kind in KINDS]

    async def main(parameters: Parameters) -> tuple[dict[str, int], Story]:
        async with world_of(own, templates, fleet.hosts, speed=speed) as world:
            report = Report(flow.name, world.now_s)
            await run(flow, world, fleet, parameters, random.Random(FLEET.seed), report)
            return dict(world.tally.sent), report.story()

    with own_vhost(server) as own:
        sent, story = asyncio.run(asyncio.wait_for(main(parameters), 120))
    return plan(flow, parameters, FLEET, templates), sent, story, fleet


def operations(story: Story) -> dict[str, int]:
    """How often operations of each kind ended in each way."""
    return {what: count for what, count in story.tally.items() if what.endswith((" done", " failed"))}


@pytest.mark.parametrize(
    ("name", "speed", "values"),
    [
        ("boot-storm", 1, {"count": 20, "pace": "10"}),
        ("drain", 10, {"hosts": ["h1"]}),
        ("evacuation", 100, {"hosts": ["h2"], "return_s": 400}),
        pytest.param("rolling-update", 50, {"batch": 1}, marks=pytest.mark.long),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_flow_on_a_broker_sends_what_its_plan_says(
    rabbitmq: PrivateBroker, name: str, speed: float, values: dict[str, object]
) -> None:
    planned, sent, story, fleet = played(rabbitmq, name, speed, **values)
    assert operations(story) == operations(planned.story)
    # A monitor's saves depend on how long a copy took, to the second of the wall's clock.
    monitor = ("object_action(Migration.save)", "object_action(Instance.save)")
    expected = {method: count.rpcs for method, count in planned.count.methods.items()}
    assert {m: n for m, n in sent.items() if m not in monitor} == {
        m: n for m, n in expected.items() if m not in monitor
    }
    assert all(server.host for server in fleet.servers.values())
    assert not any(server.claimed for server in fleet.servers.values())
