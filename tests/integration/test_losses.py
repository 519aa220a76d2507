"""Whatever the tap's queue drops is told, also where no marker is missing; and nothing is told that was not dropped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from typing import Any

import pika
import pytest

from rpcscope.errors import BrokerError
from rpcscope.model import Gap, GapCause, QueueSamples, QueueSighting, Sighting, Topology
from rpcscope_collectors.lookout import FULL
from rpcscope_collectors.queue_api import QueueApi
from rpcscope_collectors.queues import QueueTap
from rpcscope_collectors.tap import Tap
from rpcscope_collectors.tap_queue import Limits
from rpcscope_collectors.views import Exchanges
from tests.support.rabbitmq import Cloud
from tests.support.tapping import GIVE_UP_S, bodies, cast, gaps, last_of, markers, service, sightings_until

pytestmark = pytest.mark.server
QUEUE, DROPPED = "rpcscope.tap.default", "rpcscope.tap.default.dropped"

RECORDER = """
import json, sys
from rpcscope.model import Gap, GapCause
from rpcscope_collectors.tap import Tap
from rpcscope_collectors.transport import from_transport_url
with Tap(from_transport_url(sys.argv[1]), mode="publish", prefetch=50, max_length=100, marker_interval_s=0.05) as tap:
    for batch in tap.batches(max_wait_s=0.1):
        for each in batch:
            if isinstance(each, Gap) and each.cause is GapCause.DROPPED:
                print(json.dumps([each.from_ns, each.to_ns]), flush=True)
            elif getattr(each, "body", b"") and each.routing_key == "publish.":
                print(json.loads(each.body)["n"], flush=True)
        tap.ack()
"""


@pytest.fixture(autouse=True)
def traced(cloud: Cloud) -> None:
    cloud.management.set_tracing(cloud.vhost, True)


def flood(channel: Any, first: int, count: int) -> None:
    for n in range(first, first + count):
        cast(channel, "conductor", n)
    channel.queue_declare("conductor", passive=True)  # the broker has taken them all


def wait_until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GIVE_UP_S
    while not what():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


@contextmanager
def policy(cloud: Cloud, queue: str, **rule: Any) -> Iterator[None]:
    """An operator bounds a queue further; the broker applies it a moment later."""
    where = ("-p", cloud.vhost)
    cloud.server.ctl("set_policy", *where, "--apply-to", "queues", "bound", f"^{queue}$", json.dumps(rule))
    try:
        yield
    finally:
        cloud.server.ctl("clear_policy", *where, "bound")


def kept(cloud: Cloud) -> int:
    """Events that lie in the queue beside the tap's."""
    with closing(cloud.connect()) as connection:
        return int(connection.channel().queue_declare(DROPPED, passive=True).method.message_count)


# ------------------------------------------------------------------ while a recorder runs


def test_a_recorder_that_was_stopped_past_the_bound_tells_what_it_missed(cloud: Cloud) -> None:
    """Its markers stop with it, so none of their numbers is missing."""
    url = cloud.server.transport_url(cloud.vhost)
    with (
        service(cloud, "conductor") as channel,
        subprocess.Popen(
            [sys.executable, "-c", RECORDER, url],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        ) as recorder,
    ):
        assert recorder.stdout is not None
        end = threading.Timer(GIVE_UP_S, recorder.kill)
        end.start()
        try:
            wait_until(lambda: QUEUE in cloud.management.consumed(cloud.vhost))
            flood(channel, 0, 5)
            assert "4\n" in iter(recorder.stdout.readline, "")
            os.kill(recorder.pid, signal.SIGSTOP)
            stopped_ns = time.time_ns()
            flood(channel, 5, 1000)
            went_on_ns = time.time_ns()
            os.kill(recorder.pid, signal.SIGCONT)
            seen: set[int] = set()
            told: list[list[int]] = []
            while not told or 1004 not in seen:
                line = json.loads(recorder.stdout.readline())
                (told.append(line) if isinstance(line, list) else seen.add(line))
        finally:
            end.cancel()
            recorder.kill()
    assert len(seen) < 500
    assert told[0][0] <= stopped_ns
    assert told[-1][1] >= went_on_ns


def test_an_overflow_between_two_markers_is_told_once_with_an_estimate_of_what_it_took(cloud: Cloud) -> None:
    tap = Tap(cloud.broker, mode="publish", prefetch=50, max_length=100, managements=[cloud.management],
              topology_interval_s=0.3, marker_interval_s=3600)  # fmt: skip
    with tap, service(cloud, "conductor") as channel:
        for _ in range(3):  # a loss begins at the look before the last
            beat(tap, 1)
        before_ns = time.time_ns()
        flood(channel, 0, 1000)
        after_ns = time.time_ns()
        wait_until(lambda: (tap._published(before_ns, time.time_ns()) or 0) >= 1000)  # the broker's counter is late
        seen = beat(tap, 1, lambda seen: 999 in bodies(seen, "publish."))
    (gap,) = gaps(seen, GapCause.DROPPED)
    assert gap.from_ns <= before_ns
    assert gap.to_ns >= after_ns
    assert gap.note == FULL
    lost = 1000 - len(bodies(seen, "publish."))
    assert lost >= 800
    assert gap.estimate is not None
    assert abs(gap.estimate - lost) < 300


def beat(tap: Tap, more: int, enough: Callable[[list[Sighting]], bool] = bool) -> list[Sighting]:
    """What comes until so many more markers that are sent now came back, and it is enough."""
    tap._pulse.hurry()
    return sightings_until(tap, lambda seen: markers(seen) >= more and enough(seen))


def test_a_loss_and_the_markers_that_went_with_it_are_one_gap(cloud: Cloud) -> None:
    tap = Tap(cloud.broker, mode="publish", prefetch=50, max_length=100, marker_interval_s=0.05)
    with tap, service(cloud, "conductor") as channel:
        sightings_until(tap, lambda seen: markers(seen) > 3)
        for first in range(0, 3000, 100):
            flood(channel, first, 100)
            time.sleep(0.02)  # markers come between
        seen = sightings_until(
            tap, lambda seen: 2999 in bodies(seen, "publish.") and bool(gaps(seen, GapCause.DROPPED))
        )
        seen += sightings_until(tap, lambda seen: markers(seen) > 5)
    told = gaps(seen, GapCause.DROPPED)
    assert all(one.to_ns <= other.from_ns for one, other in pairwise(told))
    assert "markers missing" in told[0].note
    assert FULL in told[0].note


def test_nothing_is_told_of_a_queue_that_holds_all_under_load(cloud: Cloud) -> None:
    with Tap(cloud.broker, mode="full", marker_interval_s=0.02) as tap, service(cloud, "conductor") as channel:
        seen: list[Sighting] = []
        for first in range(0, 5000, 500):
            flood(channel, first, 500)
            seen += sightings_until(tap, last_of("publish.", first + 499))
        seen += sightings_until(tap, lambda seen: markers(seen) > 5)
    assert bodies(seen, "publish.") == list(range(5000))
    assert not [each for each in seen if isinstance(each, Gap)]


# ------------------------------------------------------------------ while none runs


@pytest.mark.parametrize("how", ["count", "bytes", "policy"])
def test_an_overflow_while_no_recorder_ran_is_told_from_its_end_on(cloud: Cloud, how: str) -> None:
    bounds: dict[str, Any] = {"count": {"max_length": 100}, "bytes": {"max_bytes": 1000}, "policy": {}}[how]
    with service(cloud, "conductor") as channel:
        Tap(cloud.broker, mode="publish", **bounds).__enter__().close()
        since = time.time_ns()
        if how == "policy":
            with policy(cloud, QUEUE, **{"max-length": 100}):
                wait_until(
                    lambda: "bound" in cloud.server.ctl("-s", "list_queues", "-p", cloud.vhost, "name", "policy")
                )
                flood(channel, 0, 1000)
        else:
            flood(channel, 0, 1000)
        with Tap(cloud.broker, mode="publish", resume_ns=since, marker_interval_s=0.05, **bounds) as tap:
            seen = sightings_until(tap, lambda seen: 999 in bodies(seen, "publish.") and markers(seen) > 8)
    assert len(bodies(seen, "publish.")) < 1000
    (gap,) = gaps(seen, GapCause.DROPPED)
    assert gap.from_ns == since
    assert gap.note == FULL


def test_a_recorder_that_dies_before_it_stored_a_loss_leaves_it_to_the_next(cloud: Cloud) -> None:
    with service(cloud, "conductor") as channel:
        Tap(cloud.broker, mode="publish", max_length=100).__enter__().close()
        since = time.time_ns()
        flood(channel, 0, 1000)
        for _ in range(2):
            with Tap(cloud.broker, mode="publish", max_length=100, resume_ns=since, marker_interval_s=0.05) as tap:
                told: list[Gap] = []
                for batch in tap.batches(max_wait_s=0.05):  # nothing is acknowledged
                    told += gaps(batch, GapCause.DROPPED)
                    if told:
                        break
            assert told[0].from_ns == since


def test_a_loss_that_is_stored_is_not_told_again(cloud: Cloud) -> None:
    with service(cloud, "conductor") as channel:
        Tap(cloud.broker, mode="publish", max_length=100).__enter__().close()
        flood(channel, 0, 1000)
        with Tap(cloud.broker, mode="publish", max_length=100, resume_ns=1_000, marker_interval_s=0.05) as tap:
            sightings_until(tap, lambda seen: bool(gaps(seen, GapCause.DROPPED)) and 999 in bodies(seen, "publish."))
            sightings_until(tap, lambda seen: markers(seen) > 3)
        with Tap(cloud.broker, mode="publish", max_length=100, resume_ns=time.time_ns(), marker_interval_s=0.05) as tap:
            seen = sightings_until(tap, lambda seen: markers(seen) > 3)
    assert not gaps(seen, GapCause.DROPPED)


def test_of_a_time_before_the_first_recording_nothing_is_told(cloud: Cloud) -> None:
    with service(cloud, "conductor") as channel:
        Tap(cloud.broker, mode="publish", max_length=100).__enter__().close()
        flood(channel, 0, 1000)
        assert kept(cloud) == 1
        with Tap(cloud.broker, mode="publish", max_length=100, marker_interval_s=0.05) as tap:
            seen = sightings_until(tap, lambda seen: 999 in bodies(seen, "publish.") and markers(seen) > 5)
    assert not gaps(seen, GapCause.DROPPED)


def test_when_the_queue_that_keeps_what_was_dropped_is_gone_nobody_can_say_that_nothing_was(cloud: Cloud) -> None:
    Tap(cloud.broker).__enter__().close()
    with service(cloud, "conductor") as channel:
        channel.queue_delete(DROPPED)
    with Tap(cloud.broker, resume_ns=1_000) as tap:
        seen = sightings_until(tap, lambda seen: bool(gaps(seen, GapCause.DROPPED)))
    assert gaps(seen, GapCause.DROPPED)[0].from_ns == 1_000


# ------------------------------------------------------------------ the queue beside the tap's


def test_it_keeps_one_event_and_goes_with_the_taps_queue(cloud: Cloud) -> None:
    tap = Tap(cloud.broker, prefetch=10, max_length=20, marker_interval_s=3600)
    with service(cloud, "conductor") as channel:
        tap.open()
        flood(channel, 0, 500)
        assert kept(cloud) == 1
        tap.close(delete_queue=True)
    assert [name for name in cloud.management.queues(cloud.vhost) if name.startswith("rpcscope")] == []


def test_its_name_is_not_that_of_a_tap(cloud: Cloud) -> None:
    with pytest.raises(BrokerError, match=r"does not end in \.dropped"):
        Tap(cloud.broker, name="default.dropped").open()


def test_while_a_recorder_runs_it_does_not_expire(cloud: Cloud) -> None:
    with Tap(cloud.broker, expires_s=1, marker_interval_s=0.2) as tap:
        sightings_until(tap, lambda seen: markers(seen) > 15)
        assert DROPPED in cloud.management.queues(cloud.vhost)


def test_it_is_not_sampled_as_a_queue_of_services(cloud: Cloud) -> None:
    api = QueueApi(cloud.server.management_url, cloud.server.user, cloud.server.password)
    seen: list[QueueSighting] = []
    with Tap(cloud.broker):
        wait_until(lambda: DROPPED in {one.queue for one in api.samples(cloud.vhost)})
        QueueTap(cloud.vhost, apis=[api], hand_on=seen.append).poll()
    (look,) = [each for each in seen if isinstance(each, QueueSamples)]
    assert {one.queue for one in look.samples} == {QUEUE}
    assert look.poll.queues == 1


# ------------------------------------------------------------------ the broker's disk


def test_no_body_of_the_services_own_exchanges_reaches_the_brokers_disk(cloud: Cloud) -> None:
    """They send persistent messages, which a broker writes at once where the queue is durable, too."""
    secret = b"PS7q-a-token-that-must-stay-in-memory"
    persistent = pika.BasicProperties(delivery_mode=2)
    with closing(cloud.connect()) as connection:
        channel = connection.channel()
        channel.exchange_declare("nova", "topic")
        with Tap(cloud.broker, view=Exchanges(["nova"]), prefetch=200) as tap:
            for _ in range(2000):  # the tap holds some unacknowledged, others wait
                channel.basic_publish("nova", "conductor", secret, persistent)
            wait_until(lambda: tap.backlog >= 200)
            assert not is_on_disk(cloud, secret)
            keeping(channel, "durable", secret, persistent)
            wait_until(lambda: is_on_disk(cloud, secret))  # so it would have been found


def keeping(channel: Any, queue: str, body: bytes, properties: Any) -> None:
    """A durable queue, as the tap's is not."""
    channel.queue_declare(queue, durable=True)
    channel.queue_bind(queue, "nova", "#")
    channel.confirm_delivery()
    channel.basic_publish("nova", "conductor", body, properties)


def is_on_disk(cloud: Cloud, body: bytes) -> bool:
    files = [path for path in (cloud.server.folder / "data").rglob("*") if path.is_file()]
    return any(body in path.read_bytes() for path in files)


def test_a_queue_that_was_made_durable_is_used_as_it_is(cloud: Cloud) -> None:
    limits = Limits()
    with service(cloud, "conductor") as channel:
        channel.queue_declare(QUEUE, durable=True, arguments=limits.of_queue(QUEUE))
        channel.queue_declare(DROPPED, durable=True, arguments=limits.of_dropped())
        with Tap(cloud.broker, mode="publish") as tap:
            cast(channel, "conductor", 1)
            sightings_until(tap, last_of("publish.", 1))
        channel.queue_declare(QUEUE, durable=True, passive=True)


# ------------------------------------------------------------------ the end


def test_who_came_since_the_last_look_is_named_at_the_end(cloud: Cloud) -> None:
    tap = Tap(cloud.broker, managements=[cloud.management], topology_interval_s=3600)
    with tap:
        sightings_until(tap, lambda seen: any(isinstance(each, Topology) for each in seen))
        with closing(cloud.connect("nova-compute:7:late")):
            wait_until(lambda: "nova-compute:7:late" in clients(cloud.management.topology(cloud.vhost)))
            tap.stop()
            seen = [each for batch in tap.batches(max_wait_s=0.1) for each in batch]
    newest = [each for each in seen if isinstance(each, Topology)][-1]
    assert "nova-compute:7:late" in clients(newest)


def clients(topology: Topology) -> set[str]:
    return {one.client_name for one in topology.connections}


def test_without_a_management_api_the_end_waits_for_no_names(cloud: Cloud) -> None:
    with Tap(cloud.broker, marker_interval_s=3600) as tap:
        tap.stop()
        assert not [each for batch in tap.batches() for each in batch if isinstance(each, Topology)]
        assert tap.drained
