"""`rpcscope stuck` names who owes the next step since when; what was recorded in part is told as such."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rpcscope.capture import CaptureWriter, Header, Scrubber
from rpcscope.model import Sighting
from rpcscope.rules import load_rules
from tests.support.bus import Bus
from tests.support.cli import Cli, new_cli
from tests.support.halves import cut
from tests.support.nova import Nova
from tests.support.rabbitmq import Cloud
from tests.support.recording import broker_options
from tests.support.wire import CAPTURES, enveloped

GIVE_UP_S = 90.0
COMPUTE = "compute-1"


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return new_cli(tmp_path)


class Boot:
    """A boot that its compute never finishes."""

    def __init__(self, *, taken: bool = True) -> None:
        self.nova = Nova(Bus())
        self.bus = self.nova.bus
        self.request_id, self.server = self.bus.request_id(), self.bus.uuid()
        self.seen: list[Sighting] = [self.bus.topology()]
        self.nova.schedule(self.request_id, [self.server])
        self.nova.select(self.request_id, [self.server])
        self.began_ns = self.bus.now_ns
        self.nova.build(self.request_id, self.server, COMPUTE, taken=taken)
        self._taken = 0
        self.look()

    @property
    def debtor(self) -> str:
        return f"nova-compute:{self.nova.computes[COMPUTE].pid}"

    def look(self) -> None:
        """What happened since the last look is recorded."""
        self.seen += self.bus.events[self._taken :]
        self._taken = len(self.bus.events)

    def pass_time(self, seconds: float) -> None:
        """Others go on meanwhile."""
        self.bus.wait(seconds)
        self.nova.report_state(self.nova.computes["compute-2"])
        self.look()

    def die(self) -> None:
        """The compute's connections are gone from the next snapshot."""
        alive = [one for one in self.bus.services if one is not self.nova.computes[COMPUTE]]
        self.seen.append(self.bus.topology(alive, at_ns=self.bus.now_ns))

    def stored(self, cli: Cli) -> dict[str, Any]:
        """The boot as `stuck` tells it."""
        with CaptureWriter(cli.folder / "boot.jsonl.zst", Header(), Scrubber(load_rules())) as out:
            for sighting in self.seen:
                out.write(sighting)
        cli.json("import", cli.folder / "boot.jsonl.zst")
        (told,) = cli.json("stuck")
        assert told["request_id"] == self.request_id
        assert told["instances"] == [self.server]
        assert told["owed"]["method"] == "build_and_run_instance"
        assert told["owed"]["host"] == COMPUTE
        found: dict[str, Any] = told
        return found


def test_a_compute_that_took_a_server_and_is_silent_owes_it(cli: Cli) -> None:
    boot = Boot()
    boot.pass_time(300)
    told = boot.stored(cli)
    assert (told["status"], told["owed"]["process"], told["owed"]["process_gone"]) == ("stuck", boot.debtor, False)
    shown = cli.ok("stuck")
    assert boot.request_id in shown
    assert f"owed by      {boot.debtor} on {COMPUTE}\n" in shown
    assert f"since        {told['owed']['since'][:23]}\n" in shown
    assert f"waits for build_and_run_instance of {boot.debtor} {COMPUTE}" in cli.ok("show", boot.request_id)
    (listed,) = cli.json("operations", "--status", "stuck")
    assert listed == told


def test_a_compute_that_died_owes_it_at_once(cli: Cli) -> None:
    boot = Boot()
    boot.pass_time(5)
    boot.die()
    boot.pass_time(1)
    told = boot.stored(cli)
    assert (told["status"], told["owed"]["process"], told["owed"]["process_gone"]) == ("stuck", boot.debtor, True)
    assert f"owed by      {boot.debtor} on {COMPUTE}, which is gone\n" in cli.ok("stuck")


def test_what_nobody_took_from_its_queue_is_told_as_such(cli: Cli) -> None:
    boot = Boot(taken=False)
    boot.pass_time(300)
    told = boot.stored(cli)
    assert (told["status"], told["owed"]["process"]) == ("stuck", None)
    assert f"nobody took it from the queue of {COMPUTE}" in cli.ok("stuck")


@pytest.mark.parametrize(("seconds", "status"), [(30, "running"), (61, "stuck")])
def test_an_operation_is_stuck_when_it_has_not_moved_for_a_minute(cli: Cli, seconds: int, status: str) -> None:
    boot = Boot()
    boot.pass_time(seconds)
    told = boot.stored(cli)
    assert told["status"] == status
    assert (told["stuck_since"] is None) == (status == "running")
    patient = cli.json("stuck", "--stuck-after", "600")
    assert patient[0]["status"] == "running"


def test_nothing_in_flight_is_said_in_a_sentence(cli: Cli) -> None:
    cli.json("import", CAPTURES / "nova34/01_boot_1.jsonl.zst")
    assert cli.ok("stuck") == "Nothing is in flight or stuck.\n"
    assert cli.json("stuck") == []


def test_halves_of_a_recording_are_not_told_as_whole_operations(tmp_path: Path) -> None:
    first, second = cut(CAPTURES / "nova34/09_live_migrate_no_host.jsonl.zst", tmp_path)
    beginning, end = new_cli(tmp_path / "beginning"), new_cli(tmp_path / "end")
    beginning.json("import", first)
    end.json("import", second)
    (begun, boot), (ended,) = beginning.json("operations"), end.json("operations")
    assert (boot["kind"], boot["status"]) == ("create", "done")
    assert begun["kind"] == ended["kind"] == "live-migration"
    assert (begun["status"], begun["complete"]) == ("running", True)
    assert (ended["status"], ended["complete"]) == ("unknown", False)
    for cli in (beginning, end):
        (cost,) = cli.json("cost", "--kind", "live-migration")["kinds"]
        assert (cost["operations"], cost["left_out"]) == (0, 1)


@pytest.mark.server
@pytest.mark.long
def test_a_compute_that_dies_on_a_real_broker_is_named(cloud: Cloud, cli: Cli) -> None:
    request_id, server = f"req-{uuid.uuid4()}", str(uuid.uuid4())
    with (
        cli.running("record", *broker_options(cloud)) as recorder,
        closing(cloud.connect("nova-conductor:70:x")) as conductor,
    ):
        compute = cloud.connect("nova-compute:77:x")
        listening = compute.channel()
        listening.exchange_declare("nova", "topic")
        listening.queue_declare(f"compute.{COMPUTE}")
        listening.queue_bind(f"compute.{COMPUTE}", "nova", f"compute.{COMPUTE}")
        listening.basic_consume(f"compute.{COMPUTE}", lambda *_: None, auto_ack=True)
        recorder.wait_for("rpcscope: recording")
        time.sleep(1)
        body = {"method": "build_and_run_instance", "args": {"instance": {"nova_object.data": {"uuid": server}}}}
        body |= {"_unique_id": uuid.uuid4().hex, "_context_request_id": request_id, "version": "6.2"}
        conductor.channel().basic_publish("nova", f"compute.{COMPUTE}", enveloped(body))
        owed = wait_until(cli, compute, lambda owed: owed["process"] == "nova-compute:77")
        assert not owed["process_gone"]
        compute.close()
        wait_until(cli, conductor, lambda owed: bool(owed["process_gone"]))
        conductor.process_data_events(0)
        assert "owed by      nova-compute:77 on compute-1, which is gone\n" in cli.ok("stuck")
        assert recorder.end().code == 0


def wait_until(cli: Cli, alive: Any, enough: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """What is owed, once it is so."""
    deadline = time.monotonic() + GIVE_UP_S
    while True:
        alive.process_data_events(0.2)
        for one in cli.json("stuck"):
            owed: dict[str, Any] = one["owed"] or {}
            if owed and enough(owed):
                return owed
        assert time.monotonic() < deadline, "nobody is named"
