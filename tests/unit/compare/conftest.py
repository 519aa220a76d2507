"""Stores of recorded boots. They are shared: only read them, or copy them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rpcscope.store import open_store
from tests.support.dashboard import CAPTURES, import_captures

BOOTS = CAPTURES / "02_boot_10_serial.jsonl.zst"


@pytest.fixture(scope="session")
def boots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten boots, one after the other."""
    path = tmp_path_factory.mktemp("boots") / "boots.sqlite"
    with open_store(str(path), create=True) as store:
        import_captures(store, BOOTS)
    return path
