"""Who is who: connections become processes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rpcscope.model import Connection, Consumer, Process, Topology
from tests.support.bus import Bus, Service
from tests.support.memory import Memory, record


@pytest.fixture
def bus() -> Bus:
    return Bus()


def of(memory: Memory, service: Service) -> Process:
    """The process of a service, as the newest record of its key shows it."""
    key = f"{service.peer}:{service.program}:{service.pid}"
    found = [one for one in memory.processes.values() if one.key == key]
    assert found, f"{key} is not known"
    return found[0]


def keys(memory: Memory) -> set[str]:
    return {one.key for one in memory.processes.values()}


def test_the_management_api_names_the_process_of_every_connection(bus: Bus) -> None:
    client, worker = bus.service("gunicorn"), bus.service("nova-compute", "compute", "h1")
    for _ in range(3):
        bus.reply(bus.call(client, worker, "do", {}, request_id=bus.request_id(), server="h1"))
    memory = record([bus.topology(), *bus.events])
    assert keys(memory) == {f"10.0.1.1:gunicorn:{client.pid}", f"10.0.1.2:nova-compute:{worker.pid}"}
    found = of(memory, worker)
    assert (found.program, found.pid, found.peer, found.host, found.role) == (
        "nova-compute", worker.pid, "10.0.1.2", "h1", "compute",
    )  # fmt: skip
    assert found.seen_ns == bus.events[-2].at_ns


def test_a_snapshot_that_comes_later_names_what_was_seen_before(bus: Bus) -> None:
    client, worker = bus.service("gunicorn"), bus.service("nova-compute", "compute", "h1")
    rpc = bus.call(client, worker, "do", {}, request_id=bus.request_id(), server="h1")
    memory = record([*bus.events, bus.topology()])
    call = memory.call(rpc.unique_id)
    assert memory.process(call.from_process).program == "gunicorn"
    assert memory.process(call.to_process).program == "nova-compute"


def test_the_queue_that_it_consumes_tells_host_and_role_without_any_snapshot(bus: Bus) -> None:
    client, worker = bus.service("a"), bus.service("b", "compute", "h1")
    rpc = bus.call(client, worker, "do", {}, request_id=bus.request_id(), server="h1")
    memory = record(bus.events)
    found = memory.process(memory.call(rpc.unique_id).to_process)
    assert (found.host, found.role, found.program) == ("h1", "compute", "")


def test_a_queue_of_notifications_tells_no_host(bus: Bus) -> None:
    client, reader = bus.service("a"), bus.service("b")
    rpc = bus.notify(client, "instance.update", bus.request_id())
    bus.deliver(rpc, reader)
    memory = record(bus.events)
    found = memory.process(memory.call(rpc.unique_id).to_process)
    assert (found.host, found.role) == ("", "versioned_notifications")


def test_two_connections_that_share_a_reply_queue_are_one_process(bus: Bus) -> None:
    client, worker = bus.service("a", sends=2), bus.service("b", "compute", "h1")
    one = bus.call(client, worker, "do", {}, request_id=bus.request_id(), server="h1")
    two = bus.call(client, worker, "do", {}, request_id=bus.request_id(), server="h1")
    memory = record(bus.events)
    senders = [memory.process(memory.call(rpc.unique_id).from_process).key for rpc in (one, two)]
    assert senders[0] == senders[1]


def test_who_answers_a_request_is_who_was_given_it(bus: Bus) -> None:
    client, worker = bus.service("a"), bus.service("b", "compute", "h1", sends=1)
    rpc = bus.call(client, worker, "do", {}, request_id=bus.request_id(), server="h1")
    bus.reply(rpc)
    later = bus.cast(worker, client, "other", {}, request_id=bus.request_id(), topic="x", taken=False)
    memory = record(bus.events)
    sender, worked = memory.call(later.unique_id).from_process, memory.call(rpc.unique_id).to_process
    assert memory.process(sender).key == memory.process(worked).key


def test_who_answers_a_request_that_was_delivered_twice_may_be_another(bus: Bus) -> None:
    client = bus.service("a")
    first, second = bus.service("b", "compute", "h1", sends=1), bus.service("c", "compute", "h2", sends=1)
    rpc = bus.call(client, first, "do", {}, request_id=bus.request_id())
    bus.deliver(rpc, second, redelivered=True)
    bus.reply(rpc, by=second)
    bus.reply(bus.call(client, first, "do", {}, request_id=bus.request_id(), server="h1"))
    bus.reply(bus.call(client, second, "do", {}, request_id=bus.request_id(), server="h2"))
    memory = record(bus.events)
    hosts = {one.host for one in memory.processes.values()}
    assert {"h1", "h2"} <= hosts, "two computes were taken for one"


def test_snapshots_are_believed_over_guesses(bus: Bus) -> None:
    client = bus.service("a")
    first, second = bus.service("b", "compute", "h1"), bus.service("c", "compute", "h2")
    rpc = bus.call(client, first, "do", {}, request_id=bus.request_id(), server="h1")
    bus.reply(rpc, by=second)
    memory = record([bus.topology(), *bus.events])
    assert of(memory, first).id != of(memory, second).id


def test_the_same_pid_on_another_host_is_another_process(bus: Bus) -> None:
    one, two = bus.service("nova-compute", "compute", "h1"), bus.service("nova-compute", "compute", "h2")
    one.pid = two.pid = 7
    memory = record([bus.topology()])
    assert (of(memory, one).host, of(memory, two).host) == ("h1", "h2")


def test_the_same_pid_of_another_program_is_another_process(bus: Bus) -> None:
    one, two = bus.service("nova-compute", peer="10.0.0.9"), bus.service("gunicorn", peer="10.0.0.9")
    one.pid = two.pid = 7
    memory = record([bus.topology()])
    assert of(memory, one).id != of(memory, two).id


def test_a_port_that_is_used_again_belongs_to_its_new_owner(bus: Bus) -> None:
    worker, old = bus.service("w", "work", "w1"), bus.service("nova-compute", "compute", "h1")
    new = bus.service("nova-compute", "compute", "h1", peer=old.peer)
    before = bus.call(old, worker, "do", {}, request_id=bus.request_id())
    first = bus.topology([worker, old])
    new.listens, new.waits, new.sends = old.listens, old.waits, old.sends
    here = len(bus.events)
    after = bus.call(new, worker, "do", {}, request_id=bus.request_id())
    memory = record([first, *bus.events[:here], bus.topology([worker, new], at_ns=bus.now_ns), *bus.events[here:]])
    assert memory.call(before.unique_id).from_process == of(memory, old).id
    assert memory.call(after.unique_id).from_process == of(memory, new).id
    assert of(memory, new).host == "h1", "its queue was forgotten, because the old owner had the same"


def test_a_process_that_a_later_snapshot_lacks_is_gone(bus: Bus) -> None:
    client, worker = bus.service("a"), bus.service("b", "compute", "h1")
    bus.call(client, worker, "do", {}, request_id=bus.request_id(), server="h1")
    bus.wait(60)
    later = bus.topology([client], at_ns=bus.now_ns)
    memory = record([bus.topology(), *bus.events, later])
    assert of(memory, worker).gone_ns == later.at_ns
    assert of(memory, client).gone_ns is None


@pytest.mark.parametrize("snapshot", ["partial", "empty"])
def test_a_snapshot_that_shows_not_all_makes_nobody_gone(bus: Bus, snapshot: str) -> None:
    client, worker = bus.service("a"), bus.service("b", "compute", "h1")
    bus.call(client, worker, "do", {}, request_id=bus.request_id(), server="h1")
    later = bus.topology([client] if snapshot == "partial" else [], complete=snapshot == "empty")
    memory = record([bus.topology(), *bus.events, later])
    assert of(memory, worker).gone_ns is None


def test_a_process_that_speaks_again_is_not_gone(bus: Bus) -> None:
    client, worker = bus.service("a"), bus.service("b", "compute", "h1")
    bus.call(client, worker, "do", {}, request_id=bus.request_id(), server="h1")
    gone, here = bus.topology([client], at_ns=bus.now_ns), len(bus.events)
    bus.wait(1)
    bus.call(client, worker, "do", {}, request_id=bus.request_id(), server="h1")
    memory = record([bus.topology(), *bus.events[:here], gone, *bus.events[here:]])
    assert of(memory, worker).gone_ns is None


def test_a_process_is_known_again_after_a_restart_of_the_recorder(bus: Bus) -> None:
    client, worker = bus.service("a"), bus.service("b", "compute", "h1")
    first = bus.call(client, worker, "do", {}, request_id=bus.request_id(), server="h1")
    memory, here = record([bus.topology(), *bus.events]), len(bus.events)
    second = bus.call(client, worker, "do", {}, request_id=bus.request_id(), server="h1")
    record([bus.topology(), *bus.events[here:]], into=memory)
    assert memory.call(first.unique_id).to_process == memory.call(second.unique_id).to_process


@pytest.mark.parametrize("name", ["", "nova-compute", "nova-compute:", "nova-compute:x:y", "a:9999999999999:u", ":7:u"])
def test_a_connection_name_of_another_shape_names_nobody(bus: Bus, name: str) -> None:
    client, worker = bus.service("a"), bus.service("b", "compute", "h1")
    rpc = bus.call(client, worker, "do", {}, request_id=bus.request_id(), server="h1")
    known = bus.topology()
    connections = tuple(replace(one, client_name=name) for one in known.connections)
    memory = record([replace(known, connections=connections), *bus.events])
    found = memory.process(memory.call(rpc.unique_id).to_process)
    assert (found.program, found.host) == ("", "h1")


def test_hostile_names_of_a_snapshot_leave_nothing_but_digests() -> None:
    evil = "\u202eevil\x00" * 2000
    connection = Connection(name=evil, client_name=f"{evil}:1:u", peer_host=evil)
    topology = Topology(at_ns=0, connections=(connection,), consumers=(Consumer(connection=evil, queue=evil),))
    memory = record([topology])
    assert memory.processes
    for one in memory.processes.values():
        text = f"{one.key}{one.program}{one.host}{one.role}{one.peer}"
        assert text.isascii()
        assert "evil" not in text
        assert len(text) < 200
