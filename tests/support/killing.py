"""A recorder killed at a moment of its life, and what must be true of the broker and the database afterwards."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from rpcscope.store import open_store
from rpcscope_collectors.tracing import leases
from tests.support.cli import Cli, Running
from tests.support.rabbitmq import Cloud
from tests.support.recording import odd_operations
from tests.support.traffic import Traffic

GIVE_UP_S = 60.0
BORDER_NS = 1_000_000_000
"""An operation's three messages and what tells of them do not happen at one instant."""


@dataclass(frozen=True)
class Killer:
    """Finds moments to kill a recorder of one cloud; its chance decides which."""

    cloud: Cloud
    cli: Cli
    chance: random.Random

    def at_start(self, recorder: Running) -> None:
        """While it imports, opens the database, connects."""
        time.sleep(self.chance.uniform(0, 1.5))

    def at_arming(self, recorder: Running) -> None:
        """Around the lease, the queue, tracing."""
        signs = (self._has_lease, self._has_queue, self.cloud.is_traced)
        _until(self.chance.choice(signs), recorder)
        time.sleep(self.chance.uniform(0, 0.1))

    def at_run(self, recorder: Running) -> None:
        """Between and within its transactions."""
        recorder.wait_for("rpcscope: recording")
        time.sleep(self.chance.uniform(0, 2))

    def at_trigger(self, recorder: Running) -> None:
        """Around a flight recorder's change to details, and back."""
        recorder.wait_for("rpcscope: recording")
        with self.cli.running("trigger", "--minutes", "0.02"):
            time.sleep(self.chance.uniform(0, 4))

    def at_stop(self, recorder: Running) -> None:
        """While it drains its queue, stores, ends tracing, deletes its queue."""
        recorder.wait_for("rpcscope: recording")
        time.sleep(self.chance.uniform(0, 0.5))
        recorder.process.send_signal(signal.SIGINT)
        time.sleep(self.chance.uniform(0, 1))

    def _has_lease(self) -> bool:
        return any(self.cloud.state_dir.glob("tracing-*.json"))

    def _has_queue(self) -> bool:
        return any(name.startswith("rpcscope.tap.") for name in self.cloud.management.queues(self.cloud.vhost))


def _until(sign: Callable[[], bool], recorder: Running) -> None:
    deadline = time.monotonic() + GIVE_UP_S
    while not sign():
        assert recorder.process.poll() is None, recorder.said
        assert time.monotonic() < deadline, recorder.said
        time.sleep(0.005)


def expect_a_trail(cloud: Cloud) -> None:
    """Tracing that is on is on disk as ours, so that somebody can end it."""
    assert not cloud.is_traced() or any(lease.switched_on for lease in leases(cloud.state_dir))


def expect_no_trail(cloud: Cloud) -> None:
    """Tracing is off and nobody holds it for on."""
    assert not cloud.is_traced()
    assert leases(cloud.state_dir) == ()


def expire(cloud: Cloud) -> None:
    """Let the broker delete queues without a consumer at once instead of after ten minutes, and wait until it has."""
    vhost = ("-p", cloud.vhost)
    cloud.server.ctl("set_policy", *vhost, "soon", "^rpcscope", '{"expires": 1}', "--apply-to", "queues")
    deadline = time.monotonic() + GIVE_UP_S
    while any(name.startswith("rpcscope.") for name in cloud.management.queues(cloud.vhost)):
        assert time.monotonic() < deadline, "a queue of the tap is left"
        time.sleep(0.1)


def expect_nothing_twice(cli: Cli) -> None:
    """No call, publish, reply or delivery is counted twice."""
    calls = cli.json("calls", "--all")
    assert len({call["unique_id"] for call in calls}) == len(calls)
    most = {"publishes": 1, "replies": 1, "copies": 2}  # what is not seen is None
    assert not [call for call in calls if any((call[word] or 0) > bound for word, bound in most.items())]


def expect_once_or_explained(cli: Cli, traffic: Traffic, *, deliveries: bool = True) -> int:
    """No message is counted twice, and what is missing fell into a gap that was told; how many are whole."""
    expect_nothing_twice(cli)
    odd = odd_operations(cli, traffic.request_ids, deliveries=deliveries)
    blind = blind_times(cli)
    unexplained = {
        key: (traffic.began_ns[key], counts)
        for key, counts in odd.items()
        if not any(since - BORDER_NS <= traffic.began_ns[key] <= until + BORDER_NS for since, until in blind)
    }
    assert not unexplained, (len(unexplained), list(unexplained.items())[:5], blind)
    return len(traffic.request_ids) - len(odd)


def blind_times(cli: Cli) -> list[tuple[int, int]]:
    """When the database says that it did not see all: in its gaps, and before its first recording."""
    with open_store(cli.database) as store:
        reader = store.reader()
        first = min(info.recording.started_ns for info in reader.recordings())
        return [(0, first), *((gap.from_ns, gap.to_ns) for gap in reader.gaps(0))]
