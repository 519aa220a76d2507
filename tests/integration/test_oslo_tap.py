"""The tap inside services: real oslo.messaging services under the wrapped driver, on a real broker."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rpcscope.decode import Decoder
from rpcscope.model import Event, Inside, Message, MessageKind, Observation, Outcome, Side
from rpcscope.rules import load_rules
from rpcscope_collectors.listen_address import listen_address
from rpcscope_collectors.listener import Listener
from rpcscope_collectors.tap import Tap
from tests.support import oslo_tap as inside
from tests.support.oslo_tap import oslo_messaging
from tests.support.rabbitmq import Cloud
from tests.support.tapping import observations, sightings_until

pytestmark = pytest.mark.server

REQUESTS = (MessageKind.REQUEST, MessageKind.CAST, MessageKind.FANOUT, MessageKind.NOTIFICATION)


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    address = inside.unix_address(tmp_path)
    with Listener([listen_address(address)]) as made, inside.told_to(address):
        yield made


@pytest.fixture
def url(cloud: Cloud) -> str:
    return inside.wrapped(cloud.server.transport_url(cloud.vhost))


def both_sides(method: str, calls: int = 1) -> Callable[[list[Inside]], bool]:
    """So many calls of a method have ended on both sides."""

    def enough(told: list[Inside]) -> bool:
        ended = [one for side in Side for one in inside.of(told, side, method) if one.taken_ns or one.ended_ns]
        return len(ended) >= 2 * calls

    return enough


def test_both_sides_of_a_call_are_told_with_all_their_times_in_order(listener: Listener, url: str) -> None:
    with inside.server(url), inside.transport(url) as asked:
        inside.client(asked).call(inside.context(7), "ping", arg="x")
        told = inside.heard(listener, both_sides("ping"))
    (client,), (server,) = (inside.of(told, side, "ping") for side in Side)
    times = (
        client.sent_ns, client.confirmed_ns, server.received_ns, server.started_ns, server.ended_ns,
        server.replied_ns, client.taken_ns,
    )  # fmt: skip
    assert None not in times
    # The broker confirms and delivers at once: these two may be the other way round.
    assert sorted((times[0], *times[2:5])) == [times[0], *times[2:5]]
    assert client.sent_ns < client.confirmed_ns < client.taken_ns  # type: ignore[operator]
    assert client.unique_id == server.unique_id
    assert client.msg_id == server.msg_id
    assert client.request_id == server.request_id == inside.context(7)["request_id"]
    assert (client.outcome, server.outcome) == (Outcome.OK, Outcome.OK)
    assert (client.exchange, client.topic, client.timeout_ms) == ("nova", "conductor", 30_000)
    assert client.request_bytes == server.request_bytes
    assert client.reply_bytes == server.reply_bytes
    assert client.request_bytes
    assert client.reply_bytes


def published(seen: list[Observation]) -> list[Message]:
    """Publishes of services that the firehose showed, each once."""
    decoder = Decoder(load_rules())
    messages = [decoder.decode(one) for one in seen]
    return [one for one in messages if isinstance(one, Message) and one.event is Event.PUBLISH]


def send_some_of_each(url: str) -> int:
    """Calls, failed calls, casts, fanouts, notifications, and a call with a heartbeat; how many messages that makes."""
    context = inside.context()
    with inside.server(url), inside.transport(url) as asked, inside.transport(url, notifications=True) as notified:
        rpc = inside.client(asked)
        for number in range(20):
            rpc.call(context, "ping", arg='é\\"' * number)
            inside.client(asked, server="host-1").cast(context, "note", arg="x")
        for _ in range(5):
            inside.client(asked, fanout=True).cast(context, "note", arg="x")
            with pytest.raises(KeyError):
                rpc.call(context, "fail")
            inside.notifier(notified).info({}, "instance.create.end", {"instance_id": ""})
        inside.client(asked, call_monitor_timeout=2).call(context, "slow", seconds=1.5)
    return 2 * 20 + 20 + 5 + 2 * 5 + 5 + 2 + 1


@pytest.fixture
def witnessed(cloud: Cloud, url: str) -> list[Message]:
    """Some of each are sent; the publishes that the firehose shows."""
    with closing(Tap(cloud.broker, mode="publish", tracing=cloud.tracing(), managements=[cloud.management])) as tap:
        tap.open()
        sent = send_some_of_each(url)
        return published(
            observations(sightings_until(tap, lambda seen: len(published(observations(seen))) >= sent)),
        )


def test_sends_counted_inside_equal_publishes_of_the_firehose_for_each_exchange(
    listener: Listener, witnessed: list[Message]
) -> None:
    inside.heard(listener, lambda _: sum(sent_by(listener).values()) >= len(witnessed))
    assert sent_by(listener) == Counter(message.exchange for message in witnessed)
    assert sent_by(listener) == {"nova": 51, "conductor_fanout": 5, "": 27}


def test_what_is_told_of_a_message_is_what_its_bytes_say(listener: Listener, witnessed: list[Message]) -> None:
    told = inside.heard(listener, lambda told: len(clients(told)) == 56 and len(servers(told)) == 51)
    requests = {message.unique_id: message for message in witnessed if message.kind in REQUESTS}
    assert clients(told).keys() == requests.keys()
    words = ("kind", "exchange", "topic", "server", "method", "namespace", "version", "msg_id", "request_id")
    for unique_id, message in requests.items():
        for one in filter(None, (clients(told)[unique_id], servers(told).get(unique_id))):
            assert [getattr(one, word) for word in words] == [getattr(message, word) for word in words]
            assert one.request_bytes == message.size
    replies = {message.msg_id: message.size for message in witnessed if message.kind is MessageKind.REPLY}
    for side in (clients(told), servers(told)):
        assert replies == {one.msg_id: one.reply_bytes for one in side.values() if one.msg_id}


def sent_by(listener: Listener) -> Counter[str]:
    counts: Counter[str] = Counter()
    for teller in listener.tellers():
        counts.update(teller.sent)
    return counts


def clients(told: list[Inside]) -> dict[str, Inside]:
    return {one.unique_id: one for one in told if one.side is Side.CLIENT and (one.taken_ns or not one.msg_id)}


def servers(told: list[Inside]) -> dict[str, Inside]:
    return {one.unique_id: one for one in told if one.side is Side.SERVER and one.ended_ns}


def test_a_failed_call_tells_the_class_of_its_failure_and_nothing_more(listener: Listener, url: str) -> None:
    with inside.server(url), inside.transport(url) as asked:
        with pytest.raises(KeyError):
            inside.client(asked).call(inside.context(), "fail")
        told = inside.heard(listener, both_sides("fail"))
    assert {(one.outcome, one.failure) for one in told} == {(Outcome.FAILED, "KeyError")}
    assert "PS7q" not in repr(told)


def test_a_caller_that_gives_up_tells_so(listener: Listener, url: str) -> None:
    with inside.server(url), inside.transport(url) as asked:
        with pytest.raises(oslo_messaging.MessagingTimeout):
            inside.client(asked, timeout=1).call(inside.context(), "slow", seconds=2)
        told = inside.heard(listener, both_sides("slow"))
    assert inside.of(told, Side.CLIENT, "slow")[0].outcome is Outcome.TIMED_OUT
    assert inside.of(told, Side.SERVER, "slow")[0].outcome is Outcome.OK


def test_what_goes_on_for_long_is_told_before_it_ends(listener: Listener, url: str) -> None:
    with inside.server(url), inside.transport(url) as asked:
        inside.client(asked, server="host-1").cast(inside.context(), "slow", seconds=3)
        (early,) = inside.of(inside.heard(listener, lambda told: begun(told) != []), Side.SERVER, "slow")
        assert early.ended_ns is None
        told = inside.heard(listener, lambda told: any(one.ended_ns for one in told))
    assert {one.unique_id for one in told} == {early.unique_id}


def begun(told: list[Inside]) -> list[Inside]:
    return [one for one in told if one.side is Side.SERVER and one.started_ns]


def test_a_publish_that_is_tried_again_after_a_lost_connection_tells_so(
    listener: Listener, cloud: Cloud, url: str
) -> None:
    with inside.transport(f"{url}?kombu_reconnect_delay=0.1") as asked:
        rpc = inside.client(asked, fanout=True)
        rpc.cast(inside.context(1), "note", arg="x")
        cloud.server.ctl("close_all_connections", "--vhost", cloud.vhost, "test")
        rpc.cast(inside.context(2), "note", arg="x")
        told = inside.heard(listener, lambda told: len(told) >= 2)
    assert {one.request_id: (one.retries > 0, one.reconnects > 0) for one in told} == {
        inside.context(1)["request_id"]: (False, False),
        inside.context(2)["request_id"]: (True, True),
    }


def test_a_caller_that_waits_for_a_connection_of_the_pool_tells_how_long(listener: Listener, url: str) -> None:
    """One connection, held by hand: the cast gets it when it is let go."""
    with inside.transport(f"{url}?rpc_conn_pool_size=1&conn_pool_min_size=1") as asked:
        rpc = inside.client(asked, fanout=True)
        rpc.cast(inside.context(1), "note", arg="x")
        held = asked._driver._get_connection()
        sender = threading.Thread(target=rpc.cast, args=(inside.context(2), "note"), kwargs={"arg": "x"})
        sender.start()
        time.sleep(0.5)
        held.close()
        sender.join()
        told = inside.heard(listener, lambda told: len(told) >= 2)
    waits = {one.request_id: one.pool_wait_ns or 0 for one in told}
    assert waits[inside.context(2)["request_id"]] > 400_000_000
