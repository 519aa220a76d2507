"""What is learned from a recording, emulated and recorded again is what was recorded."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from rpcscope.capture import CaptureReader
from rpcscope.cli.importing import import_capture
from rpcscope.emulator.bus_world import BusWorld
from rpcscope.emulator.tally import Tally
from rpcscope.flows.world import Answer, Asked, Ended
from rpcscope.model import Call, MessageKind, Operation, Sighting
from rpcscope.private_broker import PrivateBroker
from rpcscope.query.operations import Operations
from rpcscope.rules import load_rules
from rpcscope.store import Store, open_store
from rpcscope.store.protocol import OperationFilter, Reader
from rpcscope.templates.chosen import Choice
from rpcscope.templates.learn import learn
from rpcscope.templates.model import Template, walk
from rpcscope_collectors.tap import Tap
from tests.support.emulated import INSTANCE, SMALL, own_vhost
from tests.support.rabbitmq import Cloud
from tests.support.stored import keep
from tests.support.tapping import observations, sightings_until

pytestmark = pytest.mark.server

CAPTURES = Path(__file__).parents[1] / "captures" / "nova34"
RECORDED = {
    "create": "01_boot_1",
    "delete": "05_delete_1",
    "live-migration": "09_live_migrate_no_host",
    "evacuate": "12_evacuate_6",
}
HOSTS = ("compute-1", "compute-2")


@dataclass
class Recorded:
    """One operation in a store, and the template that was learned from it."""

    operation: Operation
    calls: list[Call]
    template: Template


@dataclass
class Emulated:
    """The same, played on a broker and recorded there."""

    answer: Answer
    operation: Operation
    calls: list[Call]
    tally: Tally


@pytest.fixture(scope="module", params=RECORDED)
def pair(
    request: pytest.FixtureRequest, rabbitmq: PrivateBroker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Recorded, Emulated]]:
    folder = tmp_path_factory.mktemp("faithful")
    with closing(open_store(str(folder / "recorded.sqlite"), create=True)) as store:
        recorded = learned(store, request.param)
    with closing(open_store(str(folder / "emulated.sqlite"), create=True)) as store:
        yield recorded, emulated(rabbitmq, folder, store, recorded.template)


def learned(store: Store, kind: str) -> Recorded:
    with CaptureReader(CAPTURES / f"{RECORDED[kind]}.jsonl.zst") as capture:
        import_capture(store, capture, load_rules())
    reader = store.reader()
    newest = next(iter(Operations(reader).find(OperationFilter(kind=kind)))).whole
    (template,) = learn(reader, Choice(kinds=(kind,), most=1, background=False)).templates
    return Recorded(newest, caused(reader, newest), template)


def caused(reader: Reader, operation: Operation) -> list[Call]:
    return list(reader.calls(cause_ids=[operation.id]))


def emulated(server: PrivateBroker, folder: Path, store: Store, template: Template) -> Emulated:
    with own_vhost(server, "faithful") as own:
        cloud = Cloud(server, own.name, folder / "state")
        found: list[tuple[Answer, Tally]] = []

        async def play() -> None:
            async with BusWorld(own, HOSTS, [template], control=SMALL) as world:
                await asyncio.sleep(1.5)  # the tap looks who is connected
                asked = Asked(kind=template.kind, instances=[INSTANCE], source=HOSTS[0], dest=HOSTS[1])
                found.append((await world.operate(asked), world.tally))
                await asyncio.to_thread(played.wait)

        played = threading.Event()
        tap = Tap(cloud.broker, mode="full", name="faithful", managements=[cloud.management],
                  tracing=cloud.tracing(), topology_interval_s=0.5)  # fmt: skip
        with tap:
            actors = threading.Thread(target=lambda: asyncio.run(asyncio.wait_for(play(), 60)))
            actors.start()
            try:
                seen = sightings_until(tap, all_of(template))
            finally:
                played.set()
                actors.join()
        keep(store, seen)
    reader = store.reader()
    (operation,) = reader.operations(OperationFilter(request_id=found[0][0].request_id))
    return Emulated(found[0][0], operation, caused(reader, operation), found[0][1])


def all_of(template: Template) -> Callable[[list[Sighting]], bool]:
    """Every publish and every delivery was seen; the cloud has one scheduler."""
    kinds = Counter(step.kind for step in walk(template.variants[0].roots) if step.repeats_s is None)
    expected = 2 * (kinds["call"] * 2 + kinds["cast"] + kinds["fanout"])
    return lambda seen: len([one for one in observations(seen) if one.body]) >= expected


def shape(calls: list[Call]) -> Counter[tuple[MessageKind, str, str, int]]:
    """Kind, method, topic and replies of each RPC."""
    return Counter((call.kind, call.method, call.topic, call.replies) for call in calls)


def tree(calls: list[Call]) -> Counter[tuple[str, str]]:
    """Method of each RPC and of the one that caused it."""
    methods = {call.id: call.method for call in calls}
    return Counter((methods.get(call.parent_id, ""), call.method) for call in calls)


def sizes(calls: list[Call]) -> dict[str, tuple[list[int], list[int]]]:
    found: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for call in calls:
        found[call.method][0].append(call.request_bytes)
        found[call.method][1].append(call.reply_bytes)
    return {method: (sorted(requests), sorted(replies)) for method, (requests, replies) in found.items()}


def test_an_operation_is_emulated_with_the_same_rpcs(pair: tuple[Recorded, Emulated]) -> None:
    recorded, played = pair
    assert played.answer.ended is Ended.DONE
    assert shape(played.calls) == shape(recorded.calls)
    assert tree(played.calls) == tree(recorded.calls)
    assert played.operation.kind == recorded.operation.kind
    assert played.operation.status == recorded.operation.status
    assert played.operation.source_host == (HOSTS[0] if recorded.operation.source_host else "")
    assert played.operation.dest_host == (HOSTS[1] if recorded.operation.dest_host else "")
    assert played.operation.instances == (INSTANCE,)


def test_an_operation_is_emulated_with_the_same_sizes(pair: tuple[Recorded, Emulated]) -> None:
    recorded, played = pair
    for method, (requests, replies) in sizes(played.calls).items():
        before = sizes(recorded.calls)[method]
        assert requests == pytest.approx(before[0], rel=0.01), method
        assert replies == pytest.approx(before[1], rel=0.01), method
