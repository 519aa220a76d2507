"""A store with two captures, which no test writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rpcscope.store import Store, open_store
from tests.support.dashboard import CAPTURES, import_captures
from tests.unit.web.site import Web, client


@pytest.fixture(scope="session")
def two_captures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path = tmp_path_factory.mktemp("web") / "store.sqlite"
    with open_store(str(path), create=True) as store:
        import_captures(store, CAPTURES / "01_boot_1.jsonl.zst", CAPTURES / "14_boot_no_valid_host.jsonl.zst")
        yield store


@pytest.fixture
def web(two_captures: Store) -> Iterator[Web]:
    with client(two_captures) as found:
        yield found


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "store.sqlite"), create=True) as store:
        yield store
