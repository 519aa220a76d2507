"""From a real broker through the taps into a store and out by the command."""

from __future__ import annotations

import json
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from rpcscope.cli.main import _run
from rpcscope.model import Batch, Churn, QueueSighting
from rpcscope.queue_intake import QueueIntake
from rpcscope.store import Store, open_store
from rpcscope_collectors.churn import ChurnTap
from rpcscope_collectors.queues import QueueTap
from tests.support.queues import Watched, wait_for

pytestmark = pytest.mark.server


class Recording:
    """A store that is written as the pipeline writes it."""

    def __init__(self, store: Store, vhost: str) -> None:
        self.intake, self.sightings = QueueIntake(), SimpleQueue[QueueSighting]()
        self.reader, self._writer = store.reader(), store.writer()
        self._number = self._writer.start(
            source="firehose", scope=vhost, digest="", label=vhost, tap_mode="", conditions="", started_ns=1
        ).recording.id

    def commit(self) -> None:
        while not self.sightings.empty():
            self.intake.feed(self.sightings.get())
        changes = self.intake.take_new()
        fields = {name: getattr(changes, name) for name in changes.__dataclass_fields__}
        self._writer.write(Batch(recording_id=self._number, **fields))


def shown(path: str, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    capsys.readouterr()
    assert _run(["queues", "--db", path, "--format", "json", *options]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["polls"][0]["complete"]
    return {row["name"]: row for row in document["queues"]}


def test_depth_of_a_real_broker_is_stored_and_shown(
    watched: Watched, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "store.db")
    connection = watched.connect()
    channel = connection.channel()
    for queue in ("conductor", "compute.host-1", "compute.host-2", "PS7q is no name"):
        channel.queue_declare(queue)
    channel.confirm_delivery()
    for queue in ("conductor", "compute.host-1", "compute.host-2", "compute.host-2"):
        channel.basic_publish("", queue, b"x")
    with open_store(path, create=True) as store:
        recording = Recording(store, watched.vhost)
        tap = QueueTap(watched.vhost, apis=[watched.api], metrics=[watched.metrics], hand_on=recording.sightings.put)

        def is_seen() -> bool:
            tap.poll()
            recording.commit()
            rows = shown(path, capsys)
            return rows["compute.*"]["ready"] == 3 and rows["conductor"]["ready"] == 1

        wait_for(is_seen)
        before = store.reader().counts()["queue_sample"]
        tap.poll()
        recording.commit()
        assert store.reader().counts()["queue_sample"] == before  # nothing changed
        assert shown(path, capsys)["~*"]["queues"] == 1
        assert set(shown(path, capsys, "compute.*")) == {"compute.host-1", "compute.host-2"}
        assert [node.node for node in store.reader().node_states()] == [watched.server.node]
        channel.queue_delete("compute.host-2")

        def is_gone() -> bool:
            tap.poll()
            recording.commit()
            return set(shown(path, capsys, "compute.*")) == {"compute.host-1"}

        wait_for(is_gone)
    connection.close()
    assert b"PS7q" not in Path(path).read_bytes()


def test_what_came_and_went_on_a_real_broker_is_stored(watched: Watched, tmp_path: Path) -> None:
    with open_store(str(tmp_path / "store.db"), create=True) as store:
        recording = Recording(store, watched.vhost)
        tap = ChurnTap(watched.broker, hand_on=recording.sightings.put)
        tap.start()
        try:
            assert tap.ready.wait(30)
            connection = watched.connect()
            connection.channel().queue_declare("compute.host-1")
            connection.close()

            def is_stored() -> bool:
                recording.commit()
                events = store.reader().churn(0, 2**62)
                return any(e.event is Churn.QUEUE_CREATED and e.queue == "compute.host-1" for e in events)

            wait_for(is_stored)
        finally:
            tap.stop()
