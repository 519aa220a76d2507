"""Plans: the same for the same seed, said as JSON, and honest about what will not work."""

from __future__ import annotations

import msgspec
import pytest

from rpcscope.errors import UsageError
from rpcscope.fleet.model import Flavor
from rpcscope.flows.catalog import FLOWS, flow_named
from rpcscope.flows.parameters import read
from rpcscope.flows.plan import Plan, plan
from rpcscope.physics import GIB
from rpcscope.templates.files import shipped, shipped_names
from rpcscope.templates.model import Template
from tests.unit.flows.support import small_fleet, templates

MIXED = {
    "web": Flavor(memory_gib=4.0, vcpus=8, cpu=(1.0,)),
    "db": Flavor(memory_gib=8.0, role="db"),
    "hot": Flavor(memory_gib=4.0, dirty_mb_s=5000.0),
}


def of(name: str, *, using: list[Template] | None = None, seed: int = 3, **parameters: object) -> Plan:
    hosts = [{"web": 5, "db": 1}, {"web": 5, "db": 1}, {"web": 3, "hot": 1}, {}, {}, {}]
    file = small_fleet(*hosts, flavors=MIXED, diskless=True, seed=seed, timing={"failure_share": 0.2})
    flow = flow_named(name)
    return plan(flow, read(flow.parameters, parameters), file, using or templates())


@pytest.mark.parametrize("name", FLOWS)
def test_the_same_seed_gives_the_same_plan_byte_for_byte(name: str) -> None:
    first, again = (msgspec.json.encode(of(name)) for _ in range(2))
    assert first == again


def test_another_seed_gives_another_plan() -> None:
    assert of("boot-storm", pace="poisson:3") != of("boot-storm", pace="poisson:3", seed=4)


@pytest.mark.parametrize("name", FLOWS)
def test_every_flow_runs_with_the_shipped_templates_and_its_defaults(name: str) -> None:
    known = [shipped(*_kind(file)) for file in shipped_names()]
    planned = of(name, using=known)
    assert planned.count.rpcs == sum(kind.rpcs for kind in planned.count.kinds.values())
    assert planned.count.messages == sum(method.messages for method in planned.count.methods.values())
    assert planned.count.bytes == sum(method.bytes for method in planned.count.methods.values())
    assert all(planned.provenance[kind].driver == "fake" for kind in planned.count.kinds)
    assert msgspec.json.decode(msgspec.json.encode(planned), type=Plan) == planned


def _kind(name: str) -> tuple[str, int]:
    stem, _, count = name.rpartition("-")
    return (stem, int(count)) if count.isdigit() else (name, 1)


def test_a_live_migration_has_the_messages_that_were_recorded() -> None:
    """83 by request id, two more by cause, and four of the monitor for each 5 s of copying (docs/glossary.md)."""
    known = [shipped(*_kind(file)) for file in shipped_names()]
    file = small_fleet({"10": 1}, {})
    flow = flow_named("live-migration")
    planned = plan(flow, read(flow.parameters, {}), file, known)
    assert planned.count.messages == 83 + 2 + 2 * 4
    assert planned.copied_bytes == 10 * GIB


def test_a_plan_names_what_can_not_converge() -> None:
    planned = of("drain", hosts=["h3"])
    (stuck,) = planned.stuck
    assert (stuck.flavor, stuck.host, stuck.at_s) == ("hot", "h3", pytest.approx(3200, abs=60))
    assert planned.link_peak == pytest.approx(1)
    assert planned.took_s > 3200


def test_a_plan_without_copies_does_not_know_a_links_use() -> None:
    planned = of("boot-storm", count=5, pace="1")
    assert planned.link_peak is None
    assert planned.copied_bytes == 0


def test_a_plan_holds_no_secrets_of_its_parameters() -> None:
    hook = {"webhook": "https://ops:PS7q@host/PS7q?key=PS7q"}
    commands = {"detach_command": ["kubectl", "--token=PS7q"], "attach_command": ["kubectl", "--token=PS7q"]}
    for planned in (of("host-lifecycle", **hook), of("rebalance", **commands)):
        assert b"PS7q" not in msgspec.json.encode(planned)
    assert planned.parameters["detach_command"] == "given"
    assert of("host-lifecycle").parameters["webhook"] == ""


def test_a_kind_that_no_template_has_is_told_before_anything_runs() -> None:
    with pytest.raises(UsageError, match="no template of delete of 1 servers"):
        of("delete-storm", using=[one for one in templates() if one.kind != "delete"])


@pytest.mark.parametrize(
    ("name", "values", "word"),
    [
        ("boot-storm", {"flavor": "huge"}, "no flavor 'huge'"),
        ("boot-storm", {"zone": "mars"}, "no host of that zone"),
        ("live-migration", {"flavor": "huge"}, "no flavor 'huge'"),
        ("live-migration", {"dest": "h99"}, "no host 'h99'"),
        ("rolling-update", {"zone": "mars"}, "no host of that zone"),
        ("evacuation", {"rack": "r99"}, "no host of that zone and rack"),
        ("evacuation", {"hosts": ["h99"]}, "no host 'h99'"),
    ],
)
def test_what_the_fleet_has_not_is_told_before_anything_runs(name: str, values: dict[str, object], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        of(name, **values)


def test_an_unknown_flow_is_told_which_there_are() -> None:
    with pytest.raises(UsageError, match="no flow 'dance': take one of boot-storm"):
        flow_named("dance")


@pytest.mark.parametrize(
    ("name", "values", "word"),
    [
        ("boot-storm", {"count": 0}, "count"),
        ("boot-storm", {"count": "many"}, "count"),
        ("boot-storm", {"pace": "fast"}, "pace"),
        ("boot-storm", {"colour": "red"}, "colour"),
        ("drain", {"fallback": "pray"}, "fallback"),
        ("rebalance", {"steal_high": 2}, "steal_high"),
        ("evacuation", {"wait_s": -1}, "wait_s"),
        ("host-lifecycle", {"webhook": "ftp://PS7q@host"}, "webhook"),
    ],
)
def test_parameters_that_can_not_be_are_refused_by_name(name: str, values: dict[str, object], word: str) -> None:
    with pytest.raises(UsageError, match=word) as raised:
        read(FLOWS[name].parameters, values)
    assert "PS7q" not in str(raised.value)


@pytest.mark.parametrize("name", FLOWS)
def test_every_flow_and_every_parameter_says_what_it_is(name: str) -> None:
    flow = FLOWS[name]
    assert flow.summary.endswith(".")
    schema = msgspec.json.schema(flow.parameters)
    (definition,) = schema["$defs"].values()
    assert definition["properties"]
    for field, said in definition["properties"].items():
        assert said.get("description"), field
        assert "default" in said, field
