"""The tests' way to save the time of imports changes nothing that a command does."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.cli import PROGRAM, new_cli
from tests.support.warm import is_warm, warm


@pytest.mark.parametrize("command", [["cost"], ["db", "upgrade"], ["calls", "--format", "none"], ["\udcff"]], ids=str)
def test_a_warm_command_says_and_does_what_a_cold_one_does(tmp_path: Path, command: list[str]) -> None:
    new, cold = new_cli(tmp_path / "one", TZ="Asia/Tokyo"), new_cli(tmp_path / "two", TZ="Asia/Tokyo")
    expected = subprocess.run(
        [PROGRAM, *command], env=cold.environment(), cwd=cold.folder, capture_output=True, text=True, check=False
    )
    found = new.run(*command)
    said = (expected.stdout, expected.stderr.replace(str(cold.folder), str(new.folder)))
    assert (found.code, found.out, found.err) == (expected.returncode, *said)
    made = [sorted(one.name for one in cli.folder.iterdir()) for cli in (new, cold)]
    assert made[0] == made[1]


def test_a_warm_command_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    cli = new_cli(tmp_path)
    cli.ok("db", "upgrade")
    with pytest.raises(subprocess.TimeoutExpired):
        warm().run([str(PROGRAM), "serve", "--port", "0"], cli.environment(), tmp_path, 0.5)


def test_an_environment_that_changes_the_interpreter_is_left_to_a_process_that_begins_with_it(tmp_path: Path) -> None:
    assert is_warm(new_cli(tmp_path, COLUMNS="200").environment())
    assert not is_warm(new_cli(tmp_path, PYTHONIOENCODING="latin-1").environment())
    assert not is_warm(new_cli(tmp_path, LC_ALL="C").environment())
