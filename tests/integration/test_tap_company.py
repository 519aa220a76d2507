"""A second tap on a vhost is refused by accident and allowed on purpose."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rpcscope.errors import BrokerError, UsageError
from rpcscope.private_broker import PrivateBroker
from rpcscope_collectors.management import Management
from rpcscope_collectors.tap import Tap
from tests.support.queues import wait_for
from tests.support.rabbitmq import Cloud, new_cloud

pytestmark = pytest.mark.server
REFUSED = r"Another tap reads vhost cell-\d+ already \(rpcscope\.tap\.one\): end it first, or allow both with --beside"

RECORDER = """
import json, sys, time
from rpcscope_collectors.tap import Tap
from rpcscope_collectors.transport import from_transport_url
given = json.load(sys.stdin)
with Tap(from_transport_url(given["url"]), name="one", state_dir=given["state"]):
    print("open", flush=True)
    time.sleep(600)
"""


def recorder(cloud: Cloud, state_dir: Path) -> subprocess.Popen[str]:
    """A tap of another process, which is open."""
    child = subprocess.Popen(
        [sys.executable, "-c", RECORDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(json.dumps({"url": cloud.server.transport_url(cloud.vhost), "state": str(state_dir)}))
    child.stdin.close()
    child.stdin = None
    assert child.stdout.readline() == "open\n"
    return child


def end(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.communicate()


def notes(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("tap-*.json")]


def test_the_broker_tells_of_another_tap_and_nothing_of_ours_is_left(cloud: Cloud) -> None:
    with Tap(cloud.broker, name="one"):
        wait_for(lambda: "rpcscope.tap.one" in cloud.management.consumed(cloud.vhost))
        with pytest.raises(BrokerError, match=REFUSED):
            Tap(cloud.broker, name="two", managements=[cloud.management]).open()
    assert cloud.management.queues(cloud.vhost) == ("rpcscope.tap.one", "rpcscope.tap.one.dropped")


def test_on_purpose_both_are_allowed(cloud: Cloud) -> None:
    with Tap(cloud.broker, name="one"), Tap(cloud.broker, name="two", managements=[cloud.management], beside=True):
        assert {"rpcscope.tap.one", "rpcscope.tap.two"} < set(cloud.management.queues(cloud.vhost))


def test_a_queue_that_nobody_reads_is_no_company(cloud: Cloud) -> None:
    Tap(cloud.broker, name="one").__enter__().close()
    with Tap(cloud.broker, name="two", managements=[cloud.management]):
        assert {"rpcscope.tap.one", "rpcscope.tap.two"} < set(cloud.management.queues(cloud.vhost))


def test_queues_of_services_and_of_ourselves_are_no_company(cloud: Cloud) -> None:
    connection = cloud.connect()
    channel = connection.channel()
    channel.queue_declare("conductor")
    channel.basic_consume("conductor", lambda *_: None)
    Tap(cloud.broker, managements=[cloud.management]).__enter__().close()
    with Tap(cloud.broker, managements=[cloud.management]):
        pass
    connection.close()


def test_without_the_management_api_the_notes_of_this_machine_tell(cloud: Cloud) -> None:
    child = recorder(cloud, cloud.state_dir)
    try:
        away = Management("http://127.0.0.1:1", "nova", "PS7q")
        for managements in ([], [away]):
            tap = Tap(cloud.broker, name="two", managements=managements, state_dir=cloud.state_dir)
            with pytest.raises(BrokerError, match=REFUSED):
                tap.open()
        assert len(notes(cloud.state_dir)) == 1
        with Tap(cloud.broker, name="two", state_dir=cloud.state_dir, beside=True):
            pass
    finally:
        end(child)


def test_a_killed_tap_is_no_company_and_its_note_is_taken_away(cloud: Cloud) -> None:
    end(recorder(cloud, cloud.state_dir))
    assert len(notes(cloud.state_dir)) == 1
    with Tap(cloud.broker, name="two", state_dir=cloud.state_dir):
        assert len(notes(cloud.state_dir)) == 1
    assert notes(cloud.state_dir) == []


def test_what_a_tap_that_allows_others_notes_is_seen_by_those_who_do_not(cloud: Cloud) -> None:
    with (
        Tap(cloud.broker, name="one", state_dir=cloud.state_dir, beside=True),
        pytest.raises(BrokerError, match=REFUSED),
    ):
        Tap(cloud.broker, name="two", state_dir=cloud.state_dir).open()


def test_taps_on_other_vhosts_are_no_company(rabbitmq: PrivateBroker, cloud: Cloud, tmp_path: Path) -> None:
    other = new_cloud(rabbitmq, tmp_path)
    with (
        Tap(other.broker, name="one", managements=[other.management], state_dir=cloud.state_dir),
        Tap(cloud.broker, name="two", managements=[cloud.management], state_dir=cloud.state_dir),
        Tap(new_cloud(rabbitmq, tmp_path).broker, name="three", state_dir=cloud.state_dir),
    ):
        assert len(notes(cloud.state_dir)) == 3


def test_the_note_says_whose_it_is_and_no_secret(cloud: Cloud) -> None:
    with Tap(cloud.broker, state_dir=cloud.state_dir):
        (name,) = notes(cloud.state_dir)
        path = cloud.state_dir / name
        note = json.loads(path.read_text())
        assert path.stat().st_mode & 0o777 == 0o600
    assert note["owner_pid"] == os.getpid()
    assert note["queue"] == "rpcscope.tap.default"
    assert cloud.server.password not in json.dumps(note)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"queue": 1}', "\0"])
def test_a_file_that_is_no_note_gets_a_sentence(cloud: Cloud, content: str) -> None:
    cloud.state_dir.mkdir()
    (cloud.state_dir / "tap-1-x.json").write_text(content)
    with pytest.raises(UsageError, match="is not a note of rpcscope: look who wrote it, and move it away"):
        Tap(cloud.broker, state_dir=cloud.state_dir).open()
