"""`rpcscope show` tells what notifications said and how far a migration is, and nothing where nobody told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rpcscope.cli.main import _run
from rpcscope.store import open_store
from tests.support.trouble import TROUBLES, Cloud


@pytest.fixture
def db(tmp_path: Path) -> str:
    path = str(tmp_path / "store.sqlite")
    with open_store(path, create=True) as store:
        cloud = Cloud(store)
        TROUBLES["endless-migrations"](cloud)
        cloud.operation(7, request_id="req-plain")
    return path


def show(db: str, request_id: str, capsys: Any, *more: str) -> str:
    assert _run(["show", request_id, "--db", db, *more]) == 0
    return str(capsys.readouterr().out)


def test_a_migration_is_told_with_its_pace_its_rate_and_what_is_left(db: str, capsys: Any) -> None:
    shown = show(db, "req-moves", capsys)
    assert "not converging for 45.0 s  1.0 GB/s sent  4.0 GB left of pass 1\n" in shown
    assert shown.count("running") == 11
    assert "disk left" in shown
    assert "?" in shown.splitlines()[-1]  # of the disk nobody told


def test_nothing_is_said_where_nobody_told_anything(db: str, capsys: Any) -> None:
    shown = show(db, "req-plain", capsys)
    assert "Notifications" not in shown
    assert "Migration" not in shown
    told = json.loads(show(db, "req-plain", capsys, "--format", "json"))
    assert (told["notices"], told["migrations"]) == ([], [])
