"""Layouts: names that may be stored, who consumes what, and one only when it is another than before."""

from __future__ import annotations

from typing import Any

from rpcscope import safe
from rpcscope.layouts import Layouts, safe_key, safe_layout
from rpcscope.model import Binding, Connection, Consumer, Exchange, Layout, QueueConsumer, Topology
from rpcscope.pipeline import Recorder
from rpcscope.rules import load_rules
from tests.support.bus import Bus
from tests.support.memory import Given, Memory


def layout(at_ns: int = 1, **words: Any) -> Layout:
    defaults: dict[str, Any] = {
        "exchanges": (Exchange(name="nova", kind="topic", durable=False),),
        "bindings": (
            Binding(exchange="nova", destination="conductor", to_queue=True, routing_key="conductor"),
            Binding(exchange="nova", destination="compute.host-1", to_queue=True, routing_key="compute.host-1"),
        ),
    }
    return Layout(at_ns=at_ns, vhost="/", **(defaults | words))


def topology(*consumers: tuple[str, str], at_ns: int = 5) -> Topology:
    """Processes by pid and queue; each has a connection of its own to each queue."""
    names = [f"10.0.0.7:{40_000 + n} -> 10.0.0.1:5672" for n in range(len(consumers))]
    return Topology(
        at_ns=at_ns,
        connections=tuple(
            Connection(name=name, client_name=f"nova-compute:{pid}:uuid", peer_host="10.0.0.7")
            for name, (pid, _) in zip(names, consumers, strict=True)
        ),
        consumers=tuple(
            Consumer(connection=name, queue=queue) for name, (_, queue) in zip(names, consumers, strict=True)
        ),
    )


def test_consumers_are_named_as_their_processes_are() -> None:
    bus = Bus()
    conductor = bus.service("nova-conductor", "conductor", "ctl")
    bus.cast(bus.service("gunicorn"), conductor, "do", request_id=bus.request_id())
    memory = Memory()
    Recorder(memory, memory.resume(), load_rules()).run(Given([layout(), bus.topology(), *bus.events]))  # type: ignore[list-item]
    [found] = [one for batch in memory.batches for one in batch.layouts]
    keys = {one.key for one in memory.processes.values() if one.host == "ctl"}
    assert {one.process for one in found.consumers if one.queue == "conductor"} == keys
    assert found.exchanges == layout().exchanges
    assert set(found.bindings) == set(layout().bindings)


def test_a_layout_is_told_again_only_when_something_in_it_has_changed() -> None:
    layouts = Layouts()
    assert layouts.take_new() == ()
    layouts.take(layout())
    assert [one.at_ns for one in layouts.take_new()] == [1]
    layouts.take(layout(2, bindings=tuple(reversed(layout().bindings))))
    assert layouts.take_new() == ()
    layouts.learn(topology(("1", "conductor"), ("1", "conductor")))
    [found] = layouts.take_new()
    assert (found.at_ns, found.consumers) == (5, (QueueConsumer(queue="conductor", process="10.0.0.7:nova-compute:1"),))
    layouts.learn(topology(("1", "conductor"), at_ns=6))
    assert layouts.take_new() == ()
    layouts.learn(topology(("1", "conductor"), ("2", "conductor"), at_ns=7))
    assert [len(one.consumers) for one in layouts.take_new()] == [2]
    layouts.take(layout(8, exchanges=()))
    assert [one.exchanges for one in layouts.take_new()] == [()]
    assert layouts.take_new() == ()


def test_who_consumes_is_kept_for_a_layout_that_comes_later() -> None:
    layouts = Layouts()
    layouts.learn(topology(("1", "conductor")))
    assert layouts.take_new() == ()
    layouts.take(layout())
    assert [len(one.consumers) for one in layouts.take_new()] == [1]


def test_a_consumer_whose_process_is_not_known_is_named_by_its_connection() -> None:
    name = "10.0.0.7:40000 -> 10.0.0.1:5672"
    layouts = Layouts()
    layouts.learn(Topology(at_ns=1, connections=(), consumers=(Consumer(connection=name, queue="q"),)))
    layouts.take(layout())
    [found] = layouts.take_new()
    assert found.consumers == (QueueConsumer(queue="q", process=name),)


def test_hostile_names_become_digests() -> None:
    odd = "PS7q \u202e<b>"
    safe_one = safe_layout(
        layout(
            exchanges=(Exchange(name=odd, kind=odd, durable=True),),
            bindings=(Binding(exchange=odd, destination=odd, to_queue=False, routing_key=f"a.{odd}.#"),),
        )
    )
    assert "PS7q" not in repr(safe_one)
    assert safe_one.exchanges == (Exchange(name=safe.name(odd), kind="", durable=True),)
    assert safe_one.bindings[0].routing_key == f"a.{safe.name(odd)}.#"


def test_wildcards_of_routing_keys_stay() -> None:
    for key in ("#", "*.info", "publish.#", "compute.*.host-1", "", "compute.host-1"):
        assert safe_key(key) == key
    assert len(safe_key("." * 100_000)) < 100
