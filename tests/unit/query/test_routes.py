"""The picture of exchanges, queues and processes: every way is there, and what is many is folded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rpcscope.model import Batch, Binding, Exchange, Layout, Process, QueueConsumer
from rpcscope.query.routes import DEFAULT_EXCHANGE, Route, routes
from rpcscope.store import Store, open_store
from tests.contract.records import START, begun, make_process, recording_of


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "store.db"), create=True) as opened:
        yield opened


def bound(exchange: str, queue: str, key: str = "", *, to_queue: bool = True) -> Binding:
    return Binding(exchange=exchange, destination=queue, to_queue=to_queue, routing_key=key)


def fill(store: Store, hosts: int, *, vhost: str = "nova", at_ns: int = START) -> None:
    """A conductor with two workers, and computes; replies go by the default exchange."""
    writer, base = begun(store, label=vhost)
    processes = [
        make_process(base + 1, key="10.0.0.9:nova-conductor:1", program="nova-conductor", pid=1, host="ctl"),
        *(
            make_process(
                base + 2 + n, key=f"10.0.0.1:nova-compute:{n}", pid=n, host=f"host-{n}", program="nova-compute"
            )
            for n in range(hosts)
        ),
    ]
    bindings = [bound("nova", "conductor", "conductor"), bound("amq.x", "nova", to_queue=False)]
    consumers = [QueueConsumer(queue="conductor", process="10.0.0.9:nova-conductor:1")]
    consumers.append(QueueConsumer(queue="conductor", process="10.0.0.8:1 -> 10.0.0.5:5672"))
    for n in range(hosts):
        bindings.append(bound("nova", f"compute.host-{n}", f"compute.host-{n}"))
        bindings.append(bound("compute_fanout", f"compute_fanout_{n}"))
        for queue in (f"compute.host-{n}", f"compute_fanout_{n}", f"reply_{n}"):
            consumers.append(QueueConsumer(queue=queue, process=f"10.0.0.1:nova-compute:{n}"))
    layout = Layout(
        at_ns=at_ns, vhost=vhost, exchanges=(Exchange(name="nova", kind="topic", durable=False),),
        bindings=tuple(bindings), consumers=tuple(consumers),
    )  # fmt: skip
    people: tuple[Process, ...] = tuple(processes)
    writer.write(Batch(recording_id=recording_of(base), layouts=(layout,), processes=people))


def ways(route: Route) -> set[tuple[str, str, str, int]]:
    return {
        (route.exchanges[w.start].name, route.queues[w.end].name, w.label, w.count) for w in route.bindings
    }  # fmt: skip


def taken(route: Route) -> set[tuple[str, str, str, int]]:
    return {
        (route.queues[w.start].name, route.processes[w.end].name, route.processes[w.end].detail, w.count)
        for w in route.consumers
    }


def test_a_vhost_is_folded_to_families_and_programs_and_nothing_is_lost(store: Store) -> None:
    fill(store, 30)
    (route,) = routes(store.reader())
    assert ways(route) == {
        ("nova", "conductor", "conductor", 1),
        ("nova", "compute.*", "compute.host-0, compute.host-1 + 28 more", 30),
        ("compute_fanout", "compute_fanout_*", "", 30),
        (DEFAULT_EXCHANGE, "reply_*", "", 0),
    }
    assert taken(route) == {
        ("conductor", "nova-conductor", "", 1), ("conductor", "no name", "", 1), ("compute.*", "nova-compute", "", 30),
        ("compute_fanout_*", "nova-compute", "", 30), ("reply_*", "nova-compute", "", 30),
    }  # fmt: skip
    assert {spot.name: spot.count for spot in route.queues}["compute.*"] == 30
    assert {spot.name: spot.detail for spot in route.exchanges}["nova"] == "topic"
    assert (route.elsewhere, route.left_out) == (1, 0)


def test_one_queue_shows_who_consumes_it_by_name_and_host(store: Store) -> None:
    fill(store, 30)
    (route,) = routes(store.reader(), "compute.host-7")
    assert ways(route) == {("nova", "compute.host-7", "compute.host-7", 1)}
    assert taken(route) == {("compute.host-7", "nova-compute:7", "host-7", 1)}
    (route,) = routes(store.reader(), "conductor")
    assert {(name, host) for _, name, host, _ in taken(route)} == {
        ("nova-conductor:1", "ctl"),
        ("10.0.0.8:1 -> 10.0.0.5:5672", ""),
    }


def test_a_family_is_shown_queue_by_queue_while_it_is_small(store: Store) -> None:
    fill(store, 3)
    (route,) = routes(store.reader(), "compute.*")
    assert [spot.name for spot in route.queues] == ["compute.host-0", "compute.host-1", "compute.host-2"]
    fill(store, 30, at_ns=START + 1)
    (route,) = routes(store.reader(), "compute.*")
    assert [(spot.name, spot.count) for spot in route.queues] == [("compute.*", 30)]


def test_each_vhost_has_its_newest_layout(store: Store) -> None:
    fill(store, 1)
    fill(store, 2, at_ns=START + 1)
    fill(store, 1, vhost="cell1")
    assert [(r.vhost, r.at_ns) for r in routes(store.reader())] == [("cell1", START), ("nova", START + 1)]
    assert [r.vhost for r in routes(store.reader(), vhost="cell1")] == ["cell1"]
    assert [r.vhost for r in routes(store.reader(), "compute.host-1")] == ["nova"]
    assert routes(store.reader(), "nothing") == []
