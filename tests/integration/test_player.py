"""The player on a private broker, watched by a plain consumer of the firehose."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pika
import pytest

import rpcscope.demo
from rpcscope.capture import CaptureReader
from rpcscope.decode.args import display_method
from rpcscope.demo.player import Player
from rpcscope.demo.scenes import Scene, Step, scenes, walk
from rpcscope.errors import BrokerError, UsageError
from rpcscope.model import RPCS, Batch, Call, Counters, MessageKind, Operation, Process, Recording, Resume
from rpcscope.pipeline import Recorder
from rpcscope.private_broker import PrivateBroker
from rpcscope.rules import load_rules

pytestmark = pytest.mark.server

VHOST = "played"
RECORDINGS = Path(rpcscope.demo.__file__).parent / "recordings"
SAVE = "object_action(Instance.save)"
START = "object_class_action_versions(InstanceActionEvent.event_start)"
GROUP = "object_class_action_versions(InstanceGroup.get_by_instance_uuid)"


def call(method: str, role_from: str, role_to: str, **more: Any) -> Step:
    """A step with round numbers."""
    known: dict[str, Any] = {
        "namespace": "",
        "version": "3.0",
        "kind": MessageKind.REQUEST,
        "exchange": "nova",
        "topic": role_to,
        "request_bytes": 2600,
        "reply_bytes": 700,
        "service_ns": 1_000_000,
    }
    return Step(method=method, role_from=role_from, role_to=role_to, **known | more)


def boot() -> Scene:
    """A boot with less to do: cast, call, cast to a host, calls back, a fanout, a failure."""
    build = call(
        "build_and_run_instance",
        "conductor",
        "compute",
        version="6.0",
        kind=MessageKind.CAST,
        request_bytes=15021,
        reply_bytes=0,
        host_to="dest",
        instance=0,
        children=(
            call(
                START, "compute", "conductor", detail="compute__do_build_and_run_instance", reply_bytes=203, instance=0
            ),
            call(SAVE, "compute", "conductor", request_bytes=6448, reply_bytes=4321, instance=0),
            call(GROUP, "compute", "conductor", failure="InstanceGroupNotFound", reply_bytes=2087, instance=0),
            call("update_instance_info", "compute", "scheduler", version="4.5", kind=MessageKind.FANOUT, reply_bytes=0),
        ),
    )
    choose = call("select_destinations", "conductor", "scheduler", version="4.5", timeout_ms=1_800_000)
    root = call(
        "schedule_and_build_instances",
        "api",
        "conductor",
        namespace="compute_task",
        version="1.17",
        kind=MessageKind.CAST,
        request_bytes=13505,
        reply_bytes=0,
        children=(choose, build),
    )
    return Scene(kind="create", request_id="req-recorded", instances=("recorded",), roots=(root,))


@dataclass
class Seen:
    """One publish as the firehose shows it."""

    exchange: str
    routing_key: str
    expiration: str | None
    size: int
    message: dict[str, Any]


class Firehose:
    """Every publish since it was opened, read by pika alone."""

    def __init__(self, broker: PrivateBroker) -> None:
        credentials = pika.PlainCredentials(broker.user, broker.password)
        self._connection = pika.BlockingConnection(
            pika.ConnectionParameters("127.0.0.1", broker.port, VHOST, credentials)
        )
        self._channel = self._connection.channel()
        self._queue = self._channel.queue_declare("", exclusive=True).method.queue
        self._channel.queue_bind(self._queue, "amq.rabbitmq.trace", "publish.#")

    def drain(self) -> list[Seen]:
        """All until half a second brings nothing new."""
        seen, quiet_from = [], time.monotonic()
        while time.monotonic() - quiet_from < 0.5:
            method, properties, body = self._channel.basic_get(self._queue, auto_ack=True)
            if method is None:
                time.sleep(0.02)
                continue
            quiet_from = time.monotonic()
            headers = properties.headers
            message = json.loads(json.loads(body)["oslo.message"])
            expiration = headers["properties"].get("expiration")
            seen.append(Seen(headers["exchange_name"], headers["routing_keys"][0], expiration, len(body), message))
        return seen

    def connections(self, broker: PrivateBroker) -> list[str]:
        """The names that clients gave their connections."""
        request = urllib.request.Request(f"{broker.management_url}/api/connections")
        secret = base64.b64encode(f"{broker.user}:{broker.password}".encode()).decode()
        request.add_header("Authorization", f"Basic {secret}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return [one.get("client_properties", {}).get("connection_name", "") for one in json.load(answer)]

    def close(self) -> None:
        self._connection.close()


class Memory:
    """A sink that keeps the last state of everything."""

    def __init__(self) -> None:
        self.calls: dict[int, Call] = {}
        self.operations: dict[int, Operation] = {}
        self.processes: dict[int, Process] = {}

    def write(self, batch: Batch) -> None:
        self.calls |= {call.id: call for call in (*batch.open_calls, *batch.calls)}
        self.operations |= {operation.id: operation for operation in batch.operations}
        self.processes |= {process.id: process for process in batch.processes}


def recorded(name: str, kind: str) -> tuple[Scene, Counter[str]]:
    """The first operation of that kind in a shipped recording: its scene, and its publishes by method."""
    memory = Memory()
    recording = Recording(
        id=1, source="file", scope="file", digest="", label="", tap_mode="", conditions="", started_ns=0, ended_ns=None
    )
    resume = Resume(
        recording=recording,
        position=0,
        counters=Counters(),
        open_calls=(),
        operations=(),
        processes=(),
        fingerprints=b"",
    )
    with CaptureReader(RECORDINGS / f"{name}.jsonl.zst") as reader:
        recorder = Recorder(memory, resume, load_rules())
        recorder.run(reader)
        recorder.end()
    operation = next(one for one in memory.operations.values() if one.kind == kind)
    (scene,) = scenes([operation], memory.calls.values(), memory.processes.values())
    counts: Counter[str] = Counter()
    for one in memory.calls.values():
        if one.cause_id == operation.id and one.kind in RPCS:
            counts.update({one.method: one.publishes, "reply": one.replies})
    return scene, +counts


@pytest.fixture(scope="module")
def broker() -> Iterator[PrivateBroker]:
    with PrivateBroker() as broker:
        broker.add_vhost(VHOST)
        broker.ctl("trace_on", "-p", VHOST)
        yield broker


@pytest.fixture(scope="module")
def player(broker: PrivateBroker) -> Iterator[Player]:
    with Player(broker.transport_url(VHOST)) as player:
        yield player


@pytest.fixture
def firehose(broker: PrivateBroker) -> Iterator[Firehose]:
    firehose = Firehose(broker)
    yield firehose
    firehose.close()


def test_a_scene_is_published_method_by_method_as_often_as_recorded(player: Player, firehose: Firehose) -> None:
    player.play(boot(), speed=10)
    seen = Counter((one.exchange, one.message["method"]) for one in firehose.drain() if "method" in one.message)
    assert seen == {
        ("nova", "schedule_and_build_instances"): 1,
        ("nova", "select_destinations"): 1,
        ("nova", "build_and_run_instance"): 1,
        ("nova", "object_class_action_versions"): 2,
        ("nova", "object_action"): 1,
        ("scheduler_fanout", "update_instance_info"): 1,
    }


@pytest.mark.parametrize(
    ("name", "kind", "rpcs"),
    [("01_boot_1", "create", 16), ("09_live_migrate_no_host", "live-migration", 44), ("12_evacuate_6", "evacuate", 22)],
)
def test_a_recorded_operation_is_played_with_the_recording_s_counts(
    player: Player, firehose: Firehose, name: str, kind: str, rpcs: int
) -> None:
    scene, counts = recorded(name, kind)
    assert player.play(scene, speed=5).steps == rpcs
    messages = [one.message for one in firehose.drain()]
    assert Counter(display_method(one.get("method", "reply"), one.get("args")) for one in messages) == counts


def test_every_call_is_answered_once(player: Player, firehose: Firehose) -> None:
    player.play(boot(), speed=10)
    seen = [one.message for one in firehose.drain()]
    calls = {message["_msg_id"] for message in seen if "method" in message and "_msg_id" in message}
    replies = [message["_msg_id"] for message in seen if "ending" in message]
    assert len(calls) == 4
    assert sorted(replies) == sorted(calls)


def test_bodies_are_as_large_as_recorded(player: Player, firehose: Firehose) -> None:
    steps = list(walk(boot().roots))
    player.play(boot(), speed=10)
    seen = firehose.drain()
    assert sorted(one.size for one in seen if "method" in one.message) == sorted(step.request_bytes for step in steps)
    results = [one.size for one in seen if "ending" in one.message and not one.message["failure"]]
    assert sorted(results) == sorted(step.reply_bytes for step in steps if step.reply_bytes and not step.failure)
    failures = [one.size for one in seen if one.message.get("failure")]
    assert failures == pytest.approx([step.reply_bytes for step in steps if step.failure], abs=100)


def test_a_recorded_failure_is_answered_by_its_class(player: Player, firehose: Firehose) -> None:
    player.play(boot(), speed=10)
    failures = [json.loads(one.message["failure"])["class"] for one in firehose.drain() if one.message.get("failure")]
    assert failures == ["InstanceGroupNotFound"]


def test_all_requests_carry_the_play_s_own_request_id(player: Player, firehose: Firehose) -> None:
    played = player.play(boot(), speed=10)
    assert played.request_id != boot().request_id
    assert {one.message["_context_request_id"] for one in firehose.drain() if "method" in one.message} == {
        played.request_id
    }


def test_callers_wait_as_long_as_recorded(player: Player, firehose: Firehose) -> None:
    player.play(boot(), speed=10)
    waits = {one.message["method"]: one.expiration for one in firehose.drain() if "_reply_q" in one.message}
    assert waits == {
        "select_destinations": "1800000",
        "object_action": "60000",
        "object_class_action_versions": "60000",
    }


def test_the_chosen_host_plays_the_recorded_one(player: Player, firehose: Firehose) -> None:
    played = player.play(boot(), dest="compute-3", speed=10)
    assert played.dest == "compute-3"
    assert "compute.compute-3" in {one.routing_key for one in firehose.drain()}


def test_arguments_name_the_servers_that_are_played(player: Player, firehose: Firehose) -> None:
    uuid = "8ceb43a3-40b1-4864-bea5-05f81c2ac883"
    player.play(boot(), instances=[uuid], speed=10)
    args = {one.message["method"]: one.message["args"] for one in firehose.drain() if "method" in one.message}
    assert args["build_and_run_instance"]["instance"]["nova_object.data"]["uuid"] == uuid
    assert args["object_action"]["objinst"]["nova_object.data"]["uuid"] == uuid
    assert args["object_class_action_versions"]["args"][0] == uuid


def test_connections_are_named_like_nova_s(player: Player, broker: PrivateBroker, firehose: Firehose) -> None:
    player.play(boot(), speed=10)
    firehose.drain()
    wanted = {f"{name.partition(' ')[0]}:{pid}" for pid, name in player.processes.items()}
    deadline = time.monotonic() + 30  # the management API learns of connections every 5 s
    while True:
        named = {name.rpartition(":")[0] for name in firehose.connections(broker)}
        if wanted <= named or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    assert wanted <= named


def test_a_scene_of_another_project_is_refused(player: Player) -> None:
    port = Scene(
        kind="", request_id="req-recorded", instances=(), roots=(call("report_state", "api", "q-reports-plugin"),)
    )
    with pytest.raises(UsageError, match="No service here consumes the topic q-reports-plugin"):
        player.play(port)


def test_a_host_that_is_not_there_is_refused(player: Player) -> None:
    with pytest.raises(UsageError, match="There is no host compute-9"):
        player.play(boot(), dest="compute-9")


def test_scenes_can_be_played_at_the_same_time(player: Player, firehose: Firehose) -> None:
    with ThreadPoolExecutor(4) as threads:
        played = list(threads.map(lambda n: player.play(boot(), dest=f"compute-{n % 3 + 1}", speed=10), range(8)))
    seen = Counter(one.message["_context_request_id"] for one in firehose.drain() if "method" in one.message)
    assert seen == {one.request_id: one.steps for one in played}
    assert len(seen) == 8


def test_a_scene_that_takes_too_long_is_given_up(player: Player) -> None:
    endless = call("select_destinations", "api", "scheduler", service_ns=3_000_000_000)
    scene = Scene(kind="", request_id="req-recorded", instances=(), roots=(endless,))
    with pytest.raises(BrokerError, match="did not play the scene to its end within 0 s"):
        player.play(scene, timeout_s=0.2)


def test_a_broker_that_is_not_there_is_told_at_once() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with (
        pytest.raises(BrokerError, match="check that it runs") as told,
        Player(f"rabbit://user:secret@127.0.0.1:{port}/%2F"),
    ):
        pass
    assert "secret" not in str(told.value)


def test_a_service_that_ends_is_named(broker: PrivateBroker) -> None:
    with Player(broker.transport_url(VHOST), computes=1, conductors=1, schedulers=1) as player:
        pid = next(pid for pid, name in player.processes.items() if name.startswith("nova-scheduler"))
        os.kill(pid, 9)
        with pytest.raises(BrokerError, match="nova-scheduler on controller ended too early"):
            player.play(boot(), speed=10)


def test_all_processes_end_with_the_player(broker: PrivateBroker) -> None:
    with Player(broker.transport_url(VHOST), computes=1, conductors=1, schedulers=1) as player:
        pids = list(player.processes)
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_all_processes_end_when_the_player_is_killed(broker: PrivateBroker) -> None:
    program = (
        "import sys, time\n"
        "from rpcscope.demo.player import Player\n"
        "with Player(sys.stdin.readline().strip(), computes=1, conductors=1, schedulers=1) as player:\n"
        "    print(*player.processes, flush=True)\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdin is not None
        assert killed.stdout is not None
        killed.stdin.write(broker.transport_url(VHOST) + "\n")
        killed.stdin.flush()
        pids = [int(pid) for pid in killed.stdout.readline().split()]
        killed.kill()
    assert len(pids) == 4
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and any(runs(pid) for pid in pids):
        time.sleep(0.1)
    assert [pid for pid in pids if runs(pid)] == []


def runs(pid: int) -> bool:
    """The process is there and is not a corpse that nobody has collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
