"""The tap on the services' own exchanges, on a real broker that never traces."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pika
import pytest

from rpcscope.decode import Decoder
from rpcscope.errors import BrokerError
from rpcscope.model import Gap, GapCause, Message, MessageKind, Sighting
from rpcscope.private_broker import PrivateBroker
from rpcscope.rules import load_rules
from rpcscope_collectors.management import Management
from rpcscope_collectors.tap import Tap
from rpcscope_collectors.transport import Broker
from rpcscope_collectors.views import Exchanges
from tests.support.openstack import services
from tests.support.rabbitmq import Cloud, new_cloud
from tests.support.tapping import GIVE_UP_S, gaps, markers, observations, sightings_until

pytestmark = pytest.mark.server


def tap_of(cloud: Cloud, **options: Any) -> Tap:
    options.setdefault("topology_interval_s", 0.3)
    return Tap(cloud.broker, view=Exchanges(), managements=[cloud.management], **options)


@contextmanager
def bus(cloud: Cloud, topics: tuple[str, ...] = ("nova",), fanouts: tuple[str, ...] = ()) -> Iterator[Any]:
    """A service's channel, with its exchanges declared and each fanout consumed by one queue."""
    connection = cloud.connect()
    try:
        channel = connection.channel()
        for exchange in topics:
            channel.exchange_declare(exchange, "topic")
        for exchange in fanouts:
            fanout(channel, exchange)
        yield channel
    finally:
        connection.close()


def fanout(channel: Any, exchange: str) -> None:
    channel.exchange_declare(exchange, "fanout", auto_delete=True)
    queue = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(queue, exchange)


def send(channel: Any, exchange: str, key: str = "conductor", n: int = 1, properties: Any = None) -> None:
    channel.basic_publish(exchange, key, json.dumps({"n": n}).encode(), properties)


def numbers(seen: list[Sighting]) -> list[int]:
    return [json.loads(each.body)["n"] for each in observations(seen)]


def last(n: int) -> Callable[[list[Sighting]], bool]:
    return lambda seen: n in numbers(seen)


def wait_until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GIVE_UP_S
    while not what():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


def is_bound(cloud: Cloud, exchange: str, name: str = "default") -> bool:
    return (exchange, "#") in cloud.management.bindings(cloud.vhost, f"rpcscope.tap.{name}")


# ------------------------------------------------------------------ what it sees


def test_requests_casts_fanouts_and_notifications_of_oslo_messaging_are_seen_and_replies_are_not(cloud: Cloud) -> None:
    request_ids = {kind: f"req-{uuid.uuid4()}" for kind in ("call", "cast", "fanout")}
    decoder, messages = Decoder(load_rules()), list[Message]()

    def enough(seen: list[Sighting]) -> bool:
        decoded = [decoder.decode(each) for each in observations(seen)]
        messages[:] = [each for each in decoded if isinstance(each, Message)]
        return MessageKind.NOTIFICATION in {each.kind for each in messages}

    with services(cloud) as caller, tap_of(cloud) as tap:
        for kind, request_id in request_ids.items():
            getattr(caller, kind)(request_id)
        caller.notify("instance.create.end")
        sightings_until(tap, enough)
        assert not cloud.is_traced()
    assert {(each.kind, each.request_id) for each in messages} == {
        (MessageKind.REQUEST, request_ids["call"]),
        (MessageKind.CAST, request_ids["cast"]),
        (MessageKind.FANOUT, request_ids["fanout"]),
        (MessageKind.NOTIFICATION, ""),
    }
    assert len(messages) == 4
    (call,) = [each for each in messages if each.kind is MessageKind.REQUEST]
    assert (call.exchange, call.topic, call.method, call.expiration_ms) == ("nova", "scheduler", "ping", 30_000)
    assert call.reply_q.startswith("reply_")
    assert {(each.connection, each.channel, each.routed) for each in messages} == {("", 0, -1)}


def test_every_topic_exchange_and_every_fanout_of_services_is_bound_and_no_other(cloud: Cloud) -> None:
    with bus(cloud, ("nova", "neutron", "openstack"), ("compute_fanout",)) as channel:
        channel.exchange_declare("app", "direct")
        channel.exchange_declare("news", "fanout")
        with tap_of(cloud):
            bound = {exchange for exchange, _ in cloud.management.bindings(cloud.vhost, "rpcscope.tap.default")}
    assert bound == {"nova", "neutron", "openstack", "compute_fanout"}


def test_an_exchange_that_comes_later_is_seen_from_the_next_look_on_and_the_time_before_is_a_gap(cloud: Cloud) -> None:
    with bus(cloud) as channel, tap_of(cloud) as tap:
        began = time.time_ns()
        fanout(channel, "agent_fanout")
        wait_until(lambda: is_bound(cloud, "agent_fanout"))
        send(channel, "agent_fanout", "", 5)
        seen = sightings_until(tap, last(5))
    (gap,) = gaps(seen, GapCause.NOT_TRACED)
    assert gap.from_ns <= began + 10**9
    assert began < gap.to_ns
    assert gap.note == "1 new exchange"
    (event,) = observations(seen)
    assert (event.routing_key, event.headers["routing_keys"]) == ("publish.agent_fanout", [""])


def test_an_exchange_that_was_deleted_and_made_again_is_bound_again(cloud: Cloud) -> None:
    with bus(cloud) as channel, tap_of(cloud) as tap:
        sightings_until(tap, bool)
        channel.exchange_delete("nova")
        channel.exchange_declare("nova", "topic")
        wait_until(lambda: is_bound(cloud, "nova"))
        send(channel, "nova", n=6)
        sightings_until(tap, last(6))


def test_messages_look_as_if_they_were_traced(cloud: Cloud) -> None:
    with bus(cloud) as channel, tap_of(cloud) as tap:
        send(channel, "nova", "compute.host-1", 7, pika.BasicProperties(expiration="60000", headers={"a": 1}))
        (event,) = observations(sightings_until(tap, last(7)))
    assert (event.exchange, event.routing_key) == ("amq.rabbitmq.trace", "publish.nova")
    assert event.headers == {
        "exchange_name": "nova",
        "routing_keys": ["compute.host-1"],
        "properties": {"expiration": "60000", "headers": {"a": 1}},
        "vhost": cloud.vhost,
        "node": "",
    }


# ------------------------------------------------------------------ without the management API


def test_named_exchanges_need_no_management_api(cloud: Cloud) -> None:
    tap = Tap(cloud.broker, view=Exchanges(["nova", "compute_fanout"]))
    with bus(cloud, ("nova", "neutron"), ("compute_fanout",)) as channel, tap:
        send(channel, "neutron", n=1)
        send(channel, "nova", n=2)
        send(channel, "compute_fanout", "", 3)
        seen = sightings_until(tap, last(3))
    assert numbers(seen) == [2, 3]


def test_a_named_exchange_that_is_not_there_yet_is_bound_once_it_is(cloud: Cloud) -> None:
    tap = Tap(cloud.broker, view=Exchanges(["nova", "neutron"]), topology_interval_s=0.2)
    with bus(cloud) as channel, tap:
        channel.exchange_declare("neutron", "topic")
        wait_until(lambda: is_bound(cloud, "neutron"))
        send(channel, "neutron", n=4)
        sightings_until(tap, last(4))


def test_names_of_which_none_is_there_get_a_sentence_and_leave_no_queue_in_use(cloud: Cloud) -> None:
    with pytest.raises(BrokerError, match="none of the exchanges"):
        Tap(cloud.broker, view=Exchanges(["nowa"])).open()


# ------------------------------------------------------------------ rights


TAP, MARKERS = r"^rpcscope\.tap\..*$", r"^(rpcscope\.tap\..*|amq\.default)$"


def account(cloud: Cloud, read: str) -> Broker:
    """A user who may read so much, write markers, and make the tap's queue."""
    user = f"tap-{cloud.vhost}"
    cloud.server.add_user(user, "PS7q")
    cloud.server.grant(user, cloud.vhost, configure=TAP, write=MARKERS, read=read)
    return Broker(hosts=cloud.broker.hosts, username=user, password="PS7q", vhost=cloud.vhost)


def test_it_needs_to_read_the_exchanges_and_its_queue_and_nothing_else(cloud: Cloud) -> None:
    broker = account(cloud, r"^(rpcscope\.tap\..*|nova)$")
    with bus(cloud) as channel, Tap(broker, view=Exchanges(["nova"])) as tap:
        send(channel, "nova", n=1)
        sightings_until(tap, last(1))


def test_the_tag_management_is_enough_to_find_the_exchanges(cloud: Cloud) -> None:
    user = f"look-{cloud.vhost}"
    cloud.server.add_user(user, "PS7q", tags="management")
    cloud.server.grant(user, cloud.vhost, configure="", write="", read="")
    management = Management(cloud.server.management_url, user, "PS7q")
    broker = account(cloud, r"^(rpcscope\.tap\..*|nova)$")
    with bus(cloud) as channel, Tap(broker, view=Exchanges(), managements=[management]) as tap:
        send(channel, "nova", n=1)
        sightings_until(tap, last(1))


def test_an_exchange_that_it_may_not_read_is_named(cloud: Cloud) -> None:
    broker = account(cloud, TAP)
    with bus(cloud), pytest.raises(BrokerError, match="read on nova") as caught:
        Tap(broker, view=Exchanges(["nova"])).open()
    assert "PS7q" not in str(caught.value)


def test_a_later_exchange_that_it_may_not_read_does_not_end_what_it_sees(
    cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    broker = account(cloud, r"^(rpcscope\.tap\..*|nova|agent_fanout)$")
    view = Exchanges()
    tap = Tap(broker, view=view, managements=[cloud.management], topology_interval_s=0.2)
    with bus(cloud) as channel, tap:
        channel.exchange_declare("secret", "topic")
        fanout(channel, "agent_fanout")
        wait_until(lambda: is_bound(cloud, "agent_fanout"))
        send(channel, "nova", n=1)
        send(channel, "agent_fanout", "", 2)
        seen = sightings_until(tap, lambda seen: {1, 2} <= set(numbers(seen)))
    assert gaps(seen, GapCause.DISCONNECTED) == []
    told = [each.getMessage() for each in caplog.records if "read on secret" in each.getMessage()]
    assert len(told) == 1


# ------------------------------------------------------------------ what it leaves behind


def test_at_its_end_the_queue_and_the_bindings_are_gone_and_the_exchanges_of_services_are_not(cloud: Cloud) -> None:
    with bus(cloud, fanouts=("compute_fanout",)):
        before = set(cloud.management.exchanges(cloud.vhost))
        tap = tap_of(cloud)
        tap.open()
        tap.close(delete_queue=True)
        assert set(cloud.management.exchanges(cloud.vhost)) == before
        assert not [name for name in cloud.management.queues(cloud.vhost) if name.startswith("rpcscope")]


RECORDER = """
import sys, time
from rpcscope_collectors.tap import Tap
from rpcscope_collectors.management import Management
from rpcscope_collectors.transport import from_transport_url
from rpcscope_collectors.views import Exchanges
with Tap(from_transport_url(sys.argv[1]), view=Exchanges(["nova"]), expires_s=1):
    print("open", flush=True)
    time.sleep(600)
"""


def test_after_kill_9_the_queue_expires_by_itself(cloud: Cloud) -> None:
    url = cloud.server.transport_url(cloud.vhost)
    with bus(cloud):
        recorder = subprocess.Popen([sys.executable, "-c", RECORDER, url], stdout=subprocess.PIPE)
        with recorder:
            assert recorder.stdout is not None
            assert recorder.stdout.readline() == b"open\n"
            assert cloud.management.queues(cloud.vhost)
            os.kill(recorder.pid, signal.SIGKILL)
        wait_until(lambda: not cloud.management.queues(cloud.vhost))
        assert ("nova", "topic") in cloud.management.exchanges(cloud.vhost)


@pytest.mark.parametrize("first", ["firehose", "exchanges"])
def test_a_queue_of_the_other_tap_is_bound_anew(cloud: Cloud, first: str) -> None:
    def taps() -> dict[str, Tap]:
        hose = Tap(cloud.broker, mode="publish", managements=[cloud.management])
        return {"firehose": hose, "exchanges": tap_of(cloud)}

    with bus(cloud):
        taps()[first].__enter__().close()
        (second,) = taps().keys() - {first}
        taps()[second].__enter__().close()
        bound = cloud.management.bindings(cloud.vhost, "rpcscope.tap.default")
    assert bound == ((("nova", "#"),) if second == "exchanges" else (("amq.rabbitmq.trace", "publish.#"),))


# ------------------------------------------------------------------ what it may have missed


def test_requests_that_expired_while_the_tap_was_behind_are_told_as_missed(cloud: Cloud) -> None:
    tap = tap_of(cloud, prefetch=10, marker_interval_s=0.05)
    short = pika.BasicProperties(expiration="300")
    with bus(cloud) as channel, tap:
        send(channel, "nova", n=0, properties=short)
        sightings_until(tap, last(0))
        began = time.time_ns()
        for n in range(1, 200):  # nobody acknowledges: the tap reads ten, the others wait and expire
            send(channel, "nova", n=n, properties=short)
        channel.connection.process_data_events(2)
        send(channel, "nova", n=999)
        seen = sightings_until(tap, lambda seen: bool(gaps(seen, GapCause.DROPPED)) and 999 in numbers(seen))
    told = gaps(seen, GapCause.DROPPED)
    assert {(gap.note, gap.estimate) for gap in told} == {("requests expired in the tap's queue", None)}
    assert told[0].from_ns < began
    assert len(numbers(seen)) < 200


def test_requests_that_expired_while_no_recorder_ran_are_told_as_missed(cloud: Cloud) -> None:
    with bus(cloud) as channel:
        tap_of(cloud).__enter__().close()
        send(channel, "nova", n=1, properties=pika.BasicProperties(expiration="1"))
        send(channel, "nova", n=2)
        since = time.time_ns() - 30 * 10**9
        with tap_of(cloud, resume_ns=since, marker_interval_s=0.05) as tap:
            seen = sightings_until(tap, lambda seen: bool(gaps(seen, GapCause.DROPPED)) and 2 in numbers(seen))
    assert numbers(seen) == [2]
    (gap,) = gaps(seen, GapCause.DROPPED)
    assert gap.from_ns == since
    assert gap.note == "requests expired in the tap's queue"


def test_a_recorder_that_comes_back_late_to_a_queue_that_kept_everything_tells_no_gap(cloud: Cloud) -> None:
    with bus(cloud) as channel:
        tap_of(cloud).__enter__().close()
        send(channel, "nova", n=1)
        with tap_of(cloud, resume_ns=time.time_ns() - 30 * 10**9, marker_interval_s=0.05) as tap:
            seen = sightings_until(tap, lambda seen: 1 in numbers(seen) and markers(seen) > 5)
    assert not [each for each in seen if isinstance(each, Gap)]


def test_after_the_broker_restarted_the_exchanges_that_services_declare_again_are_bound_again(tmp_path: Path) -> None:
    with PrivateBroker() as server:
        cloud = new_cloud(server, tmp_path)
        with tap_of(cloud, resume_ns=0) as tap:
            with bus(cloud) as channel:
                wait_until(lambda: is_bound(cloud, "nova"))
                send(channel, "nova", n=1)
                sightings_until(tap, last(1))
            server.restart()
            with bus(cloud) as channel:
                wait_until(lambda: is_bound(cloud, "nova"))
                send(channel, "nova", n=2)
                seen = sightings_until(tap, last(2))
    assert gaps(seen, GapCause.DISCONNECTED)
