"""The unit file: systemd reads it, and every command and option in it is there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from rpcscope.cli.main import _run, cli
from rpcscope.cli.unit import unit
from tests.support.unit_file import command, keys

PROGRAM = Path(sys.executable).with_name("rpcscope")


def options(name: str) -> set[str]:
    """Options of a command."""
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return {word for parameter in found.params for word in parameter.opts}


def variables(name: str) -> set[str]:
    """Environment variables that a command reads."""
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return {str(parameter.envvar) for parameter in found.params if parameter.envvar}


def test_the_command_prints_the_unit_of_the_program_that_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["unit"]) == 0
    out = capsys.readouterr().out
    assert out == unit(PROGRAM)
    assert f"ExecStart={PROGRAM} record " in out
    assert "@PROGRAM@" not in out


@pytest.mark.parametrize(("key", "name"), [("ExecStart", "record"), ("ExecStopPost", "untrace")])
def test_each_command_of_the_unit_has_the_options_that_it_is_given(key: str, name: str) -> None:
    found = command(key, PROGRAM, Path("/states"), {})
    assert found[:2] == [str(PROGRAM), name]
    given = [word for word in found if word.startswith("--")]
    assert given
    assert set(given) <= options(name)


def test_the_variables_that_the_unit_tells_of_are_those_that_both_commands_read() -> None:
    text = unit(PROGRAM)
    told = {"RPCSCOPE_TRANSPORT_URL", "RPCSCOPE_MANAGEMENT_URL"}
    assert all(f"{name}=" in text for name in told)
    assert told <= variables("record")
    assert told <= variables("untrace")
    assert "RPCSCOPE_DB" in variables("record")
    assert "$RPCSCOPE_OPTIONS" in keys(text)["ExecStart"]


def test_both_commands_use_the_same_state_folder_which_the_service_may_write() -> None:
    start, stop = (command(key, PROGRAM, Path("/states"), {}) for key in ("ExecStart", "ExecStopPost"))
    assert start[2:4] == stop[2:4] == ["--state-dir", f"/states/{keys(unit(PROGRAM))['StateDirectory']}"]


def test_no_password_is_on_a_command_line() -> None:
    found = keys(unit(PROGRAM))
    assert not [key for key, value in found.items() if "PASSWORD" in value or "_URL" in value]
    assert found["EnvironmentFile"] == "/etc/rpcscope.env"


def test_a_program_in_a_home_folder_is_told_to_be_out_of_reach(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "executable", "/home/ann/venv/bin/python")
    assert _run(["unit"]) == 0
    assert "outside of /home" in capsys.readouterr().err


def test_systemd_has_nothing_to_say_against_it(tmp_path: Path) -> None:
    assert shutil.which("systemd-analyze"), "install the package systemd"
    file = tmp_path / "rpcscope.service"
    file.write_text(unit(PROGRAM))
    done = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
