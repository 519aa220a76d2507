"""Templates of real recordings: learned, shipped, looked at on the command line."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import ModuleType

import pytest

from rpcscope.errors import UsageError
from rpcscope.model import Gap, GapCause, Observation
from rpcscope.query.cost import costs
from rpcscope.store import Store, open_store
from rpcscope.templates.chosen import Choice
from rpcscope.templates.counts import count
from rpcscope.templates.files import SHIPPED, load, shipped
from rpcscope.templates.learn import Learned, learn
from rpcscope.templates.model import Step, Template, walk
from rpcscope.templates.sample import draw
from tests.support.cli import Cli
from tests.support.dashboard import recorded_store
from tests.support.requests_only import requests, sightings
from tests.support.split import as_nova_does, split
from tests.support.stored import keep

ROOT = Path(__file__).parents[2]
NOVA = ROOT / "tests" / "captures" / "nova34"
TRUTH = json.loads((ROOT / "tests" / "captures" / "ground_truth.json").read_text())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(recorded_store(tmp_path_factory.mktemp("templates") / "store.sqlite")) as made:
        yield made


@pytest.fixture(scope="module")
def learned(store: Store) -> Learned:
    return learn(store.reader(), Choice(failed=False))


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "store.sqlite"), create=True) as made:
        yield made


def of(learned: Learned, kind: str) -> Template:
    (found,) = (one for one in learned.templates if (one.kind, one.instances <= 1) == (kind, True))
    return found


def steps(template: Template) -> list[Step]:
    return list(walk(template.variants[0].roots))


@pytest.mark.parametrize(
    ("kind", "messages", "by_cause"),
    [("create", 27, 29), ("delete", 24, 26), ("evacuate", 39, 41), ("live-migration", 83, 85)],
)
def test_operations_of_a_kind_have_one_shape_with_the_messages_that_were_counted(
    learned: Learned, kind: str, messages: int, by_cause: int
) -> None:
    template = of(learned, kind)
    assert [variant.share for variant in template.variants] == [1.0]
    roots = template.variants[0].roots
    assert (count(roots).messages, count(roots, by_cause=True).messages) == (messages, by_cause)
    assert count(shipped(kind).variants[0].roots).messages == messages


@pytest.mark.parametrize("capture", ["01_boot_1", "05_delete_1"])
def test_one_operation_is_learned_with_its_every_message_and_byte(empty: Store, capture: str) -> None:
    keep(empty, sightings(NOVA / f"{capture}.jsonl.zst"))
    (truth,) = TRUTH[capture]["operations"].values()
    (template,) = learn(empty.reader(), Choice(background=False)).templates
    tally = count(template.variants[0].roots)
    found = (tally.messages, tally.calls, tally.casts, tally.fanouts, tally.replies, tally.bytes)
    assert found == tuple(truth[key] for key in ("messages", "calls", "casts", "fanouts", "replies", "bytes"))


def test_what_failed_is_a_variant_of_its_own(store: Store) -> None:
    (template,) = learn(store.reader(), Choice(kinds=("create",), background=False)).templates
    shapes = [(variant.operations, variant.error) for variant in template.variants]
    assert shapes == [(20, ""), (1, "NoValidHost")]
    failed = template.variants[1].roots
    assert [(step.method, step.failure) for step in walk(failed)] == [
        ("schedule_and_build_instances", ""),
        ("select_destinations", "NoValidHost"),
    ]


def test_a_live_migration_waits_for_its_driver_between_two_steps_of_the_source(learned: Learned) -> None:
    (handler,) = [step for step in steps(of(learned, "live-migration")) if step.method == "live_migration"]
    waits = [(step.method.partition("(")[2].rstrip(")"), step.repeats_s) for step in handler.steps if step.wait]
    assert waits == [
        ("Migration.save", 5.0),
        ("Instance.save", 5.0),
        ("MigrationContext.get_by_instance_uuid", None),
    ]
    ended = next(step for step in handler.steps if step.wait and step.repeats_s is None)
    assert handler.steps[ended.after].detail == "running"
    assert min(ended.delay.quantiles_s) > 1.0  # the fake driver sleeps for a second
    events = [step for step in handler.steps if "event_finish" in step.method]
    assert [handler.steps[step.after].method for step in events] == ["object_action(Migration.save)"]


def test_a_boot_and_an_evacuation_wait_for_the_spawn_once(learned: Learned) -> None:
    for kind in ("create", "evacuate"):
        waits = [step.method for step in steps(of(learned, kind)) if step.wait]
        assert waits == ["object_action(Instance.save)"]


def test_timers_have_the_intervals_that_nova_has(learned: Learned) -> None:
    found = {one.kind: one.interval_s for one in learned.templates if one.kind.startswith("periodic:")}
    assert found == {
        "periodic:report_state": 10.0,
        "periodic:update_available_resource": 60.0,
        "periodic:sync_scheduler_instance_info": 120.0,
        "periodic:sync_power_states": 600.0,
        "periodic:run_pending_deletes": 300.0,
        "periodic:cleanup_incomplete_migrations": 300.0,
        "periodic:cleanup_expired_console_auth_tokens": 300.0,
    }
    report = of(learned, "periodic:report_state")
    (root,) = report.variants[0].roots
    assert (report.background, report.instances) == (True, 0)
    assert (root.sender, root.sender_host, root.method) == ("compute", "source", "object_action(Service.save)")


def test_sampled_times_of_a_boot_are_those_of_the_recorded_ones(learned: Learned, store: Store) -> None:
    """All that one boot waits for, drawn step by step, is about as long as recorded boots were."""
    rng, template = Random(1), of(learned, "create")
    chain = steps(template)
    drawn = sorted(sum(draw(step.delay, rng) + draw(step.work, rng) for step in chain) for _ in range(2_000))
    cost = next(cost for cost in costs(store.reader()) if cost.kind == "create")
    recorded_ms = cost.duration_ms.p50
    assert recorded_ms is not None
    assert drawn[1_000] * 1_000 == pytest.approx(recorded_ms, rel=0.15)


def test_operations_that_two_brokers_saw_are_learned_as_if_one_had(empty: Store, learned: Learned) -> None:
    seen = list(sightings(NOVA / "12_evacuate_6.jsonl.zst"))
    keep(empty, *split(seen, as_nova_does(seen)), labels=("api", "cell"))
    (template,) = learn(empty.reader(), Choice(background=False)).templates

    def shape(step: Step) -> tuple[object, ...]:
        return (step.method, step.kind, step.host, step.after, step.wait, step.stale, *map(shape, step.steps))

    whole = of(learned, "evacuate").variants[0].roots
    assert [shape(root) for root in template.variants[0].roots] == [shape(root) for root in whole]
    assert template.provenance.sources == ("api", "cell")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("cut", "it was not over"),
        ("beginning", "its beginning was not recorded"),
        ("gap", "a tap was blind during it"),
        ("requests", "replies were not to be seen"),
    ],
)
def test_what_was_not_recorded_as_a_whole_is_left_out_and_says_why(empty: Store, change: str, why: str) -> None:
    path = NOVA / "01_boot_1.jsonl.zst"
    seen = list(sightings(path))
    events = [place for place, one in enumerate(seen) if isinstance(one, Observation)]
    if change == "requests":
        keep(empty, requests(path), mode="bindings")
    elif change == "gap":
        blind = seen[events[len(events) // 2]]
        gap = Gap(from_ns=blind.at_ns, to_ns=blind.at_ns + 1_000, cause=GapCause.DROPPED)
        keep(empty, [*seen[: events[-20]], gap, *seen[events[-20] :]])
    elif change == "beginning":
        keep(empty, seen[events[30] :])
    else:
        keep(empty, seen[: events[20]])
    with pytest.raises(UsageError, match=why):
        learn(empty.reader(), Choice(kinds=("create",), background=False))


def test_what_ships_is_what_the_captures_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = tool("make_templates")
    shipped_folder = maker.MADE
    assert shipped_folder == ROOT / "rpcscope" / "templates" / SHIPPED
    monkeypatch.setattr(maker, "MADE", tmp_path / "made")
    maker.main()
    made = {path.name: path.read_text() for path in (tmp_path / "made").iterdir()}
    assert made == {path.name: path.read_text() for path in shipped_folder.iterdir()}


def test_the_command_line_learns_shows_and_checks(tmp_path: Path) -> None:
    cli = Cli(tmp_path)
    cli.ok("import", NOVA / "01_boot_1.jsonl.zst", NOVA / "09_live_migrate_no_host.jsonl.zst")
    out = cli.ok("template", "learn", "--kind", "create", "-o", "mine", "--driver", "fake")
    assert "create.yaml" in out
    made = load(tmp_path / "mine" / "create.yaml")
    assert (made.kind, made.provenance.driver, made.provenance.operations) == ("create", "fake", 2)
    shown = cli.ok("template", "show", "mine/create.yaml")
    assert "27 messages = 12 calls + 2 casts + 1 fanouts + 12 replies" in shown
    assert "No hypervisor took part" in shown
    assert "schedule_and_build_instances  api > conductor" in shown
    assert "once spawn is over" in shown
    assert cli.ok("template", "check", "mine/create.yaml") == "create.yaml: create, 1 variant; all is well\n"
    assert "create.yaml is in mine already" in cli.refused(2, "template", "learn", "--kind", "create", "-o", "mine")
    (tmp_path / "mine" / "create.yaml").write_text("kind: create\n")
    assert "object missing required field `variants`" in cli.refused(2, "template", "check", "mine/create.yaml")
    assert "record some, or choose other kinds" in cli.refused(2, "template", "learn", "--kind", "x", "-o", "mine")
    assert "live-migration" in cli.ok("template", "show", "live-migration")


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
