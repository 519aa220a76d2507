"""A tap whose view changes while things break: rights, alarms, connections, its own process."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from rpcscope.model import TapPhase
from rpcscope.store import open_store
from rpcscope_collectors.tap import Tap
from rpcscope_collectors.transport import Broker
from rpcscope_collectors.views import Exchanges, Nothing, Traced
from tests.support.queues import wait_for
from tests.support.rabbitmq import Cloud
from tests.support.switching import VIEWS, Recorded, flowing, several
from tests.support.tapping import observations, sightings_until
from tests.support.traffic import Traffic

pytestmark = pytest.mark.server


def test_what_the_broker_does_not_let_it_see_is_said_and_the_tap_stays_as_it_is(
    cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    user = f"user-{cloud.vhost}"
    cloud.server.add_user(user, "PS7q")
    markers = r"^(rpcscope\.tap\..*|amq\.default)$"
    read = r"^(rpcscope\.tap\..*|nova)$"
    cloud.server.grant(user, cloud.vhost, configure=r"^rpcscope\.tap\..*$", write=markers, read=read)
    broker = Broker(hosts=cloud.broker.hosts, username=user, password="PS7q", vhost=cloud.vhost)
    traffic = Traffic(cloud)
    traffic.play(1)
    with Tap(broker, view=Exchanges(["nova"]), marker_interval_s=0.1) as tap:
        sightings_until(tap, lambda seen: len(seen) > 2)
        tap.change(Traced("control"), "test")
        wait_for(lambda: "The tap stays in mode bindings" in caplog.text)
        traffic.play(1)
        seen = sightings_until(tap, lambda seen: sum(len(each.body) > 0 for each in observations(seen)) >= 2)
        assert tap.mode == "bindings"
    assert not [each for each in seen if isinstance(each, TapPhase)]
    assert "read on amq.rabbitmq.trace" in caplog.text
    assert "PS7q" not in caplog.text


def is_bound_by_nothing(cloud: Cloud) -> bool:
    return cloud.management.bindings(cloud.vhost, "rpcscope.tap.default") == ()


def test_it_lets_go_though_an_alarm_holds_its_markers_back(breakable: Cloud) -> None:
    with Tap(breakable.broker, mode="full", tracing=breakable.tracing(), marker_interval_s=0.1) as tap:
        sightings_until(tap, bool)
        breakable.server.ctl("set_vm_memory_high_watermark", "absolute", "1")
        try:
            wait_for(lambda: tap.blocked is True, within_s=60)
            tap.change(Nothing(), "ceiling: test")
            seen = sightings_until(tap, lambda seen: any(isinstance(each, TapPhase) for each in seen))
            wait_for(lambda: is_bound_by_nothing(breakable))
        finally:
            breakable.server.ctl("set_vm_memory_high_watermark", "absolute", "512MB")
    assert [(each.mode, each.why) for each in seen if isinstance(each, TapPhase)] == [("off", "ceiling: test")]


def test_a_connection_that_is_lost_while_the_view_changes_ends_in_the_new_view(breakable: Cloud) -> None:
    traffic = Traffic(breakable)
    traffic.play(1)
    tap = Tap(breakable.broker, view=Exchanges(["nova"]), managements=[breakable.management], marker_interval_s=0.1)
    with tap:
        sightings_until(tap, bool)
        tap.change(Traced("publish"), "test")
        breakable.server.ctl("close_all_connections", "--vhost", breakable.vhost, "test")
        sightings_until(tap, lambda seen: any(isinstance(each, TapPhase) and each.why == "test" for each in seen))
        wait_for(
            lambda: (
                breakable.management.bindings(breakable.vhost, "rpcscope.tap.default")
                == (("amq.rabbitmq.trace", "publish.#"),)
            ),
            within_s=60,
        )
        assert tap.mode == "publish"


RESTLESS = """
import json, sys
from pathlib import Path
from rpcscope.store import open_store
from rpcscope_collectors.management import Management
from rpcscope_collectors.tap import Tap
from rpcscope_collectors.tracing import Tracing
from rpcscope_collectors.transport import from_transport_url
from tests.support.switching import VIEWS, Recorded, go_to
given = json.load(sys.stdin)
broker = from_transport_url(given["url"])
managements = [Management(given["management"], broker.username, broker.password)]
tracing = Tracing(managements, broker.vhost, given["state"])
tap = Tap(broker, view=VIEWS["bindings"](), managements=managements, tracing=tracing, marker_interval_s=0.2)
with open_store(given["db"], create=True) as store, tap:
    recorded = Recorded(store, tap, "bindings")
    with recorded.running():
        print("open", flush=True)
        while True:
            go_to("control", tap, tracing, recorded)
            go_to("bindings", tap, tracing, recorded)
"""


def restless(cloud: Cloud, db: Path) -> subprocess.Popen[str]:
    """A recorder of another process that changes its view all the time."""
    child = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", RESTLESS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert child.stdin is not None
    assert child.stdout is not None
    url, management = cloud.server.transport_url(cloud.vhost), cloud.server.management_url
    given = {"url": url, "management": management, "state": str(cloud.state_dir), "db": str(db)}
    child.stdin.write(json.dumps(given))
    child.stdin.close()
    child.stdin = None
    assert child.stdout.readline() == "open\n"
    return child


@pytest.mark.parametrize(("kills", "seed"), [(2, 1), pytest.param(10, 2, marks=pytest.mark.long)])
def test_a_recorder_that_is_killed_while_its_view_changes_loses_nothing_and_counts_nothing_twice(
    cloud: Cloud, tmp_path: Path, kills: int, seed: int
) -> None:
    traffics = several(cloud)
    db, chance = tmp_path / "store.db", random.Random(seed)
    child = restless(cloud, db)
    with flowing(*traffics):
        for kill in range(kills):
            time.sleep(chance.uniform(0.5, 2.0))
            child.kill()
            child.communicate()
            if kill + 1 < kills:
                child = restless(cloud, db)
    tap = Tap(cloud.broker, view=VIEWS["bindings"](), managements=[cloud.management], marker_interval_s=0.2)
    with open_store(str(db)) as store:
        with tap:
            recorded = Recorded(store, tap, "bindings")
            with recorded.running():
                wait_for(lambda: bool(recorded.phases), within_s=60)
        sent = sum(2 * len(traffic.request_ids) for traffic in traffics)
        calls = recorded.rpcs()
        assert len({call.unique_id for call in calls}) == sent
        publishes = Counter[str]()
        for call in calls:
            publishes[call.unique_id] += call.publishes
        assert set(publishes.values()) == {1}
        assert store.reader().gaps() == []
