"""Captures of a real nova, stored and counted, which no test writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from rpcscope.export.metrics.meter import Choices, Meters
from rpcscope.store import Store, open_store
from tests.support.dashboard import CAPTURES
from tests.support.measured import record_captures

PATHS = sorted(CAPTURES.glob("*.zst"))


@dataclass(frozen=True)
class Measured:
    """A store and what was counted while it was written."""

    store: Store
    meters: Meters


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measured]:
    path = tmp_path_factory.mktemp("measured") / "store.sqlite"
    with open_store(str(path), create=True) as store:
        meters = Meters(Choices())
        record_captures(store, meters, PATHS)
        yield Measured(store, meters)


@pytest.fixture(scope="session")
def with_hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measured]:
    path = tmp_path_factory.mktemp("hosts") / "store.sqlite"
    with open_store(str(path), create=True) as store:
        meters = Meters(Choices(hosts=True, oslo=True))
        record_captures(store, meters, PATHS)
        yield Measured(store, meters)
