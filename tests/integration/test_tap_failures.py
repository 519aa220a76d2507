"""The tap when things break: its own process, the broker, the caller's store, the broker's memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rpcscope.model import GapCause, Observation, Sighting
from rpcscope.private_broker import PrivateBroker
from rpcscope_collectors.tap import Tap
from rpcscope_collectors.transport import from_transport_url
from tests.support.rabbitmq import Cloud
from tests.support.tapping import (
    GIVE_UP_S,
    bodies,
    cast,
    gaps,
    last_of,
    observations,
    service,
    sightings_until,
)

pytestmark = pytest.mark.server

RECORDER = """
import json, sys, time
from rpcscope.model import Observation
from rpcscope_collectors.tap import Tap
from rpcscope_collectors.transport import from_transport_url
with Tap(from_transport_url(sys.stdin.readline().strip())) as tap:
    for batch in tap.batches(max_wait_s=0.1):
        for each in batch:
            if isinstance(each, Observation) and each.body and each.routing_key == "publish.":
                print(json.loads(each.body)["n"], flush=True)
"""


def test_a_killed_recorder_loses_nothing_and_all_it_had_comes_back_flagged(cloud: Cloud) -> None:
    cloud.management.set_tracing(cloud.vhost, True)
    recorder = subprocess.Popen(
        [sys.executable, "-c", RECORDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert recorder.stdin is not None
    assert recorder.stdout is not None
    recorder.stdin.write(cloud.server.transport_url(cloud.vhost) + "\n")
    recorder.stdin.flush()
    with service(cloud, "conductor") as channel:
        deadline = time.monotonic() + GIVE_UP_S
        while "rpcscope.tap.default" not in cloud.management.queues(cloud.vhost) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1)
        for n in range(300):
            cast(channel, "conductor", n)
        assert "299\n" in iter(recorder.stdout.readline, "")
        recorder.kill()
        recorder.communicate()
        for n in range(300, 400):
            cast(channel, "conductor", n)
        with Tap(cloud.broker) as tap:
            seen = sightings_until(tap, last_of("publish.", 399))
    assert bodies(seen, "publish.") == list(range(400))
    flags = [each.redelivered for each in observations(seen) if each.body and each.routing_key == "publish."]
    assert all(flags[:300])


def test_a_broker_that_restarts_is_recorded_again_and_the_gap_is_told(breakable: Cloud) -> None:
    tap = Tap(breakable.broker, managements=[breakable.management], tracing=breakable.tracing())
    with tap:
        with service(breakable, "conductor") as channel:
            cast(channel, "conductor", 1)
            sightings_until(tap, last_of("publish.", 1))
        down_ns = time.time_ns()
        breakable.server.stop()
        batches = tap.batches(max_wait_s=0.05)
        assert [] in [next(batches) for _ in range(20)]
        breakable.server.start()
        up_ns = time.time_ns()
        seen = sightings_until(
            tap, lambda seen: bool(gaps(seen, GapCause.DISCONNECTED) and gaps(seen, GapCause.NOT_TRACED))
        )
        with service(breakable, "conductor") as channel:
            cast(channel, "conductor", 2)
            seen += sightings_until(tap, last_of("publish.", 2))
    (gap,) = gaps(seen, GapCause.DISCONNECTED)
    assert gap.from_ns <= down_ns + 10**9
    assert gap.to_ns >= up_ns - 10**9
    assert gaps(seen, GapCause.DROPPED) == []
    assert not breakable.is_traced()


def test_a_broker_that_is_killed_is_recorded_again(breakable: Cloud) -> None:
    tap = Tap(breakable.broker, managements=[breakable.management], tracing=breakable.tracing())
    with tap:
        sightings_until(tap, bool)
        breakable.server.kill()
        breakable.server.start()
        sightings_until(tap, lambda seen: bool(gaps(seen, GapCause.DISCONNECTED) and gaps(seen, GapCause.NOT_TRACED)))
        with service(breakable, "conductor") as channel:
            cast(channel, "conductor", 2)
            sightings_until(tap, last_of("publish.", 2))


def test_tags_of_an_old_connection_are_not_acknowledged_on_the_new_one(breakable: Cloud) -> None:
    with Tap(breakable.broker, tracing=breakable.tracing()) as tap:
        with service(breakable, "conductor") as channel:
            for n in range(50):
                cast(channel, "conductor", n)
        old: list[Sighting] = []
        for batch in tap.batches(max_wait_s=0.1):
            old += batch
            if 49 in bodies(old, "publish."):
                break
        breakable.server.ctl("close_all_connections", "--vhost", breakable.vhost, "test")
        tap.ack()  # of the old connection: must not take anything from the new one
        seen = sightings_until(tap, last_of("publish.", 49))
    assert bodies(seen, "publish.") == list(range(50))
    assert all(each.redelivered for each in observations(seen) if each.body and each.routing_key == "publish.")


def test_events_are_stamped_when_they_come_however_long_a_commit_takes(cloud: Cloud) -> None:
    with Tap(cloud.broker, marker_interval_s=0.1) as tap:
        batches = tap.batches(max_wait_s=0.1)
        next(batches)
        time.sleep(3)  # the caller's commit
        markers = [each for each in next(batches) if isinstance(each, Observation)]
    late = [each.at_ns - each.headers["sent-ns"] for each in markers]
    assert len(markers) > 10
    assert sorted(late)[len(late) // 2] < 10**9


def test_an_alarm_of_the_broker_does_not_keep_the_tap_from_draining_its_queue(
    breakable: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    with Tap(breakable.broker, tracing=breakable.tracing(), marker_interval_s=0.1) as tap:
        with service(breakable, "conductor") as channel:
            for n in range(200):
                cast(channel, "conductor", n)
            for batch in tap.batches(max_wait_s=0.1):
                if 199 in bodies(batch, "publish."):
                    break
            breakable.server.ctl("set_vm_memory_high_watermark", "absolute", "1")
            try:
                time.sleep(2)  # a marker is published into the alarm
                tap.ack()
                deadline = time.monotonic() + GIVE_UP_S
                while held(breakable) > MARKERS and time.monotonic() < deadline:
                    next(tap.batches(max_wait_s=0.1))
                    tap.ack()
                assert held(breakable) <= MARKERS
                while "holds publishers back" not in caplog.text and time.monotonic() < deadline:
                    time.sleep(0.1)
                assert "holds publishers back" in caplog.text
            finally:
                breakable.server.ctl("set_vm_memory_high_watermark", "absolute", "512MB")
        with service(breakable, "conductor") as channel:
            cast(channel, "conductor", 500)
            sightings_until(tap, last_of("publish.", 500))


MARKERS = 10  # each new connection gets one through before the alarm holds it


def held(cloud: Cloud) -> int:
    """Messages of the tap's queue that the broker has to keep."""
    listed = cloud.server.ctl("-s", "list_queues", "-p", cloud.vhost, "name", "messages")
    return sum(int(line.split()[1]) for line in listed.splitlines() if line.startswith("rpcscope.tap."))


def test_memory_stays_bounded_by_the_prefetch_while_the_caller_does_nothing(cloud: Cloud) -> None:
    with Tap(cloud.broker, prefetch=100, tracing=cloud.tracing()) as tap, service(cloud, "conductor") as channel:
        for n in range(2000):
            cast(channel, "conductor", n)
        deadline = time.monotonic() + GIVE_UP_S
        while tap.backlog < 100 and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)
        assert tap.backlog == 100 + 1  # the phase that it began with is no delivery


def test_it_works_on_a_broker_without_the_management_plugin(tmp_path: Path) -> None:
    with PrivateBroker(plugins=()) as server:
        server.ctl("trace_on", "-p", "/")
        cloud = Cloud(server, "/", tmp_path)
        with Tap(from_transport_url(server.transport_url())) as tap, service(cloud, "conductor") as channel:
            cast(channel, "conductor", 1)
            sightings_until(tap, last_of("publish.", 1))
