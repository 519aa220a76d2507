"""An empty store for questions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rpcscope.store import Store, open_store
from tests.support.dashboard import recorded_store


@pytest.fixture
def empty_store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "store.sqlite"), create=True) as store:
        yield store


@pytest.fixture(scope="session")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """All captures of nova 34. It is shared: only read it."""
    with open_store(recorded_store(tmp_path_factory.mktemp("captures") / "store.sqlite")) as store:
        yield store
