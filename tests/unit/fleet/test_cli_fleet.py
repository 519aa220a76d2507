"""`rpcscope fleet` as a user sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rpcscope.cli.main import cli
from rpcscope.errors import UsageError


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(cli, ["fleet", *map(str, args)], catch_exceptions=False)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    path = tmp_path / "fleet.yaml"
    path.write_text(run("example").stdout)
    return path


def test_the_example_is_accepted_and_its_sums_are_told(example: Path) -> None:
    said = run("check", example).stdout
    assert "Fleet example can be: 10 hosts with 120 servers." in said
    assert ["2026", "*", "72", "72", "70", "96", "5.2", "0.1"] in [line.split() for line in said.splitlines()]
    assert "22% is stolen" in said


def test_programs_get_json(example: Path) -> None:
    said = json.loads(run("check", example, "--format", "json").stdout)
    assert (said["hosts"], said["servers"], said["connections"], said["queues"]) == (10, 120, 72, 70)
    assert said["idle_messages_s"] == pytest.approx(5.24, abs=0.01)


def test_the_schema_is_json() -> None:
    assert json.loads(run("schema").stdout)["$defs"]["Hosts"]["required"] == ["count"]


def test_a_fleet_that_can_not_be_is_an_error(example: Path) -> None:
    example.write_text(example.read_text().replace("count: 2", "count: two"))
    with pytest.raises(UsageError, match=r"hosts\[0\].count: expected int, got str"):
        run("check", example)
