"""What can be played, and what is refused before anything starts."""

from __future__ import annotations

import random
from collections import Counter

import msgspec
import pytest

from rpcscope.emulator.playbill import Playbill
from rpcscope.emulator.score import Manner, Node
from rpcscope.emulator.slots import Slots
from rpcscope.errors import UsageError
from rpcscope.fleet.model import Control
from rpcscope.flows.world import Asked
from rpcscope.templates.files import all_shipped
from rpcscope.templates.model import Step, Template
from tests.support.emulated import INSTANCE, call, cast, size, template

MANNER = Manner(Control(), Slots(32))


def playbill(*templates: Template) -> Playbill:
    return Playbill(templates, MANNER)


def only(step: Step, manner: Manner = MANNER) -> int | None:
    """The call monitor's timeout of a step."""
    (node,) = Playbill([template("k", step)], manner).nodes()
    return node.monitor_s


def test_a_step_for_an_unknown_host_is_refused() -> None:
    with pytest.raises(UsageError, match="host third: name it source or dest"):
        playbill(template("k", cast("m", "compute", host="third", sender="api")))


def test_a_timer_has_no_destination() -> None:
    with pytest.raises(UsageError, match="dest host"):
        playbill(
            template("periodic:x", cast("m", "compute", host="dest", sender="api"), background=True, interval_s=10.0)
        )


def test_templates_of_one_kind_are_told_apart_by_their_servers() -> None:
    bill = playbill(
        template("create", cast("one", "conductor")), template("create", cast("five", "conductor"), instances=5)
    )
    for count, method in ((1, "one"), (5, "five")):
        asked = Asked(kind="create", instances=[INSTANCE] * count)
        bill.check(asked, ())
        assert [node.method for node in bill.draw(asked, random.Random(1)).nodes()] == [method]
    with pytest.raises(UsageError, match="create of 2 servers"):
        bill.check(Asked(kind="create", instances=[INSTANCE] * 2), ())


def test_a_server_is_named_by_its_uuid() -> None:
    with pytest.raises(UsageError, match="uuid"):
        playbill(template("k", cast("m", "conductor"))).check(Asked(kind="k", instances=["short"]), ())


def test_variants_come_as_often_as_their_share() -> None:
    one, other = (template("k", cast(method, "conductor")).variants[0] for method in ("often", "seldom"))
    variants = tuple(msgspec.structs.replace(one, share=share) for one, share in ((one, 0.9), (other, 0.1)))
    bill = playbill(Template(kind="k", variants=variants))
    rng, asked = random.Random(1), Asked(kind="k", instances=[INSTANCE])
    drawn = Counter(next(bill.draw(asked, rng).nodes()).method for _ in range(2000))
    assert 150 <= drawn["seldom"] <= 250


def test_only_calls_that_are_longer_than_usual_are_watched() -> None:
    assert only(call("m", timeout_s=1800.0)) == 60
    assert only(call("m")) is None
    assert only(cast("m", "conductor", timeout_s=1800.0)) is None
    assert only(call("m"), Manner(Control(rpc_timeout_s=5.0), Slots(32))) is None


def test_older_computes_are_sent_what_newer_ones_take_on_their_second_topic() -> None:
    step = cast("m", "compute-alt", host="dest")
    topics = {}
    for shape in ("2026", "2025", "reduced"):
        (node,) = Playbill([template("k", step)], Manner(Control(shape=shape), Slots(32))).nodes()  # type: ignore[arg-type]
        topics[shape] = node.topic
    assert topics == {"2026": "compute-alt", "2025": "compute", "reduced": "compute"}


def test_every_shipped_template_is_played_with_the_sizes_that_it_has() -> None:
    for one in all_shipped():
        for node in playbill(one).nodes():
            for wanted in set(node.step.request.quantiles):
                alone = Node(msgspec.structs.replace(node.step, request=size(wanted)), MANNER, one.instances, None)
                assert len(alone.request(random.Random(1))) == pytest.approx(wanted, rel=0.01), node.method
