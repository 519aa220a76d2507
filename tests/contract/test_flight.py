"""Work in flight, phases, triggers, layouts: what goes in comes out, and the old is removed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rpcscope.model import Batch, Binding, Exchange, InFlightSample, Layout, QueueConsumer, TapPhase
from rpcscope.store import Store
from tests.contract.records import SECOND, START, begun, recording_of

HOUR = 3_600 * SECOND


def make_sample(at_ns: int = START, **words: Any) -> InFlightSample:
    defaults: dict[str, Any] = {"process": 7, "queue": "", "method": "boot", "count": 20, "oldest_ns": START - SECOND}
    return InFlightSample(at_ns=at_ns, **(defaults | words))


def make_layout(at_ns: int = START, vhost: str = "/nova", queues: int = 1) -> Layout:
    return Layout(
        at_ns=at_ns,
        vhost=vhost,
        exchanges=(Exchange(name="nova", kind="topic", durable=True), Exchange(name="x", kind="fanout", durable=False)),
        bindings=tuple(
            Binding(exchange="nova", destination=f"compute.host-{n}", to_queue=n % 2 == 0, routing_key=f"key-{n}")
            for n in range(queues)
        ),
        consumers=tuple(
            QueueConsumer(queue=f"compute.host-{n}", process=f"10.0.0.1:nova-compute:{n}") for n in range(queues)
        ),
    )


def write(store: Store, **records: Any) -> int:
    """The id of the recording."""
    writer, base = begun(store)
    writer.write(Batch(recording_id=recording_of(base), **records))
    return recording_of(base)


def test_work_in_flight_comes_back_by_recording_in_order_of_time(store: Store) -> None:
    late = make_sample(START + SECOND, count=0, oldest_ns=0)
    taken, waiting = make_sample(), make_sample(process=0, queue="compute.host-1", count=3)
    one = write(store, in_flight=(late, taken, waiting))
    other = write(store, in_flight=(taken,))
    assert store.reader().in_flight(START, START + SECOND) == {one: [waiting, taken, late], other: [taken]}
    assert store.reader().in_flight(START + 1, START + SECOND) == {one: [late]}
    assert store.reader().in_flight(START + SECOND + 1, START + HOUR) == {}


def test_phases_come_back_with_the_one_that_the_time_began_in(store: Store) -> None:
    phases = tuple(TapPhase(at_ns=START + n * SECOND, mode=mode, why="why " * n) for n, mode in enumerate("abcd"))
    one = write(store, phases=phases)
    other = write(store, phases=phases[:1])
    reader = store.reader()
    assert reader.phases(START + SECOND + 5, START + 2 * SECOND) == {one: list(phases[1:3]), other: [phases[0]]}
    assert reader.phases(START + SECOND, START + SECOND) == {one: [phases[1]], other: [phases[0]]}
    assert reader.phases(START - SECOND, START - 1) == {}


def test_a_phase_keeps_hostile_reasons_within_its_column(store: Store) -> None:
    number = write(store, phases=(TapPhase(at_ns=START, mode="control", why="\0trigger: " + "\ud800x" * 500),))
    [phase] = store.reader().phases(START, START)[number]
    assert phase.why.startswith("trigger: ?x?x")
    assert len(phase.why) <= 255


def test_a_trigger_is_told_to_recorders_and_taken_once(store: Store) -> None:
    asking, reader = store.writer(), store.reader()
    first = asking.ask(at_ns=START, name="night", why="tenants complain", minutes=2.5)
    second = asking.ask(at_ns=START + 1, name="", why="", minutes=5)
    assert [(t.id, t.at_ns, t.name, t.why, t.minutes, t.taken_ns) for t in reader.triggers()] == [
        (first, START, "night", "tenants complain", 2.5, None),
        (second, START + 1, "", "", 5.0, None),
    ]
    assert store.writer().taken(first, START + 9)
    assert not store.writer().taken(first, START + 10)
    assert not store.writer().taken(second + 1, START + 10)
    assert [t.taken_ns for t in reader.triggers()] == [START + 9, None]
    assert [t.id for t in reader.triggers(first)] == [second]


def test_the_newest_layout_of_each_vhost_replaces_the_one_before(store: Store) -> None:
    writer, base = begun(store)
    number = recording_of(base)
    writer.write(Batch(recording_id=number, layouts=(make_layout(), make_layout(vhost="/glance"))))
    grown = make_layout(START + SECOND, queues=2)
    writer.write(Batch(recording_id=number, layouts=(replace(grown, exchanges=()), grown)))
    found = store.reader().layouts()[number]
    assert sorted(found, key=lambda one: one.vhost) == [make_layout(vhost="/glance"), grown]


def test_a_layout_of_twenty_thousand_queues_with_hostile_names_fits(store: Store) -> None:
    layout = make_layout(queues=20_000)
    odd = Binding(exchange="\ud800", destination="q" * 300, to_queue=True, routing_key="nul\0")
    number = write(store, layouts=(replace(layout, bindings=(*layout.bindings, odd)),))
    [found] = store.reader().layouts()[number]
    assert found.bindings[:-1] == layout.bindings
    assert found.consumers == layout.consumers
    kept = found.bindings[-1]
    assert (kept.exchange, len(kept.destination), kept.routing_key) == ("?", 255, "nul")


def test_retention_removes_the_old_and_keeps_what_still_holds(store: Store) -> None:
    late = START + HOUR
    phases = tuple(TapPhase(at_ns=at, mode=mode, why="") for at, mode in ((START, "publish"), (START + 1, "control")))
    ended = write(store, layouts=(make_layout(vhost="/ended"),), last_ns=late - 1)
    alive = write(
        store,
        in_flight=(make_sample(method="old_method"), make_sample(late, method="new_method")),
        phases=(*phases, TapPhase(at_ns=late + 1, mode="full", why="")),
        layouts=(make_layout(),),
        last_ns=late,
    )
    first = store.writer().ask(at_ns=START, name="", why="", minutes=1)
    second = store.writer().ask(at_ns=late, name="", why="", minutes=1)
    deleted = store.writer().prune(late)
    tables = ("in_flight_sample", "tap_phase", "flight_trigger", "layout")
    assert [deleted[table] for table in tables] == [1, 1, 1, 1]
    assert deleted["name"] == len(("/ended", "old_method"))
    reader = store.reader()
    assert reader.in_flight(0, late) == {alive: [make_sample(late, method="new_method")]}
    assert [p.mode for p in reader.phases(late, late + 1)[alive]] == ["control", "full"]
    assert [t.id for t in reader.triggers()] == [second] == [first + 1]
    assert reader.layouts() == {alive: [make_layout()]}
    assert ended not in reader.layouts()


def test_a_recording_that_goes_on_keeps_the_phase_it_is_in(store: Store) -> None:
    phase = TapPhase(at_ns=START, mode="publish", why="start")
    number = write(store, phases=(phase,))
    assert store.writer().prune(START + HOUR).get("tap_phase", 0) == 0
    assert store.reader().phases(START + HOUR, START + HOUR) == {number: [phase]}


def test_a_sample_of_the_same_second_replaces_the_one_before(store: Store) -> None:
    writer, base = begun(store)
    number = recording_of(base)
    for count in (20, 19):
        writer.write(Batch(recording_id=number, in_flight=(make_sample(count=count), make_sample(process=8))))
    assert store.reader().in_flight(START, START) == {number: [make_sample(count=19), make_sample(process=8)]}
