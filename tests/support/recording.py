"""What recorders are started with, and what must be true of what they stored."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.support.cli import Cli
from tests.support.rabbitmq import Cloud
from tests.support.traffic import Traffic


def broker_options(cloud: Cloud) -> tuple[str, ...]:
    """Where the broker is, and who may switch its tracing."""
    where = ("--transport-url", cloud.server.transport_url(cloud.vhost))
    return (*where, "--management-url", cloud.server.management_url, "--state-dir", str(cloud.state_dir))


def is_left(cloud: Cloud) -> bool:
    """Something of a recorder is still on the broker."""
    return cloud.is_traced() or any(name.startswith("rpcscope.") for name in cloud.management.queues(cloud.vhost))


def expect_each_once(cli: Cli, traffic: Traffic) -> None:
    """Every message of the traffic is in the database once, by request id, by call and in the totals."""
    assert not odd_operations(cli, traffic.request_ids)
    assert len(cli.json("operations", "--all")) == len(traffic.request_ids)
    calls = cli.json("calls", "--all")
    assert len({call["unique_id"] for call in calls}) == len(calls) == 2 * len(traffic.request_ids)
    assert Counter((c["kind"], c["outcome"], c["publishes"], c["replies"], c["copies"]) for c in calls) == {
        ("call", "ok", 1, 1, 2): len(traffic.request_ids),
        ("cast", None, 1, 0, 1): len(traffic.request_ids),
    }
    recordings = cli.json("db", "status")["recordings"]
    total = {word: sum(one[word] for one in recordings) for word in ("seen", "decoded", "rejected", "markers")}
    assert total["seen"] == total["decoded"] + total["rejected"] + total["markers"]
    assert total["rejected"] == 0
    for word in ("messages", "copies"):
        assert sum(one[word] for one in recordings) == 3 * len(traffic.request_ids)


def odd_operations(cli: Cli, request_ids: list[str], *, deliveries: bool = True) -> dict[str, list[int]]:
    """Those of the traffic's operations that are not there exactly once with all their messages, and what is.

    `deliveries`: also with all their copies.
    """
    expected = {"calls": 1, "casts": 1, "replies": 1, "messages": 3, **({"copies": 3} if deliveries else {})}
    found: dict[str, list[int]] = {key: [] for key in request_ids}
    for one in cli.json("operations", "--all"):
        if one["request_id"] in found:
            found[one["request_id"]] = [*found[one["request_id"]], *(one[word] for word in expected)]
    return {key: counts for key, counts in found.items() if counts != list(expected.values())}


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another program holds the write lock of an SQLite database."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
