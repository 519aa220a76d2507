"""Queues of a real broker, by its metrics and by its management API, with what comes and goes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

import pytest

from rpcscope.errors import BrokerError
from rpcscope.model import Binding, Churn, ChurnEvent, Layout, NodeState, QueueSamples
from rpcscope.sampling import GONE, Sampler
from rpcscope_collectors.churn import ChurnTap
from rpcscope_collectors.prometheus import Prometheus
from rpcscope_collectors.queue_api import QueueApi
from rpcscope_collectors.queues import Pace, QueueTap
from tests.support.queues import Watched, wait_for, watched_broker
from tests.support.rabbitmq import Cloud

pytestmark = pytest.mark.server

HEX = "0123456789abcdef0123456789abcdef"
ODD = 'we"ird\\name é'


@contextmanager
def a_small_cloud(watched: Watched) -> Iterator[Any]:
    """Three waiting in conductor, two that a consumer does not acknowledge, an odd queue, a quorum queue, a stream."""
    connection = watched.connect()
    channel = connection.channel()
    for queue in ("conductor", "compute.host-1", f"reply_{HEX}", ODD):
        channel.queue_declare(queue)
    for kind in ("quorum", "stream"):
        channel.queue_declare(kind, durable=True, arguments={"x-queue-type": kind})
    channel.exchange_declare("nova", "topic")
    channel.queue_bind("conductor", "nova", "conductor")
    channel.basic_consume("compute.host-1", lambda *_: None)
    channel.confirm_delivery()
    for queue in ("conductor",) * 3 + ("compute.host-1",) * 2 + ("quorum",):
        channel.basic_publish("", queue, b"x")
    connection.process_data_events(0.5)
    try:
        yield channel
    finally:
        connection.close()


class Seen:
    """What a tap handed on."""

    def __init__(self) -> None:
        self.all: list[Any] = []

    def of(self, kind: type) -> list[Any]:
        return [each for each in self.all if isinstance(each, kind)]

    def queues(self) -> dict[str, Any]:
        return {q.queue: q for q in self.of(QueueSamples)[-1].samples}


def test_metrics_and_management_see_the_same_depths(watched: Watched) -> None:
    with a_small_cloud(watched):
        for words in ({"apis": [watched.api], "metrics": [watched.metrics]}, {"apis": [watched.api]}):
            seen = Seen()
            tap = QueueTap(watched.vhost, hand_on=seen.all.append, **words)

            def is_settled(tap: QueueTap = tap, seen: Seen = seen) -> bool:
                tap.poll()
                q = seen.queues().get("quorum")
                compute = seen.queues().get("compute.host-1")
                return q is not None and q.ready == 1 and q.memory is not None and compute.unacked == 2

            wait_for(is_settled)
            found = seen.queues()
            assert {(q.queue, q.ready, q.unacked, q.consumers) for q in found.values()} >= {
                ("conductor", 3, 0, 0),
                ("compute.host-1", 0, 2, 1),
                (f"reply_{HEX}", 0, 0, 0),
                (ODD, 0, 0, 0),
            }
            assert {q.type for q in found.values()} == {"classic", "quorum", "stream"}
            assert found["conductor"].node == found["quorum"].node == watched.server.node
            assert (found["conductor"].durable, found["quorum"].durable) == (False, True)
            assert found["conductor"].memory > 0


def test_what_metrics_do_not_tell_is_unknown_and_not_zero(watched: Watched) -> None:
    with a_small_cloud(watched):
        seen = Seen()
        QueueTap(watched.vhost, metrics=[watched.metrics], hand_on=seen.all.append).poll()
    (bundle,) = seen.all
    q = seen.queues()["conductor"]
    assert (q.publish_rate, q.deliver_rate, q.ack_rate, q.durable, q.type, q.node) == (None, None, None, None, "", "")
    assert (bundle.poll.source, bundle.poll.complete) == ("prometheus", False)


def test_rates_come_from_the_management_api(watched: Watched) -> None:
    with a_small_cloud(watched) as channel:

        def has_a_rate() -> bool:
            channel.basic_publish("", "conductor", b"x")
            (q,) = (q for q in watched.api.samples(watched.vhost) if q.queue == "conductor")
            return (q.publish_rate or 0) > 0

        wait_for(has_a_rate)


def test_a_poll_says_from_where_at_what_cost_and_when_the_next_is(watched: Watched) -> None:
    seen = Seen()
    tap = QueueTap(watched.vhost, apis=[watched.api], metrics=[watched.metrics], hand_on=seen.all.append)
    interval = tap.poll()
    poll = seen.of(QueueSamples)[0].poll
    assert (poll.source, poll.vhost, poll.complete, poll.interval_ns) == ("prometheus", watched.vhost, True, interval)
    assert poll.own_cpu_ns > 0
    assert poll.took_ns > 0
    assert interval == Pace().interval_ns(poll.took_ns)


def test_more_queues_than_the_api_puts_on_a_page_come_and_one_that_is_deleted_is_gone(watched: Watched) -> None:
    connection = watched.connect()
    channel = connection.channel()
    for number in range(510):
        channel.queue_declare(f"compute.host-{number}")
    seen, sampler = Seen(), Sampler()
    tap = QueueTap(watched.vhost, apis=[watched.api], hand_on=seen.all.append)
    wait_for(lambda: bool(tap.poll()) and len(seen.queues()) == 510 and seen.of(QueueSamples)[-1].poll.complete)
    (family,) = sampler.take(seen.of(QueueSamples)[-1]).families
    assert (family.family, family.queues) == ("compute.*", 510)
    channel.queue_delete("compute.host-7")
    wait_for(lambda: bool(tap.poll()) and len(seen.queues()) == 509 and seen.of(QueueSamples)[-1].poll.complete)
    gone = [q.queue for q in sampler.take(seen.of(QueueSamples)[-1]).changed if q.state == GONE]
    assert gone == ["compute.host-7"]
    connection.close()


def test_nodes_exchanges_and_bindings_are_seen(watched: Watched) -> None:
    with a_small_cloud(watched):
        seen = Seen()
        tap = QueueTap(watched.vhost, apis=[watched.api], hand_on=seen.all.append)
        tap.poll()

        def tells_of_itself() -> bool:
            tap.poll()
            return seen.of(NodeState)[-1].mem_alarm is not None  # a broker that has just begun does not know yet

        wait_for(tells_of_itself)
    node = seen.of(NodeState)[-1]
    assert (node.node, node.running, node.mem_alarm, node.disk_alarm) == (watched.server.node, True, False, False)
    assert (node.partitions, node.blocked) == ((), 0)
    assert node.disk_free > node.disk_limit > 0
    (layout,) = seen.of(Layout)  # of two polls or more: seldom
    assert ("nova", "topic") in {(e.name, e.kind) for e in layout.exchanges}
    assert layout.bindings == (
        Binding(exchange="nova", destination="conductor", to_queue=True, routing_key="conductor"),
    )


def test_bindings_are_asked_for_again_when_queues_came_and_not_else(watched: Watched) -> None:
    seen = Seen()
    tap = QueueTap(watched.vhost, apis=[watched.api], slow_s=0, hand_on=seen.all.append)
    with a_small_cloud(watched) as channel:
        tap.poll()
        tap.poll()
        assert len(seen.of(Layout)) == 1
        channel.queue_declare("scheduler")
        channel.queue_bind("scheduler", "nova", "scheduler")
        tap.poll()
        tap.poll()
        _, layout = seen.of(Layout)
    assert "scheduler" in {b.destination for b in layout.bindings}


def test_a_memory_alarm_is_seen_with_the_connections_it_blocks(watched: Watched) -> None:
    connection = watched.connect()
    channel = connection.channel()
    channel.queue_declare("conductor")
    try:
        watched.server.ctl("set_vm_memory_high_watermark", "absolute", "1MB")

        def is_blocked() -> bool:
            channel.basic_publish("", "conductor", b"x")
            connection.process_data_events(0)
            (node,) = watched.api.node_states()
            return node.mem_alarm is True and (node.blocked or 0) >= 1

        wait_for(is_blocked)
    finally:
        watched.server.ctl("set_vm_memory_high_watermark", "absolute", "512MB")
        wait_for(lambda: watched.api.node_states()[0].mem_alarm is False)
        connection.close()


def test_without_the_plugin_the_management_api_is_asked_and_it_is_said_once(
    cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    seen = Seen()
    api = QueueApi(cloud.server.management_url, cloud.server.user, cloud.server.password)
    tap = QueueTap(cloud.vhost, apis=[api], metrics=[Prometheus("http://127.0.0.1:9")], hand_on=seen.all.append)
    with caplog.at_level(logging.WARNING):
        tap.poll()
        tap.poll()
    assert [bundle.poll.source for bundle in seen.of(QueueSamples)] == ["management", "management"]
    assert [record.message for record in caplog.records] == [
        "The metrics at http://127.0.0.1:9 can not be reached: check the URL, and that the plugin rabbitmq_prometheus "
        "is enabled."
    ]


def test_no_answer_is_no_sample_and_no_end(caplog: pytest.LogCaptureFixture) -> None:
    seen = Seen()
    tap = QueueTap("/", metrics=[Prometheus("http://127.0.0.1:9")], hand_on=seen.all.append)
    with caplog.at_level(logging.WARNING):
        assert tap.poll() == tap.poll() == 5_000_000_000
    assert seen.all == []
    assert len(caplog.records) == 2


def test_what_is_no_metrics_is_told_apart(watched: Watched) -> None:
    with pytest.raises(BrokerError, match="There is no /metrics/detailed at"):
        Prometheus(watched.server.management_url).queues(watched.vhost)


def test_a_tap_polls_until_it_is_stopped_also_while_the_broker_is_away(caplog: pytest.LogCaptureFixture) -> None:
    server, url = watched_broker()
    seen = Seen()
    with server:
        api = QueueApi(server.management_url, server.user, server.password)
        pace = Pace(share=1.0, shortest_s=0.05)
        tap = QueueTap("/", apis=[api], metrics=[Prometheus(url)], pace=pace, hand_on=seen.all.append)
        tap.start()
        try:
            wait_for(lambda: len(seen.of(QueueSamples)) >= 3)
            with caplog.at_level(logging.WARNING):
                server.stop()
                wait_for(lambda: any("can not be reached" in record.message for record in caplog.records))
            server.start()
            before = len(seen.of(QueueSamples))
            wait_for(lambda: len(seen.of(QueueSamples)) > before)
        finally:
            tap.stop()
        ended = len(seen.all)
        tap.stop()
        assert len(seen.all) == ended


def test_queues_connections_and_consumers_that_come_and_go_are_told(watched: Watched) -> None:
    events: SimpleQueue[ChurnEvent] = SimpleQueue()
    tap = ChurnTap(watched.broker, hand_on=events.put)
    tap.start()
    try:
        assert tap.ready.wait(30)
        connection = watched.connect("nova-compute:7:x")
        channel = connection.channel()
        channel.queue_declare("compute.host-1")
        channel.basic_cancel(channel.basic_consume("compute.host-1", lambda *_: None))
        channel.queue_delete("compute.host-1")
        connection.close()
        seen = _until_closed(events)
    finally:
        tap.stop()
    assert [e.event for e in seen] == [
        Churn.CONNECTION_CREATED,
        Churn.QUEUE_CREATED,
        Churn.CONSUMER_CREATED,
        Churn.CONSUMER_DELETED,
        Churn.QUEUE_DELETED,
        Churn.CONNECTION_CLOSED,
    ]
    assert {e.queue for e in seen[1:5]} == {"compute.host-1"}
    assert {e.vhost for e in seen[:5]} == {watched.vhost}
    assert {e.client_name for e in (seen[0], seen[-1])} == {"nova-compute:7:x"}
    assert seen[0].connection == seen[-1].connection != ""
    assert [e.at_ns for e in seen] == sorted(e.at_ns for e in seen)


def _until_closed(events: SimpleQueue[ChurnEvent]) -> list[ChurnEvent]:
    """Events of our connection; another test's may close meanwhile, and no vhost is with that."""
    seen: list[ChurnEvent] = []
    while not seen or seen[-1].event is not Churn.CONNECTION_CLOSED:
        event = events.get(timeout=30)
        if event.vhost or event.client_name == "nova-compute:7:x":
            seen.append(event)
    return seen


def test_without_its_plugin_the_missing_events_are_told_in_a_sentence(
    cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    tap = ChurnTap(cloud.broker, retry_s=0.1, hand_on=lambda _: None)
    with caplog.at_level(logging.WARNING):
        tap.start()
        try:
            wait_for(lambda: bool(caplog.records))
        finally:
            tap.stop()
    assert {record.message for record in caplog.records} == {
        "The broker does not tell what comes and goes: enable its plugin rabbitmq_event_exchange."
    }
