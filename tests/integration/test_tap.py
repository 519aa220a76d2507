"""The tap on a real broker: what each mode sees, what it proves, whom it refuses."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from typing import Any

import pika
import pytest

from rpcscope.errors import BrokerError
from rpcscope.model import GapCause, Observation, Sighting, Topology
from rpcscope.private_broker import PrivateBroker
from rpcscope_collectors.bindings import Mode
from rpcscope_collectors.management import Management
from rpcscope_collectors.tap import Tap
from rpcscope_collectors.transport import Broker
from tests.support.rabbitmq import Cloud
from tests.support.tapping import GIVE_UP_S, bodies, cast, gaps, keys, last_of, observations, service, sightings_until

pytestmark = pytest.mark.server
QUEUES = ("conductor", "compute.host.domain", "reply_1", "compute_fanout_1", "odd-1.1", "odd-1.1_fanout_2")


@pytest.mark.parametrize(
    ("mode", "delivered"),
    [
        ("publish", set()),
        ("control", {"conductor", "compute.host.domain", "odd-1.1"}),
        ("full", set(QUEUES)),
    ],
)
def test_each_mode_sees_every_publish_and_the_deliveries_it_promises(
    cloud: Cloud, mode: Mode, delivered: set[str]
) -> None:
    tap = Tap(cloud.broker, mode=mode, managements=[cloud.management], tracing=cloud.tracing())
    with service(cloud, *QUEUES) as channel, tap:
        sightings_until(tap, lambda seen: any(isinstance(each, Topology) for each in seen))
        time.sleep(0.5)  # the reader binds what the poll has found
        for queue in QUEUES:
            cast(channel, queue)
        channel.connection.process_data_events(0.5)
        cast(channel, "conductor", 99)
        seen = sightings_until(tap, last_of("publish.", 99))
    assert keys(seen).count("publish.") == len(QUEUES) + 1
    assert {key.removeprefix("deliver.") for key in keys(seen) if key.startswith("deliver.")} == delivered


def test_control_mode_knows_the_usual_queues_without_the_management_api(cloud: Cloud) -> None:
    with service(cloud, *QUEUES) as channel:
        tracing = cloud.tracing()
        with Tap(cloud.broker, tracing=tracing) as tap:
            for queue in QUEUES:
                cast(channel, queue)
            channel.connection.process_data_events(0.5)
            cast(channel, "conductor", 99)
            channel.connection.process_data_events(0.5)
            seen = sightings_until(tap, last_of("deliver.conductor", 99))
    assert {key for key in keys(seen) if key.startswith("deliver.")} == {
        "deliver.conductor",
        "deliver.compute.host.domain",
    }


def test_an_observation_is_the_trace_message_as_the_broker_sent_it(cloud: Cloud) -> None:
    before = time.time_ns()
    with Tap(cloud.broker, tracing=cloud.tracing()) as tap, service(cloud, "conductor") as channel:
        cast(channel, "conductor", 7, pika.BasicProperties(expiration="60000"))
        seen = sightings_until(tap, last_of("publish.", 7))
    (event,) = [each for each in observations(seen) if each.body == b'{"n": 7}' and each.routing_key == "publish."]
    assert event.exchange == "amq.rabbitmq.trace"
    assert event.headers["vhost"] == cloud.vhost
    assert event.headers["routed_queues"] == ["conductor"]
    assert event.headers["properties"] == {"expiration": "60000"}
    assert event.size == len(event.body)
    assert before <= event.at_ns <= time.time_ns()
    assert not event.redelivered


def test_sequence_numbers_run_and_times_never_go_back(cloud: Cloud) -> None:
    with Tap(cloud.broker, tracing=cloud.tracing()) as tap, service(cloud, "conductor") as channel:
        for n in range(500):
            cast(channel, "conductor", n)
        seen = sightings_until(tap, last_of("publish.", 499))
    events = [each for each in seen if isinstance(each, Observation)]
    assert [each.seq for each in events] == list(range(1, len(events) + 1))
    assert [each.at_ns for each in events] == sorted(each.at_ns for each in events)


def test_markers_come_back_and_tell_the_lag(cloud: Cloud) -> None:
    with Tap(cloud.broker, marker_interval_s=0.05) as tap:
        seen = sightings_until(tap, lambda seen: len(seen) >= 5)
        assert tap.lag_s is not None
    markers = [each for each in seen if isinstance(each, Observation)]
    assert {(each.exchange, each.routing_key, each.body) for each in markers} == {("", "rpcscope.tap.default", b"")}
    assert [each.headers["rpcscope-marker"] for each in markers] == list(range(1, len(markers) + 1))
    assert gaps(seen, GapCause.DROPPED) == []


def test_a_queue_that_dropped_its_head_is_found_out_by_the_markers(cloud: Cloud) -> None:
    tap = Tap(
        cloud.broker,
        prefetch=50,
        max_length=100,
        marker_interval_s=0.05,
        managements=[cloud.management],
        topology_interval_s=0.5,
        tracing=cloud.tracing(),
    )
    with tap, service(cloud, "conductor") as channel:
        sightings_until(tap, lambda seen: sum(isinstance(each, Topology) for each in seen) > 3)
        began = time.time_ns()
        for n in range(3000):  # nobody acknowledges meanwhile, so the tap reads 50 and the queue keeps 100
            cast(channel, "conductor", n)
        channel.connection.process_data_events(3)
        seen = sightings_until(tap, lambda seen: bool(gaps(seen, GapCause.DROPPED)))
    (gap, *_) = gaps(seen, GapCause.DROPPED)
    assert began - 10**9 < gap.from_ns < gap.to_ns < time.time_ns()
    assert len(bodies(seen, "publish.")) < 3000
    assert gap.estimate is None or gap.estimate > 0


def test_a_second_recorder_of_the_same_name_is_refused(cloud: Cloud) -> None:
    with Tap(cloud.broker), pytest.raises(BrokerError, match="Another recorder consumes"):
        Tap(cloud.broker).open()


def test_two_taps_of_different_names_see_the_same(cloud: Cloud) -> None:
    one, two = Tap(cloud.broker, name="one", tracing=cloud.tracing()), Tap(cloud.broker, name="two", beside=True)
    with one, two, service(cloud, "conductor") as channel:
        cast(channel, "conductor", 5)
        for tap in (one, two):
            sightings_until(tap, last_of("publish.", 5))


def test_what_was_not_acknowledged_comes_again_flagged(cloud: Cloud) -> None:
    with service(cloud, "conductor") as channel:
        with Tap(cloud.broker, tracing=cloud.tracing()) as tap:
            for n in range(100):
                cast(channel, "conductor", n)
            for batch in tap.batches(max_wait_s=0.1):
                if 99 in bodies(batch, "publish."):
                    break
        with Tap(cloud.broker) as tap:
            seen = sightings_until(tap, last_of("publish.", 99))
    again = [each for each in observations(seen) if each.routing_key == "publish." and each.body]
    assert len(again) == 100
    assert all(each.redelivered for each in again)


def test_what_was_acknowledged_does_not_come_again(cloud: Cloud) -> None:
    with service(cloud, "conductor") as channel:
        with Tap(cloud.broker, tracing=cloud.tracing()) as tap:
            cast(channel, "conductor", 1)
            sightings_until(tap, last_of("publish.", 1))
        with Tap(cloud.broker, tracing=cloud.tracing()) as tap:
            cast(channel, "conductor", 2)
            seen = sightings_until(tap, last_of("publish.", 2))
    assert bodies(seen, "publish.") == [2]


def test_stop_hands_out_what_was_read_and_ends(cloud: Cloud) -> None:
    with Tap(cloud.broker, tracing=cloud.tracing()) as tap, service(cloud, "conductor") as channel:
        for n in range(200):
            cast(channel, "conductor", n)
        deadline = time.monotonic() + GIVE_UP_S
        while tap.backlog < 200 and time.monotonic() < deadline:
            time.sleep(0.01)
        tap.stop()
        handed = [each for batch in tap.batches(max_events=50) for each in batch]
    assert len(handed) >= 200


def test_a_signal_handler_may_stop_the_tap(cloud: Cloud) -> None:
    with Tap(cloud.broker, marker_interval_s=0.05) as tap:
        before = signal.signal(signal.SIGUSR1, lambda *_: tap.stop())
        try:
            for batch in tap.batches(max_wait_s=0.1):
                if batch:
                    os.kill(os.getpid(), signal.SIGUSR1)
        finally:
            signal.signal(signal.SIGUSR1, before)


def test_empty_batches_move_the_callers_clocks(cloud: Cloud) -> None:
    with Tap(cloud.broker, marker_interval_s=3600) as tap:
        batches = tap.batches(max_wait_s=0.05)
        assert [] in [next(batches) for _ in range(3)]


def test_closing_keeps_the_queue_unless_it_is_to_go(cloud: Cloud) -> None:
    tap = Tap(cloud.broker)
    tap.open()
    tap.close()
    assert cloud.management.queues(cloud.vhost) == ("rpcscope.tap.default", "rpcscope.tap.default.dropped")
    tap = Tap(cloud.broker)
    tap.open()
    tap.close(delete_queue=True)
    assert cloud.management.queues(cloud.vhost) == ()


def test_a_queue_of_another_mode_is_bound_anew(cloud: Cloud) -> None:
    for mode in ("full", "publish"):
        Tap(cloud.broker, mode=mode).__enter__().close()
    assert cloud.management.bindings(cloud.vhost, "rpcscope.tap.default") == (("amq.rabbitmq.trace", "publish.#"),)


def test_a_queue_with_other_limits_gets_a_sentence(cloud: Cloud) -> None:
    Tap(cloud.broker).__enter__().close()
    with pytest.raises(BrokerError, match="exists with other limits"):
        Tap(cloud.broker, max_length=7).open()


def test_a_recorder_that_comes_back_to_no_queue_says_since_when_it_was_blind(cloud: Cloud) -> None:
    with Tap(cloud.broker, resume_ns=1_000) as tap:
        seen = sightings_until(tap, bool)
    (gap,) = gaps(seen, GapCause.DISCONNECTED)
    assert gap.from_ns == 1_000


def test_a_deleted_tap_queue_is_made_again_and_the_gap_is_told(cloud: Cloud) -> None:
    with Tap(cloud.broker, tracing=cloud.tracing()) as tap, service(cloud, "conductor") as channel:
        sightings_until(tap, bool)
        channel.queue_delete("rpcscope.tap.default")
        sightings_until(tap, lambda seen: bool(gaps(seen, GapCause.DISCONNECTED)))
        cast(channel, "conductor", 3)
        sightings_until(tap, last_of("publish.", 3))


def test_headers_that_pika_can_not_read_do_not_end_the_tap(cloud: Cloud) -> None:
    with Tap(cloud.broker, tracing=cloud.tracing()) as tap, service(cloud, "conductor") as channel:
        cast(channel, "conductor", 1, pika.BasicProperties(timestamp=10**15))  # microseconds: the year 31690
        cast(channel, "conductor", 2)
        seen = sightings_until(tap, last_of("publish.", 2))
    assert bodies(seen, "publish.") == [1, 2]
    assert gaps(seen, GapCause.DISCONNECTED) == []


def test_topology_names_the_processes_and_what_they_consume(cloud: Cloud) -> None:
    def complete(seen: list[Sighting]) -> bool:
        return any(
            isinstance(each, Topology)
            and any(one.client_name == "nova-compute:1:test" for one in each.connections)
            and any(one.queue == "conductor" for one in each.consumers)
            for each in seen
        )

    with service(cloud, "conductor"):
        tap = Tap(cloud.broker, managements=[cloud.management], topology_interval_s=0.5)
        with tap:
            seen = sightings_until(tap, complete)
    last = [each for each in seen if isinstance(each, Topology)][-1]
    names = {each.name: each for each in last.connections}
    (consumer,) = [each for each in last.consumers if each.queue == "conductor"]
    assert names[consumer.connection].peer_host == "127.0.0.1"
    assert last.complete


def test_a_management_api_that_is_away_is_a_warning_and_no_end(cloud: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    away = Management("http://127.0.0.1:1", "nova", "PS7q")
    tap = Tap(cloud.broker, managements=[away], tracing=cloud.tracing())
    with tap, service(cloud, "conductor") as channel:
        time.sleep(2.5)
        cast(channel, "conductor", 4)
        sightings_until(tap, last_of("publish.", 4))
    assert [each.getMessage() for each in caplog.records if "127.0.0.1:1 can not be reached" in each.getMessage()]
    assert sum("127.0.0.1:1 can not be reached" in each.getMessage() for each in caplog.records) == 1
    assert "PS7q" not in caplog.text


def account(cloud: Cloud, **rights: str) -> Broker:
    """A user of the vhost with these rights and no others."""
    cloud.server.add_user(f"user-{cloud.vhost}", "PS7q")
    if rights:
        cloud.server.grant(f"user-{cloud.vhost}", cloud.vhost, **{"configure": "", "write": "", "read": "", **rights})
    (host,) = cloud.broker.hosts
    return Broker(hosts=(host,), username=f"user-{cloud.vhost}", password="PS7q", vhost=cloud.vhost)


TAP, MARKERS = r"^rpcscope\.tap\..*$", r"^(rpcscope\.tap\..*|amq\.default)$"
HOSE = r"^(rpcscope\.tap\..*|amq\.rabbitmq\.trace)$"


def test_a_tap_needs_no_more_rights_than_it_says(cloud: Cloud) -> None:
    tap = Tap(account(cloud, configure=TAP, write=MARKERS, read=HOSE), tracing=cloud.tracing())
    with tap, service(cloud, "conductor") as channel:
        cast(channel, "conductor", 1)
        sightings_until(tap, last_of("publish.", 1))


@pytest.mark.parametrize(
    ("rights", "sentence"),
    [
        ({}, "may not use vhost"),
        ({"write": MARKERS, "read": HOSE}, "configure on rpcscope.tap"),
        ({"configure": TAP, "write": r"^amq\.default$", "read": HOSE}, "binding needs write on rpcscope.tap"),
        ({"configure": TAP, "write": MARKERS, "read": TAP}, "read on amq.rabbitmq.trace"),
        ({"configure": TAP, "write": MARKERS, "read": r"^amq\.rabbitmq\.trace$"}, "read on rpcscope.tap"),
        ({"configure": TAP, "write": TAP, "read": HOSE}, "write on amq.default"),
    ],
)
def test_a_missing_right_is_named(cloud: Cloud, rights: dict[str, str], sentence: str) -> None:
    with pytest.raises(BrokerError, match=sentence) as caught, Tap(account(cloud, **rights)):
        pass
    assert "PS7q" not in str(caught.value)
    assert not cloud.management.queues(cloud.vhost)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"password": "PS7q"}, "check user and password"),
        ({"vhost": "nowhere"}, "has no vhost nowhere"),
        ({"hosts": (("127.0.0.1", 1),)}, "Connection refused"),
        ({"hosts": (("no-such-host.invalid", 5672),)}, "no such host"),
    ],
)
def test_a_broker_that_does_not_take_us_gets_a_sentence(cloud: Cloud, changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BrokerError, match=sentence) as caught:
        Tap(replace(cloud.broker, **changed)).open()
    assert "PS7q" not in str(caught.value)


def test_what_is_no_broker_gets_a_sentence(rabbitmq: PrivateBroker) -> None:
    with pytest.raises(BrokerError, match="can not be reached"):
        Tap(Broker(hosts=(("127.0.0.1", rabbitmq.management_port),))).open()


def test_the_first_host_that_answers_is_taken(cloud: Cloud) -> None:
    broker = replace(cloud.broker, hosts=(("127.0.0.1", 1), *cloud.broker.hosts))
    with Tap(broker) as tap:
        assert sightings_until(tap, bool)
