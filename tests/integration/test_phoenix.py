"""Traces in a backend that others wrote: what was recorded comes back from Phoenix's own API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.support.cli import Cli, new_cli
from tests.support.dashboard import recorded_store
from tests.support.otlp import Received, http_receiver
from tests.support.phoenix import Phoenix, phoenix

pytestmark = [pytest.mark.server, pytest.mark.long]


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phoenix]:
    with phoenix(tmp_path_factory.mktemp("phoenix")) as running:
        yield running


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    folder = tmp_path_factory.mktemp("recorded")
    return new_cli(folder, recorded_store(folder / "store.sqlite"))


def sent(cli: Cli, url: str, *options: str) -> int:
    done = cli.ok("export", "otlp", "--endpoint", url, "--background", "--format", "json", *options)
    return int(json.loads(done)["spans"])


def microseconds(time: str) -> int:
    at = datetime.fromisoformat(time)
    return int(at.timestamp()) * 1_000_000 + at.microsecond


def as_stored(one: dict[str, Any]) -> tuple[str, ...]:
    where = one["context"]
    error = one["status_message"] if one["status_code"] == "ERROR" else ""
    return where["trace_id"], where["span_id"], one["parent_id"] or "", one["name"], error


def as_sent(one: Received) -> tuple[str, ...]:
    return one["trace"], one["id"], one["parent"], one["name"], one["error"]


def test_every_recorded_operation_comes_back_with_its_spans_parents_and_times_and_once_though_sent_twice(
    cli: Cli, backend: Phoenix
) -> None:
    with http_receiver() as receiver:
        count = sent(cli, receiver.url)
        meant = receiver.spans()
    assert sent(cli, backend.url) == sent(cli, backend.grpc_url, "--protocol", "grpc") == count
    found = backend.spans(count)
    assert sorted(map(as_stored, found)) == sorted(map(as_sent, meant))
    told = {one["context"]["span_id"]: one for one in found}
    for one in meant:
        stored = told[one["id"]]
        for end in ("start", "end"):  # it keeps microseconds, rounded by way of a float
            assert abs(microseconds(stored[f"{end}_time"]) - one[end] // 1000) <= 1
        for name, value in one["attributes"].items():
            assert stored["attributes"][name] == (list(value) if isinstance(value, tuple) else value)
