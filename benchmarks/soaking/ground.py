"""Where a soak takes place: a private broker, a private PostgreSQL, a recorder as a user runs it, and who sends."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.children.worker import Worker
from rpcscope.model import Counters, Gap
from rpcscope.private_broker import PrivateBroker
from rpcscope.store import open_store
from rpcscope.store.protocol import OperationFilter, Reader
from tests.support.cli import Running, new_cli
from tests.support.postgres import postgres_server
from tests.support.rabbitmq import Cloud
from tests.support.recording import broker_options

GIVE_UP_S = 600.0
SETTINGS = {"vm_memory_high_watermark.absolute": "2GB"}


@dataclass
class Ground:
    """All of it while it runs."""

    server: PrivateBroker
    sender: Worker
    recorder: Running
    url: str  # of the database
    reader: Reader

    @contextmanager
    def bounded(self, events: int) -> Iterator[None]:
        """The tap's queue holds no more than so many events: its own bound would take minutes to reach.

        By a policy, as an operator may set a lower bound, too.
        """
        rule = ("--apply-to", "queues", "bound", r"^rpcscope\.tap\.", json.dumps({"max-length": events}))
        self.server.ctl("set_policy", *rule)
        yield
        self.server.ctl("clear_policy", "bound")

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """The recorder stands still, as on a machine that was suspended."""
        os.kill(self.recorder.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.recorder.process.pid, signal.SIGCONT)

    @contextmanager
    def store_held(self) -> Iterator[None]:
        """Somebody holds the table that the recorder writes to."""
        with psycopg.connect(self.url) as other:
            other.execute("LOCK TABLE call IN EXCLUSIVE MODE")
            yield
            other.rollback()

    def wait_for(self, fence: str) -> None:
        """Until the store has the delivery of that message, and with it everything before it."""
        deadline = time.monotonic() + GIVE_UP_S
        while not any(one.by_request.copies for one in self.reader.operations(OperationFilter(request_id=fence))):
            if self.recorder.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The recorder never stored what was sent: {self.recorder.said}")
            time.sleep(0.1)

    def counters(self) -> Counters:
        """What the recording holds by now."""
        (info,) = self.reader.recordings()
        return info.counters

    def gaps(self) -> list[Gap]:
        """All that the recorder told of."""
        return self.reader.gaps()

    def rpcs(self) -> int:
        """Calls, casts and fanouts in the store."""
        (info,) = self.reader.recordings()
        return self.reader.recording_totals(info.recording.id).rpcs

    def lag_s(self, since_ns: int) -> float:
        """As the recorder last reported it; 0.0 when it has not since that time."""
        lags = [one.lag_ns for one in self.reader.health() if one.at_ns >= since_ns and one.lag_ns is not None]
        return max(lags, default=0) / 1e9

    def end(self) -> dict[str, Any]:
        """End the recorder as Ctrl-C does; the totals that it prints."""
        done = self.recorder.end()
        if done.code:
            raise RuntimeError(f"The recorder ended with {done.code}: {done.err}")
        return dict(json.loads(done.out))


@contextmanager
def ground(mode: str, seed: int) -> Iterator[Ground]:
    """Everything started and the recorder recording; all of it is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="rpcscope-soak-") as name,
        PrivateBroker(Path(name), settings=SETTINGS) as server,
        postgres_server() as database,
    ):
        url, cloud = database.fresh(), Cloud(server, "/", Path(name) / "state")
        account = {"user": server.user, "password": server.password, "port": server.port, "vhost": cloud.vhost}
        record = ("record", *broker_options(cloud), "--mode", mode, "--format", "json")
        with (
            new_cli(Path(name), url).running(*record) as recorder,
            Worker("benchmarks.soaking.sender", seed=seed, **account) as sender,
        ):
            recorder.wait_for("rpcscope: recording")
            with open_store(url) as store:
                yield Ground(server, sender, recorder, url, store.reader())
