"""From a real broker through the queue tap into a store and onto the pages of queues."""

from __future__ import annotations

from pathlib import Path

import pytest

from rpcscope.store import open_store
from rpcscope_collectors.queues import QueueTap
from tests.integration.test_queue_depth_stored import Recording
from tests.support.queues import Watched, wait_for
from tests.unit.web.site import client

pytestmark = pytest.mark.server


def test_depth_consumers_and_bindings_of_a_real_broker_are_on_its_page(watched: Watched, tmp_path: Path) -> None:
    connection = watched.connect()
    channel = connection.channel()
    channel.exchange_declare("nova", "topic")
    for queue in ("compute.host-1", "compute.host-2"):
        channel.queue_declare(queue)
        channel.queue_bind(queue, "nova", queue)
    channel.basic_consume("compute.host-1", lambda *_: None)
    channel.confirm_delivery()
    for _ in range(3):
        channel.basic_publish("nova", "compute.host-2", b"x")
    with open_store(str(tmp_path / "store.db"), create=True) as store, client(store) as web:
        recording = Recording(store, watched.vhost)
        tap = QueueTap(watched.vhost, apis=[watched.api], metrics=[watched.metrics], hand_on=recording.sightings.put)

        def is_known() -> bool:
            tap.poll()
            recording.commit()
            rows = web.get("/api/v1/queues", params={"name": "compute.*"}).json()["queues"]
            return {(row["name"], row["ready"], row["consumers"]) for row in rows} == {
                ("compute.host-1", 0, 1),
                ("compute.host-2", 3, 0),
            }

        wait_for(is_known)
        asked = {"from": "2020-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z"}
        (lonely,) = web.get("/api/v1/queues/abandoned", params=asked).json()["items"]
        assert (lonely["name"], lonely["ready"], lonely["expires_at_default"]) == ("compute.host-2", 3, None)
        history = web.get("/api/v1/queues/history", params=asked | {"name": "compute.host-2"}).json()
        assert max(step["depth"] or 0 for step in history["lines"][0]["steps"]) == 3
        (route,) = web.get("/api/v1/queues/routes", params={"name": "compute.*"}).json()["items"]
        assert {(way["exchange"], way["queue"]) for way in route["bindings"]} == {
            ("nova", "compute.host-1"),
            ("nova", "compute.host-2"),
        }
        for path in ("/queues", "/queues/compute.*", "/queues/compute.host-2"):
            page = web.get(path, params=asked)
            assert page.status_code == 200
            assert "compute." in page.text
    connection.close()
