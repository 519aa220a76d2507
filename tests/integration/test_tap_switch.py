"""A tap that changes its view while messages flow: every publish is counted once, whatever the way it came."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from rpcscope.model import Flag, TapPhase
from rpcscope.store import open_store
from rpcscope_collectors.tap import Tap
from rpcscope_collectors.views import Nothing, Traced
from tests.support.queues import wait_for
from tests.support.rabbitmq import Cloud
from tests.support.switching import VIEWS, Recorded, flowing, go_to, several
from tests.support.tapping import bodies, cast, last_of, service, sightings_until
from tests.support.traffic import Traffic

pytestmark = pytest.mark.server


def expect_each_once(recorded: Recorded, *traffics: Traffic) -> None:
    sent = sum(2 * len(traffic.request_ids) for traffic in traffics)
    calls = recorded.rpcs()
    assert len({call.unique_id for call in calls}) == len(calls) == sent
    assert Counter(call.publishes for call in calls) == {1: sent}
    assert not [call for call in calls if call.flags & Flag.REPUBLISHED]
    assert recorded.gaps == []
    assert recorded.counters.duplicates == recorded.counters.rejected == 0


ROUTES = {
    "on the firehose": ("publish", "control", "full", "control", "publish"),
    "by exchanges and back": ("bindings", "control", "bindings"),
    "every way": ("bindings", "full", "bindings", "publish", "bindings", "control", "publish", "bindings"),
}


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES.keys())
def test_every_publish_is_counted_once_over_every_switch_under_load(
    cloud: Cloud, tmp_path: Path, route: tuple[str, ...]
) -> None:
    traffics = several(cloud)
    tracing, first, moments = cloud.tracing(), route[0], random.Random(len(route))
    tap = Tap(cloud.broker, view=VIEWS[first](), managements=[cloud.management], tracing=tracing, marker_interval_s=0.5)
    with open_store(str(tmp_path / "store.db"), create=True) as store, tap:
        recorded = Recorded(store, tap, first)
        with recorded.running(), flowing(*traffics):
            wait_for(lambda: bool(recorded.phases))
            for mode in route[1:]:
                time.sleep(moments.uniform(0.1, 1.0))
                go_to(mode, tap, tracing, recorded)
            time.sleep(0.5)
        assert [phase.mode for phase in recorded.phases] == list(route)
        assert [phase.why for phase in recorded.phases] == ["start", *["trigger: test"] * (len(route) - 1)]
        expect_each_once(recorded, *traffics)
    assert not cloud.is_traced()


def test_a_phase_stands_where_its_view_begins(cloud: Cloud) -> None:
    with service(cloud, "conductor") as channel, Tap(cloud.broker, mode="publish", tracing=cloud.tracing()) as tap:
        seen = []
        for n, mode in enumerate(("full", "publish", "full")):
            cast(channel, "conductor", 10 * n)
            seen += sightings_until(tap, last_of("publish.", 10 * n))
            tap.change(VIEWS[mode](), f"step {n}")
            seen += sightings_until(tap, lambda seen: any(isinstance(each, TapPhase) for each in seen))
        cast(channel, "conductor", 99)
        channel.connection.process_data_events(0.5)
        seen += sightings_until(tap, last_of("deliver.conductor", 99))
        assert tap.mode == "full"
    phases = [each for each in seen if isinstance(each, TapPhase)]
    assert [(each.mode, each.why) for each in phases] == [
        ("publish", "start"), ("full", "step 0"), ("publish", "step 1"), ("full", "step 2"),
    ]  # fmt: skip
    assert [each.at_ns for each in phases] == sorted(each.at_ns for each in phases)
    assert bodies(seen[: seen.index(phases[1])], "deliver.conductor") == []
    assert bodies(seen, "publish.") == [0, 10, 20, 99]


def test_a_tap_that_has_let_go_costs_nothing_but_its_markers_and_comes_back(cloud: Cloud) -> None:
    def is_bound_by(*keys: str) -> bool:
        bound = cloud.management.bindings(cloud.vhost, "rpcscope.tap.default")
        return sorted(bound) == sorted(("amq.rabbitmq.trace", key) for key in keys)

    tap = Tap(cloud.broker, mode="full", tracing=cloud.tracing(), marker_interval_s=0.1)
    with service(cloud, "conductor") as channel, tap:
        cast(channel, "conductor", 1)
        seen = sightings_until(tap, last_of("publish.", 1))
        tap.change(Nothing(), "ceiling: test")
        seen += sightings_until(tap, lambda seen: any(isinstance(each, TapPhase) for each in seen))
        wait_for(is_bound_by)
        assert tap.mode == "off"
        cast(channel, "conductor", 2)
        channel.connection.process_data_events(0.5)
        markers = sightings_until(tap, lambda seen: len(seen) > 3)
        assert tap.lag_s is not None
        tap.change(Traced("publish"), "quiet again")
        back = sightings_until(tap, lambda seen: any(isinstance(each, TapPhase) for each in seen))
        wait_for(lambda: is_bound_by("publish.#"))
        cast(channel, "conductor", 3)
        back += sightings_until(tap, last_of("publish.", 3))
    assert bodies(seen, "publish.") == [1]
    assert bodies(markers, "publish.") == []
    assert bodies(back, "publish.") == [3]


def test_many_changes_at_once_are_made_one_after_the_other(cloud: Cloud) -> None:
    tap = Tap(cloud.broker, mode="publish", tracing=cloud.tracing(), marker_interval_s=0.1)
    route = ("full", "off", "control", "publish", "off", "publish")
    with tap:
        threads = [threading.Thread(target=tap.change, args=(VIEWS[mode](), mode)) for mode in route]
        for thread in threads:
            thread.start()
            thread.join()
        seen = sightings_until(tap, lambda seen: sum(isinstance(each, TapPhase) for each in seen) > len(route))
    assert [each.mode for each in seen if isinstance(each, TapPhase)] == ["publish", *route]
