"""The flight recorder on a real broker with real oslo.messaging services: cheap while all is well, close when not."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rpcscope.model import GapCause
from rpcscope.private_broker import PrivateBroker
from rpcscope.store import Store, open_store
from tests.support.cli import GIVE_UP_S, Cli, Running, new_cli
from tests.support.openstack import Caller, services
from tests.support.rabbitmq import Cloud, new_cloud
from tests.support.recording import broker_options, is_left

pytestmark = pytest.mark.server

SHORT = ("--flight", "--flight-minutes", "0.05", "--cool-down", "1s", "--stuck", "off")
"""Three seconds of details, and no sign but those that a test wants."""


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return new_cli(tmp_path)


@pytest.fixture
def caller(cloud: Cloud) -> Iterator[Caller]:
    with services(cloud) as made:
        yield made


@contextmanager
def flying(cli: Cli, cloud: Cloud, *options: str) -> Iterator[Running]:
    with cli.running("record", *broker_options(cloud), *options) as recorder:
        recorder.wait_for("rpcscope: recording")
        yield recorder


def ask(caller: Caller, count: int = 3) -> list[str]:
    """Calls that are answered."""
    request_ids = [f"req-{uuid.uuid4()}" for _ in range(count)]
    for request_id in request_ids:
        caller.call(request_id)
    return request_ids


def cast_to_nobody(cloud: Cloud, caller: Caller) -> str:
    """A cast of nova's that a compute would end, if there were one."""
    import oslo_messaging

    request_id = f"req-{uuid.uuid4()}"
    target = oslo_messaging.Target(topic="compute", version="6.0", server="c1")
    client = oslo_messaging.get_rpc_client(caller.transport, target)
    client.cast({"request_id": request_id}, "stop_instance", instance={})
    return request_id


def phases(cli: Cli) -> list[tuple[str, str]]:
    """Mode and reason of each phase so far."""
    (told,) = cli.json("status")
    return [(phase["mode"], phase["why"]) for phase in told["phases"]]


def until(enough: Callable[[], bool], recorder: Running) -> None:
    deadline = time.monotonic() + GIVE_UP_S
    while not enough():
        assert recorder.process.poll() is None, recorder.said
        assert time.monotonic() < deadline, recorder.said
        time.sleep(0.2)


def calls(cli: Cli) -> dict[str, Any]:
    """By request id."""
    return {one["request_id"]: one for one in cli.json("calls", "--all")}


def test_while_all_is_well_the_cheap_tap_sees_publishes_and_no_delivery(cli: Cli, cloud: Cloud, caller: Caller) -> None:
    with flying(cli, cloud, "--flight") as recorder:
        asked = ask(caller, 20)
        assert recorder.end().code == 0
    found = calls(cli)
    assert {found[one]["outcome"] for one in asked} == {"ok"}
    assert {found[one]["copies"] for one in asked} == {None}
    assert {found[one]["to"]["process"] is None for one in asked} == {False}, "who answered has it"
    assert [mode for mode, _ in phases(cli)] == ["publish"]
    with open_store(cli.database) as store:
        (info,) = store.reader().recordings()
    assert (info.counters.messages, info.counters.copies) == (40, 0), "no delivery reached the tap"
    assert not is_left(cloud)


def test_a_stuck_operation_brings_details_with_its_name_and_they_end(cli: Cli, cloud: Cloud, caller: Caller) -> None:
    with flying(cli, cloud, *SHORT[:-1], "1s") as recorder:
        request_id = cast_to_nobody(cloud, caller)
        recorder.wait_for("mode control from now on")
        seen = ask(caller)
        until(lambda: len(phases(cli)) >= 2, recorder)
        assert recorder.end().code == 0
    start, detail, *_ = phases(cli)
    assert start == ("publish", "start")
    assert detail[0] == "control"
    assert detail[1].startswith(f"trigger: stop {request_id} waits for stop_instance on c1 since ")
    assert {calls(cli)[one]["copies"] for one in seen} == {1}, "the request was seen delivered, the reply was not"
    assert not is_left(cloud)


def test_a_person_gets_details_and_afterwards_it_is_cheap_again(cli: Cli, cloud: Cloud, caller: Caller) -> None:
    with flying(cli, cloud, *SHORT, "--flight-mode", "full", "--name", "night") as recorder:
        refused = cli.refused(1, "trigger", "--name", "day")
        assert "no flight recorder named 'day' heard it" in refused
        cli.ok("trigger", "--name", "night", "--minutes", "0.02", "--why", "it is \u202eslow\x1b[31m")
        recorder.wait_for("mode full from now on")
        recorder.wait_for("mode publish from now on")
        assert recorder.end().code == 0
    assert phases(cli) == [
        ("publish", "start"),
        ("full", "trigger: it is slow[31m"),
        ("publish", "details are over"),
    ]


def test_between_requests_alone_and_details_tracing_comes_and_goes(cli: Cli, cloud: Cloud, caller: Caller) -> None:
    with flying(cli, cloud, *SHORT, "--flight-base", "bindings") as recorder:
        assert not cloud.is_traced()
        before = ask(caller)
        cli.ok("trigger")
        recorder.wait_for("mode control from now on")
        assert cloud.is_traced()
        during = ask(caller)
        recorder.wait_for("mode bindings from now on")
        until(lambda: not cloud.is_traced(), recorder)
        after = ask(caller)
        assert recorder.end().code == 0
    found = calls(cli)
    assert {found[one]["outcome"] for one in (*before, *after)} == {"unknown"}
    assert {found[one]["outcome"] for one in during} == {"ok"}
    assert {found[one]["replies"] for one in before} == {None}
    assert len(found) == 9
    assert not is_left(cloud)


def test_a_duty_cycle_brings_details_in_each_period(cli: Cli, cloud: Cloud) -> None:
    with flying(cli, cloud, "--flight", "--duty", "2s/5s") as recorder:
        until(lambda: len(phases(cli)) >= 5, recorder)
        assert recorder.end().code == 0
    assert phases(cli)[:5] == [
        ("publish", "start"),
        ("control", "duty cycle"),
        ("publish", "details are over"),
        ("control", "duty cycle"),
        ("publish", "details are over"),
    ]


def test_what_is_old_is_removed_while_it_records_and_what_is_owed_stays(cli: Cli, cloud: Cloud, caller: Caller) -> None:
    with flying(cli, cloud, "--keep", "10s", "--mode", "full") as recorder, open_store(cli.database) as store:
        ask(caller)
        owed = cast_to_nobody(cloud, caller)
        until(lambda: recorded(store) == 7, recorder)
        until(lambda: stored(store) == {owed}, recorder)
        new = ask(caller)
        assert recorder.end().code == 0
    assert set(new) <= calls(cli).keys()


def recorded(store: Store) -> int:
    """Messages that were ever stored."""
    return sum(info.counters.messages for info in store.reader().recordings())


def stored(store: Store) -> set[str]:
    """Request ids of the operations that are there now."""
    return {one.request_id for one in store.reader().operations()}


# ------------------------------------------------------------------ never left on


@pytest.mark.parametrize("base", ["publish", "bindings"])
def test_a_recorder_that_is_killed_in_details_leaves_tracing_to_the_next_start(
    cli: Cli, cloud: Cloud, caller: Caller, base: str
) -> None:
    with flying(cli, cloud, *SHORT, "--flight-base", base) as first:
        cli.ok("trigger", "--minutes", "10")
        first.wait_for("mode control from now on")
        first.kill()
    assert cloud.is_traced()
    with flying(cli, cloud, *SHORT, "--flight-base", base) as second:
        until(lambda: cloud.is_traced() == (base == "publish"), second)
        assert second.end().code == 0
    assert not is_left(cloud)


def test_untrace_ends_what_a_killed_flight_recorder_left_on(cli: Cli, cloud: Cloud) -> None:
    with flying(cli, cloud, *SHORT, "--flight-base", "bindings") as recorder:
        cli.ok("trigger", "--minutes", "10")
        recorder.wait_for("mode control from now on")
        recorder.kill()
    assert "ended" in cli.ok("untrace", *broker_options(cloud))
    assert not cloud.is_traced()


def test_a_signal_in_details_leaves_nothing(cli: Cli, cloud: Cloud, caller: Caller) -> None:
    with flying(cli, cloud, *SHORT, "--flight-base", "bindings") as recorder:
        cli.ok("trigger", "--minutes", "10")
        recorder.wait_for("mode control from now on")
        asked = ask(caller)
        assert recorder.end().code == 0
    assert set(asked) <= calls(cli).keys()
    assert not is_left(cloud)


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--flight", "--mode", "full"), "--flight has no one --mode"),
        (("--duty", "2m/30m"), "--duty is for --flight"),
        (("--flight", "--duty", "30m"), "write how long in each period"),
        (("--flight", "--stuck", "soon"), "write a time such as 30s"),
        (("--flight",), "--flight switches tracing: give --management-url"),
        (("--dry-run",), "--dry-run asks the management API"),
        (("--max-broker-cpu", "0.8"), "write a share such as 20%"),
    ],
)
def test_options_that_do_not_fit_get_a_sentence(cli: Cli, options: tuple[str, ...], sentence: str) -> None:
    where = ("--transport-url", "rabbit://tap:PS7q@127.0.0.1:1/")
    assert sentence in cli.refused(2, "record", *where, *options)


# ------------------------------------------------------------------ the ceiling


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Cloud]:
    """A broker for this test alone: its alarms are nobody else's."""
    with PrivateBroker(settings={"collect_statistics_interval": "1000"}) as server:
        yield new_cloud(server, tmp_path)


@pytest.mark.parametrize("base", ["publish", "bindings"])
def test_at_an_alarm_the_tap_lets_go_says_why_and_comes_back(cli: Cli, own_broker: Cloud, base: str) -> None:
    cloud = own_broker
    with services(cloud) as caller, flying(cli, cloud, *SHORT, "--flight-base", base, "--quiet", "2s") as recorder:
        before = ask(caller)
        cloud.server.ctl("set_vm_memory_high_watermark", "absolute", "1MB")
        recorder.wait_for("the tap lets go")
        until(lambda: not cloud.is_traced(), recorder)
        until(lambda: not cloud.management.bindings(cloud.vhost, "rpcscope.tap.default"), recorder)
        cloud.server.ctl("set_vm_memory_high_watermark", "0.6")
        recorder.wait_for(f"mode {base} from now on, the broker is quiet again")
        after = ask(caller)
        assert recorder.end().code == 0
    told = phases(cli)
    assert [mode for mode, _ in told] == [base, "off", base]
    assert told[1][1].startswith("ceiling: the broker ")
    assert recorder.said.count("the tap lets go") == 1
    (status,) = cli.json("status")
    assert [(gap["cause"], gap["gaps"]) for gap in status["gaps"]] == [("not_traced", 1)]
    assert set(before) | set(after) <= calls(cli).keys()
    assert not is_left(cloud)


def test_a_recorder_that_is_killed_while_its_tap_is_off_leaves_a_gap_to_the_next(cli: Cli, own_broker: Cloud) -> None:
    cloud = own_broker
    with flying(cli, cloud, *SHORT, "--flight-base", "bindings") as first:
        cloud.server.ctl("set_vm_memory_high_watermark", "absolute", "1MB")
        first.wait_for("the tap lets go")
        until(lambda: len(phases(cli)) == 2, first)
        first.kill()
    cloud.server.ctl("set_vm_memory_high_watermark", "0.6")
    with flying(cli, cloud, *SHORT, "--flight-base", "bindings") as second:
        assert second.end().code == 0
    with open_store(cli.database) as store:
        gaps = store.reader().gaps()
    assert [gap.cause for gap in gaps if gap.note.startswith("ceiling: ")] == [GapCause.NOT_TRACED]


def test_a_recorder_without_flight_lets_go_too_when_it_is_told_a_ceiling(cli: Cli, own_broker: Cloud) -> None:
    cloud = own_broker
    with flying(cli, cloud, "--max-broker-cpu", "90%", "--mode", "full") as recorder:
        cloud.server.ctl("set_vm_memory_high_watermark", "absolute", "1MB")
        recorder.wait_for("the tap lets go")
        until(lambda: not cloud.is_traced(), recorder)
        assert recorder.end().code == 0
    assert [mode for mode, _ in phases(cli)] == ["full", "off"]
    (status,) = cli.json("status")
    assert [gap["cause"] for gap in status["gaps"]] == ["not_traced"], "the recording ended in it"
