"""`rpcscope record` samples the queues beside the messages, and `rpcscope queues` tells them."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import Cli, new_cli
from tests.support.queues import Watched
from tests.support.recording import broker_options

pytestmark = pytest.mark.server
WAITING = 5


def depth(cli: Cli, name: str) -> dict[str, Any] | None:
    """What is told of a queue, once it was looked at."""
    for _ in range(60):
        rows = [row for row in cli.json("queues", "--all")["queues"] if row["name"] == name]
        if rows and rows[0]["ready"] == WAITING:
            return dict(rows[0])
        time.sleep(0.5)
    return None


@pytest.mark.parametrize("source", ["management", "prometheus"])
def test_what_lies_in_a_queue_while_recording_is_told(watched: Watched, tmp_path: Path, source: str) -> None:
    with closing(watched.connect()) as connection:
        channel = connection.channel()
        channel.queue_declare("conductor", durable=True)
        for _ in range(WAITING):
            channel.basic_publish("", "conductor", b"{}")
    cli = new_cli(tmp_path)
    metrics = ("--prometheus-url", watched.metrics_url) if source == "prometheus" else ()
    with cli.running("record", *broker_options(watched), *metrics) as recorder:
        recorder.wait_for("rpcscope: recording")
        assert depth(cli, "conductor") is not None
        done = recorder.end()
    assert done.code == 0, done
