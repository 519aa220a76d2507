"""A tap that changes its view while messages flow: every publish is counted once, whatever the way it came."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from rpcscope.model import RPCS, Call, Counters, Flag, Gap, LiveSighting, TapPhase
from rpcscope.pipeline import Recorder
from rpcscope.rules import load_rules
from rpcscope.store import Store, open_store
from rpcscope_collectors.tap import Tap
from rpcscope_collectors.tracing import Tracing
from rpcscope_collectors.views import Exchanges, Nothing, Traced, View
from tests.support.queues import wait_for
from tests.support.rabbitmq import Cloud
from tests.support.tapping import bodies, cast, last_of, service, sightings_until
from tests.support.traffic import Traffic

pytestmark = pytest.mark.server
VIEWS: dict[str, Callable[[], View]] = {
    "publish": lambda: Traced("publish"),
    "control": lambda: Traced("control"),
    "full": lambda: Traced("full"),
    "bindings": lambda: Exchanges(["nova"]),
    "off": Nothing,
}


class Recorded:
    """A recorder on a tap, into SQLite, with what the tap told beside messages."""

    def __init__(self, store: Store, tap: Tap, mode: str) -> None:
        self.phases, self.gaps = list[TapPhase](), list[Gap]()
        self._tap, self._reader = tap, store.reader()
        writer = store.writer()
        resume = writer.start(
            source="firehose", scope="switch", digest="", label="", tap_mode=mode, conditions="", started_ns=1
        )
        self._recorder = Recorder(writer, resume, load_rules(), clock=time.time_ns)
        self._failure: list[BaseException] = []
        self._thread = threading.Thread(target=self._run)

    def batches(self, max_events: int = 2000, max_wait_s: float = 0.5) -> Iterator[list[LiveSighting]]:
        for batch in self._tap.batches(max_events, min(max_wait_s, 0.1)):
            self.phases += [each for each in batch if isinstance(each, TapPhase)]
            self.gaps += [each for each in batch if isinstance(each, Gap)]
            yield batch

    def ack(self) -> None:
        self._tap.ack()

    @contextmanager
    def running(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._tap.stop()
            self._thread.join()
        if self._failure:
            raise self._failure[0]

    def _run(self) -> None:
        try:
            self._recorder.run(self)
            self.counters: Counters = self._recorder.end()
        except BaseException as error:
            self._failure.append(error)

    def rpcs(self) -> list[Call]:
        return [call for call in self._reader.calls() if call.kind in RPCS]


def go_to(mode: str, tap: Tap, tracing: Tracing, recorded: Recorded) -> None:
    """As a flight recorder does it: tracing is begun before, and ended after."""
    view, before = VIEWS[mode](), len(recorded.phases)
    if view.is_traced:
        tracing.begin()
    tap.change(view, "trigger: test")
    wait_for(lambda: len(recorded.phases) > before, within_s=60)
    if not view.is_traced:
        tracing.end()


@contextmanager
def flowing(*traffics: Traffic) -> Iterator[None]:
    with ExitStack() as stack:
        for traffic in traffics:
            stack.enter_context(traffic.flowing())
        yield


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
    traffics = [
        Traffic(cloud, rate=60),
        Traffic(cloud, rate=60, queues=("scheduler", "compute.host-2")),
        Traffic(cloud, rate=60, queues=("api", "compute.host-3")),
    ]
    for traffic in traffics:
        traffic.play(1)  # the exchange is there
    tracing, first, moments = cloud.tracing(), route[0], random.Random(len(route))
    tap = Tap(cloud.broker, view=VIEWS[first](), managements=[cloud.management], tracing=tracing, marker_interval_s=0.5)
    before = [len(traffic.request_ids) for traffic in traffics]
    with open_store(str(tmp_path / "store.db"), create=True) as store, tap:
        recorded = Recorded(store, tap, first)
        with recorded.running(), flowing(*traffics):
            for mode in route[1:]:
                time.sleep(moments.uniform(0.1, 1.0))
                go_to(mode, tap, tracing, recorded)
            time.sleep(0.5)
        for traffic, played in zip(traffics, before, strict=True):
            del traffic.request_ids[:played]
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
