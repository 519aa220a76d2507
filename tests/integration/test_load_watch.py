"""How hard a real broker works is seen: under load, in an alarm, while it blocks publishers, while it is away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from rpcscope.private_broker import PrivateBroker
from rpcscope_collectors.load import Ceiling, Load
from rpcscope_collectors.load_watch import LoadWatch
from rpcscope_collectors.management import Management
from rpcscope_collectors.prometheus import Prometheus
from rpcscope_collectors.queues import Pace
from rpcscope_collectors.tap import Tap
from tests.support.queues import Watched, wait_for, watched_broker
from tests.support.rabbitmq import new_cloud

pytestmark = pytest.mark.server
IDLE = 0.02  # a share that a broker without work stays below, and any flood exceeds
OFTEN = Pace(share=1.0, shortest_s=0.5, longest_s=1.0)


@pytest.fixture(scope="module")
def strained_server() -> Iterator[tuple[PrivateBroker, str]]:
    """A broker of this module's own, to be driven to its limits."""
    server, url = watched_broker()
    with server:
        yield server, url


@pytest.fixture
def strained(strained_server: tuple[PrivateBroker, str], tmp_path: Path) -> Watched:
    server, url = strained_server
    cloud = new_cloud(server, tmp_path)
    return Watched(server, cloud.vhost, cloud.state_dir, url)


@contextmanager
def watching(watch: LoadWatch) -> Iterator[LoadWatch]:
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()


@contextmanager
def flood(cloud: Watched) -> Iterator[None]:
    """One connection publishes as fast as it can."""
    over = threading.Event()

    def publish() -> None:
        with closing(cloud.connect()) as connection:
            channel = connection.channel()
            while not over.is_set():
                channel.basic_publish("", "nowhere", b"x" * 100)

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def memory_alarm(server: PrivateBroker) -> Iterator[None]:
    server.ctl("set_vm_memory_high_watermark", "absolute", "1")
    try:
        yield
    finally:
        server.ctl("set_vm_memory_high_watermark", "absolute", "512MB")


def test_cpu_of_a_node_rises_under_load_and_falls_after_it(strained: Watched) -> None:
    with watching(LoadWatch(metrics=[strained.metrics], pace=OFTEN)) as watch:
        wait_for(lambda: (watch.load.cpu_share or 1.0) < IDLE, within_s=60)
        with flood(strained):
            wait_for(lambda: (watch.load.cpu_share or 0.0) > IDLE, within_s=60)
        wait_for(lambda: (watch.load.cpu_share or 1.0) < IDLE, within_s=60)


def test_the_node_above_the_ceiling_is_named(strained: Watched) -> None:
    watch = LoadWatch(metrics=[strained.metrics])
    with flood(strained):
        watch.look()
        wait_for(lambda: (watch.look().cpu_share or 0.0) > 0.005)
        load = watch.load
    sentence = Ceiling(cpu_share=0.005).broken_by(load)
    assert sentence.startswith(f"node {strained.server.node} uses at least ")
    assert sentence.endswith("% of its CPU, the ceiling is 0%")


def test_the_first_look_knows_no_share_and_the_management_api_alone_none_below_the_end(strained: Watched) -> None:
    first = LoadWatch(metrics=[strained.metrics]).look()
    assert [node.node for node in first.nodes] == [strained.server.node]
    assert first.cpu_share is None
    by_api = LoadWatch(managements=[strained.management]).look()
    assert [(node.node, node.cpu_share, node.alarms) for node in by_api.nodes] == [(strained.server.node, None, ())]


SPIN = (
    "application:set_env(rabbit, spinning, true), "
    "Spin = fun(On) -> case application:get_env(rabbit, spinning) of {ok, true} -> On(On); _ -> ok end end, "
    "[spawn(fun() -> Spin(Spin) end) || _ <- lists:seq(1, 4 * erlang:system_info(schedulers_online))], ok."
)


@contextmanager
def overwork(server: PrivateBroker) -> Iterator[None]:
    """More Erlang processes than cores compute."""
    try:
        server.ctl("eval", SPIN)
        yield
    finally:
        server.ctl("eval", "application:set_env(rabbit, spinning, false).")


@pytest.mark.parametrize("by", ["metrics", "managements"])
def test_a_node_with_more_work_than_cores_is_overworked_until_it_ends(strained: Watched, by: str) -> None:
    source = {"metrics": [strained.metrics], "managements": [strained.management]}[by]
    with watching(LoadWatch(pace=OFTEN, **{by: source})) as watch:  # type: ignore[arg-type]

        def is_overworked() -> bool:
            return any(node.is_overworked for node in watch.load.nodes)

        with overwork(strained.server):
            wait_for(is_overworked, within_s=60)
            assert Ceiling(cpu_share=1.0).broken_by(watch.load) == (
                f"node {strained.server.node} has more work than CPU, the ceiling is 100%"
            )
        wait_for(lambda: not is_overworked(), within_s=60)


@pytest.mark.parametrize("by", ["metrics", "managements"])
def test_a_memory_alarm_is_seen_and_its_end_too(strained: Watched, by: str) -> None:
    source = {"metrics": [strained.metrics], "managements": [strained.management]}[by]
    with watching(LoadWatch(pace=OFTEN, **{by: source})) as watch:  # type: ignore[arg-type]
        with memory_alarm(strained.server):
            wait_for(lambda: bool(watch.load.alarms))
            assert watch.load.alarms == (f"memory on {strained.server.node}",)
            assert Ceiling().broken_by(watch.load) == (f"the broker raises an alarm: memory on {strained.server.node}")
        wait_for(lambda: watch.load.at_ns > 0 and not watch.load.alarms)
        assert Ceiling().broken_by(watch.load) == ""


def test_blocked_publishers_are_seen_by_the_markers_of_a_tap_and_so_is_their_end(strained: Watched) -> None:
    with Tap(strained.broker, marker_interval_s=0.2) as tap:
        watch = LoadWatch(blocked=lambda: tap.blocked)
        assert watch.load == Load(at_ns=0, blocked=False)
        with memory_alarm(strained.server):
            wait_for(lambda: watch.load.blocked is True, within_s=60)
            assert Ceiling().broken_by(watch.load) == "the broker blocks publishers"
        wait_for(lambda: watch.load.blocked is False, within_s=60)


def test_what_does_not_answer_is_unknown_and_said_once(strained: Watched, caplog: pytest.LogCaptureFixture) -> None:
    away = Management("http://127.0.0.1:1", "nova", "PS7q")
    watch = LoadWatch(managements=[away], metrics=[Prometheus("http://user:PS7q@127.0.0.1:1"), strained.metrics])
    for _ in range(2):
        load = watch.look()
    assert [node.node for node in load.nodes] == [strained.server.node]
    assert Ceiling().broken_by(LoadWatch(managements=[away]).look()) == ""
    assert sum("metrics at http://127.0.0.1:1 can not be reached" in each.getMessage() for each in caplog.records) == 1
    assert "PS7q" not in caplog.text
