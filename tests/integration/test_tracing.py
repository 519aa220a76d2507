"""Tracing is switched on where it is off, and off again only where it was switched on by rpcscope."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rpcscope.errors import BrokerError, UsageError
from rpcscope.private_broker import PrivateBroker
from rpcscope_collectors.lease import Leases, new_lease
from rpcscope_collectors.management import Management
from rpcscope_collectors.tracing import Tracing, leases, untrace
from tests.support.rabbitmq import Cloud, new_cloud

pytestmark = pytest.mark.server

RECORDER = """
import json, sys, time
from rpcscope_collectors.management import Management
from rpcscope_collectors.tracing import Tracing
given = json.load(sys.stdin)
Tracing([Management(given["url"], given["user"], given["password"])], given["vhost"], given["state"]).begin()
print("begun", flush=True)
time.sleep(600)
"""


def crash(cloud: Cloud) -> None:
    """A recorder of another process begins tracing and is killed."""
    recorder = begin_elsewhere(cloud)
    recorder.kill()
    recorder.communicate()


def begin_elsewhere(cloud: Cloud, script: str = RECORDER, **more: int) -> subprocess.Popen[str]:
    given = {
        **more,
        "url": cloud.server.management_url,
        "user": cloud.server.user,
        "password": cloud.server.password,
        "vhost": cloud.vhost,
        "state": str(cloud.state_dir),
    }
    recorder = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert recorder.stdin is not None
    assert recorder.stdout is not None
    recorder.stdin.write(json.dumps(given))
    recorder.stdin.close()
    recorder.stdin = None
    assert recorder.stdout.readline() == "begun\n"
    return recorder


def test_begin_switches_on_and_end_switches_off(cloud: Cloud) -> None:
    tracing = cloud.tracing()
    tracing.begin()
    assert cloud.is_traced()
    assert tracing.nodes_traced == (1, 1)
    assert tracing.advice() == ""
    tracing.end()
    assert not cloud.is_traced()
    assert leases(cloud.state_dir) == ()


def test_tracing_that_was_on_before_stays_on(cloud: Cloud) -> None:
    cloud.management.set_tracing(cloud.vhost, True)
    tracing = cloud.tracing()
    tracing.begin()
    tracing.end()
    assert cloud.is_traced()


def test_other_vhosts_are_left_alone(rabbitmq: PrivateBroker, cloud: Cloud, tmp_path: Path) -> None:
    other = new_cloud(rabbitmq, tmp_path)
    cloud.tracing().begin()
    assert not other.is_traced()


def test_switching_keeps_what_else_the_broker_knows_of_the_vhost(cloud: Cloud) -> None:
    cloud.server.ctl("set_vhost_tags", cloud.vhost, "production")
    tracing = cloud.tracing()
    tracing.begin()
    tracing.end()
    assert "production" in cloud.server.ctl("-s", "list_vhosts", "name", "tags")


def test_the_lease_says_whose_it_is_and_no_secret(cloud: Cloud) -> None:
    tracing = cloud.tracing()
    tracing.begin()
    (lease,) = leases(cloud.state_dir)
    assert (lease.owner_pid, lease.vhost, lease.urls) == (os.getpid(), cloud.vhost, (cloud.server.management_url,))
    assert lease.switched_on == lease.nodes == (cloud.server.node,)
    assert lease.is_held()
    path = cloud.state_dir / lease.name
    assert cloud.server.password not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    tracing.end()


def test_a_password_in_the_management_url_does_not_reach_the_lease(cloud: Cloud) -> None:
    server = cloud.server
    url = f"http://{server.user}:{server.password}@127.0.0.1:{server.management_port}/"
    tracing = Tracing([Management(url, "nobody", "PS7q")], cloud.vhost, cloud.state_dir)
    tracing.begin()
    (lease,) = leases(cloud.state_dir)
    assert lease.urls == (server.management_url,)
    tracing.end()


def test_tracing_that_a_killed_recorder_left_is_ended_by_untrace(cloud: Cloud) -> None:
    crash(cloud)
    assert cloud.is_traced()
    assert untrace([cloud.management], cloud.vhost, cloud.state_dir) == (cloud.server.node,)
    assert not cloud.is_traced()
    assert leases(cloud.state_dir) == ()


def test_tracing_that_a_killed_recorder_left_is_ended_by_the_next(cloud: Cloud) -> None:
    crash(cloud)
    tracing = cloud.tracing()
    tracing.begin()
    assert len(leases(cloud.state_dir)) == 1
    tracing.end()
    assert not cloud.is_traced()


def test_a_killed_recorder_does_not_make_older_tracing_ours(cloud: Cloud) -> None:
    cloud.management.set_tracing(cloud.vhost, True)
    crash(cloud)
    tracing = cloud.tracing()
    tracing.begin()
    tracing.end()
    assert untrace([cloud.management], cloud.vhost, cloud.state_dir) == ()
    assert cloud.is_traced()


def test_untrace_refuses_while_the_recorder_lives_unless_forced(cloud: Cloud) -> None:
    recorder = begin_elsewhere(cloud)
    try:
        with pytest.raises(UsageError, match=f"process {recorder.pid} on .* records vhost"):
            untrace([cloud.management], cloud.vhost, cloud.state_dir)
        assert cloud.is_traced()
        assert untrace([cloud.management], cloud.vhost, cloud.state_dir, force=True) == (cloud.server.node,)
        assert not cloud.is_traced()
    finally:
        recorder.send_signal(signal.SIGKILL)
        recorder.communicate()


def test_a_pid_that_was_used_again_is_not_the_owner(cloud: Cloud) -> None:
    tracing = cloud.tracing()
    tracing.begin()
    (lease,) = leases(cloud.state_dir)
    path = cloud.state_dir / lease.name
    path.write_text(path.read_text().replace(lease.owner_start, "another boot:1"))
    assert untrace([cloud.management], cloud.vhost, cloud.state_dir) == (cloud.server.node,)


def test_the_first_of_two_recorders_leaves_tracing_to_the_second(cloud: Cloud) -> None:
    first, second = cloud.tracing(), cloud.tracing()
    first.begin()
    second.begin()
    first.end()
    assert cloud.is_traced()
    second.end()
    assert not cloud.is_traced()


def test_rearm_tells_where_tracing_was_off(cloud: Cloud) -> None:
    tracing = cloud.tracing()
    tracing.begin()
    assert tracing.rearm() == ()
    cloud.management.set_tracing(cloud.vhost, False)
    assert tracing.rearm() == (cloud.server.node,)
    assert cloud.is_traced()
    tracing.end()


def test_rearm_after_a_forced_untrace_does_not_fight(cloud: Cloud) -> None:
    tracing = cloud.tracing()
    tracing.begin()
    untrace([cloud.management], cloud.vhost, cloud.state_dir, force=True)
    with pytest.raises(BrokerError, match="ended by somebody else"):
        tracing.rearm()
    assert not cloud.is_traced()


def test_what_a_dead_recorder_left_on_passes_to_one_that_lives(cloud: Cloud) -> None:
    crash(cloud)
    living = begin_elsewhere(cloud)
    crashed_beside = begin_elsewhere(cloud)
    crashed_beside.kill()
    crashed_beside.communicate()
    with pytest.raises(UsageError, match="records vhost"):
        untrace([cloud.management], cloud.vhost, cloud.state_dir)
    assert cloud.is_traced()
    (lease,) = leases(cloud.state_dir)
    assert (lease.owner_pid, lease.switched_on) == (living.pid, lease.nodes)
    living.kill()
    living.communicate()
    assert untrace([cloud.management], cloud.vhost, cloud.state_dir) == lease.nodes
    assert not cloud.is_traced()


def test_a_vhost_of_the_same_name_on_another_broker_is_left_alone(cloud: Cloud) -> None:
    crash(cloud)
    elsewhere = new_lease(cloud.vhost, "another cluster", ("http://127.0.0.1:1",), ("rabbit@b",)).with_on("rabbit@b")
    store = Leases(cloud.state_dir)
    with store.locked():
        store.write(elsewhere)
    assert len(untrace([cloud.management], cloud.vhost, cloud.state_dir)) == 1
    assert leases(cloud.state_dir) == (elsewhere,)
    with pytest.raises(UsageError, match="records vhost"):
        untrace([cloud.management, Management("http://127.0.0.1:1", "", "")], cloud.vhost, cloud.state_dir)


@pytest.mark.parametrize(
    ("tags", "password", "sentence"),
    [
        ("administrator", "wrong", "check user and password"),
        ("monitoring", "PS7q", "tag administrator"),
        ("", "PS7q", "tag administrator"),
    ],
)
def test_an_account_that_may_not_trace_gets_a_sentence(cloud: Cloud, tags: str, password: str, sentence: str) -> None:
    cloud.server.add_user(f"user-{cloud.vhost}", "PS7q", tags=tags)
    management = Management(cloud.server.management_url, f"user-{cloud.vhost}", password)
    with pytest.raises(BrokerError, match=sentence) as caught:
        Tracing([management], cloud.vhost, cloud.state_dir).begin()
    assert "PS7q" not in str(caught.value)
    assert untrace([cloud.management], cloud.vhost, cloud.state_dir, force=True) == ()


def test_a_vhost_that_is_missing_is_not_made(cloud: Cloud) -> None:
    with pytest.raises(BrokerError, match="no such vhost"):
        Tracing([cloud.management], "nowhere", cloud.state_dir).begin()
    assert "nowhere" not in cloud.server.ctl("-s", "list_vhosts")


def test_without_the_api_the_command_to_run_is_said(cloud: Cloud) -> None:
    tracing = Tracing([Management("http://127.0.0.1:1", "nova", "PS7q")], "my cell", cloud.state_dir)
    with pytest.raises(BrokerError, match=r"rabbitmqctl -n NODE trace_on -p 'my cell'") as caught:
        tracing.begin()
    assert "PS7q" not in str(caught.value)


def test_what_is_not_the_management_api_gets_a_sentence(cloud: Cloud) -> None:
    amqp = Management(f"http://127.0.0.1:{cloud.server.port}", "nova", "PS7q", timeout_s=2)
    with pytest.raises(BrokerError, match="can not be reached"):
        amqp.tracing("/")
    elsewhere = Management(f"{cloud.server.management_url}/elsewhere", "nova", "PS7q")
    with pytest.raises(BrokerError, match="is not RabbitMQ's management API"):
        elsewhere.tracing("/")


@pytest.mark.parametrize("url", ["", "PS7q", "ftp://u:PS7q@host", "http://u:PS7q@host:PS7q", "http://u:PS7q@[host"])
def test_a_bad_management_url_gets_a_sentence_without_the_password(url: str) -> None:
    with pytest.raises(UsageError, match="management URL can not be read") as caught:
        Management(url, "nova", "PS7q")
    assert "PS7q" not in str(caught.value)


def test_a_state_folder_that_is_a_file_gets_a_sentence(cloud: Cloud) -> None:
    cloud.state_dir.write_text("")
    with pytest.raises(UsageError, match="can not be used"):
        cloud.tracing().begin()


def test_a_broken_lease_gets_a_sentence(cloud: Cloud) -> None:
    cloud.state_dir.mkdir()
    (cloud.state_dir / "tracing-1-x.json").write_text("{")
    with pytest.raises(UsageError, match="is not a note"):
        leases(cloud.state_dir)


@pytest.fixture(scope="module")
def first_node() -> Iterator[PrivateBroker]:
    """A node of its own: the one that all tests share stays alone."""
    with PrivateBroker() as node:
        yield node


@pytest.fixture(scope="module")
def second_node(first_node: PrivateBroker) -> Iterator[PrivateBroker]:
    with PrivateBroker(cluster_with=first_node) as node:
        for _ in range(3):  # a cluster that has just formed was seen to take over half a minute for its first vhost
            with contextlib.suppress(BrokerError):
                first_node.add_vhost("first")
                break
        yield node


@pytest.fixture
def clustered(first_node: PrivateBroker, second_node: PrivateBroker, tmp_path: Path) -> Cloud:
    return new_cloud(first_node, tmp_path)


@pytest.mark.long
def test_each_node_of_a_cluster_is_switched_through_its_own_api(clustered: Cloud, second_node: PrivateBroker) -> None:
    other = Management(second_node.management_url, second_node.user, second_node.password)
    tracing = Tracing([clustered.management, other], clustered.vhost, clustered.state_dir)
    tracing.begin()
    assert (clustered.is_traced(), other.tracing(clustered.vhost)) == (True, True)
    assert tracing.nodes_traced == (2, 2)
    tracing.end()
    assert (clustered.is_traced(), other.tracing(clustered.vhost)) == (False, False)


@pytest.mark.long
def test_a_node_without_a_given_api_is_counted_and_the_command_is_said(
    clustered: Cloud, second_node: PrivateBroker
) -> None:
    tracing = clustered.tracing()
    tracing.begin()
    assert tracing.nodes_traced == (1, 2)
    assert tracing.advice() == (
        f"Run on a host of the broker, as root: rabbitmqctl -n {second_node.node} trace_on -p {clustered.vhost}"
    )
    tracing.end()


@pytest.mark.long
def test_a_node_that_was_traced_before_stays_traced(clustered: Cloud, second_node: PrivateBroker) -> None:
    other = Management(second_node.management_url, second_node.user, second_node.password)
    other.set_tracing(clustered.vhost, True)
    tracing = Tracing([clustered.management, other], clustered.vhost, clustered.state_dir)
    tracing.begin()
    tracing.end()
    assert (clustered.is_traced(), other.tracing(clustered.vhost)) == (False, True)


@pytest.mark.long
def test_the_end_of_a_node_out_of_reach_is_a_sentence_and_stays_on_record(
    clustered: Cloud, second_node: PrivateBroker
) -> None:
    other = Management(second_node.management_url, second_node.user, second_node.password)
    tracing = Tracing([clustered.management, other], clustered.vhost, clustered.state_dir)
    tracing.begin()
    second_node.kill()
    try:
        with pytest.raises(BrokerError, match=f"rabbitmqctl -n {second_node.node} trace_off"):
            tracing.end()
        (lease,) = leases(clustered.state_dir)
        assert lease.switched_on == (second_node.node,)
    finally:
        second_node.start()
    ended = untrace([clustered.management, other], clustered.vhost, clustered.state_dir, force=True)
    assert ended == (second_node.node,)
    assert leases(clustered.state_dir) == ()


@pytest.mark.long
def test_a_node_that_restarted_is_traced_again(clustered: Cloud, second_node: PrivateBroker) -> None:
    other = Management(second_node.management_url, second_node.user, second_node.password)
    tracing = Tracing([clustered.management, other], clustered.vhost, clustered.state_dir)
    tracing.begin()
    second_node.restart()
    assert not other.tracing(clustered.vhost)
    assert tracing.rearm() == (second_node.node,)
    assert other.tracing(clustered.vhost)
    tracing.end()


# ------------------------------------------------------------------ again and again

AGAIN = """
import json, sys, time
from rpcscope_collectors.management import Management
from rpcscope_collectors.tracing import Tracing
given = json.load(sys.stdin)
management = Management(given["url"], given["user"], given["password"])
tracing = Tracing([management], given["vhost"], given["state"])
for step in (tracing.begin, tracing.end) * 2 + (tracing.begin,) * given["last"]:
    step()
print("begun", flush=True)
time.sleep(600)
"""


def test_tracing_begins_and_ends_again_and_again_with_a_right_lease_at_each_moment(cloud: Cloud) -> None:
    tracing = cloud.tracing()
    for _ in range(3):
        tracing.begin()
        tracing.begin()  # does no harm
        (lease,) = leases(cloud.state_dir)
        assert lease.switched_on == (cloud.server.node,)
        assert lease.is_held()
        assert (tracing.is_begun, cloud.is_traced(), tracing.nodes_traced) == (True, True, (1, 1))
        assert tracing.rearm() == ()
        tracing.end()
        tracing.end()
        assert leases(cloud.state_dir) == ()
        assert (tracing.is_begun, cloud.is_traced(), tracing.nodes_traced) == (False, False, (0, 1))
        assert tracing.rearm() == ()
        assert not cloud.is_traced()


def test_tracing_that_was_on_before_stays_on_over_every_end(cloud: Cloud) -> None:
    cloud.management.set_tracing(cloud.vhost, True)
    tracing = cloud.tracing()
    for _ in range(2):
        tracing.begin()
        assert leases(cloud.state_dir)[0].switched_on == ()
        tracing.end()
        assert cloud.is_traced()


def test_what_could_not_be_ended_is_ended_by_the_same_recorder_later(cloud: Cloud) -> None:
    with PrivateBroker() as server:
        other = Cloud(server, "/", cloud.state_dir)
        tracing = other.tracing()
        tracing.begin()
        server.stop()
        with pytest.raises(BrokerError, match="Tracing may still be on"):
            tracing.end()
        assert len(leases(cloud.state_dir)) == 1
        server.start()
        tracing.begin()
        assert other.is_traced()
        assert len(leases(cloud.state_dir)) == 1
        tracing.end()
        assert not other.is_traced()
        assert leases(cloud.state_dir) == ()


@pytest.mark.parametrize("last", [0, 1])
def test_after_a_kill_between_any_two_steps_untrace_ends_what_is_left(cloud: Cloud, last: int) -> None:
    recorder = begin_elsewhere(cloud, script=AGAIN, last=last)
    recorder.kill()
    recorder.communicate()
    assert cloud.is_traced() is bool(last)
    assert len(leases(cloud.state_dir)) == last
    untrace([cloud.management], cloud.vhost, cloud.state_dir)
    assert not cloud.is_traced()
    assert leases(cloud.state_dir) == ()
