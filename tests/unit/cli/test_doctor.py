"""`rpcscope doctor` as a person and as a program use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rpcscope.cli.main import _run
from rpcscope.query.times import iso
from rpcscope.store import open_store
from tests.contract.records import START
from tests.support.trouble import END, TROUBLES, Cloud

HOUR = ("--since", str(iso(START)), "--until", str(iso(END)))


def database(folder: Path, *troubles: str) -> str:
    path = str(folder / "store.sqlite")
    with open_store(path, create=True) as store:
        cloud = Cloud(store)
        cloud.quiet()
        for name in troubles:
            TROUBLES[name](cloud)
    return path


def doctor(path: str, *options: str) -> int:
    return _run(["doctor", "--db", path, *(options or HOUR)])


def test_it_ends_with_0_and_says_that_nothing_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(database(tmp_path)) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("None of ")
    assert line.endswith("from 2026-09-21T14:13:20Z to 2026-09-21T15:13:20Z.")


def test_a_warning_is_told_and_ends_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(database(tmp_path, "growing-queues")) == 0
    out = capsys.readouterr().out
    assert out.startswith("WARN 1 queue or family grows: 700 messages more in 10 min  growing-queues\n")
    assert "- conductor: +700 to 700 messages" in out
    assert " why More comes than is taken." in out
    assert " do  See which process consumes it" in out


def test_something_bad_comes_first_and_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(database(tmp_path, "growing-queues", "stuck-operations")) == 1
    out = capsys.readouterr().out
    assert out.startswith("BAD  1 operation is stuck  stuck-operations\n     - create (req-stuck): ")
    assert out.index("stuck-operations") < out.index("growing-queues")


def test_programs_get_the_same_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(database(tmp_path, "broker-nodes"), *HOUR, "--format", "json") == 1
    answer = json.loads(capsys.readouterr().out)
    (flag,) = answer["flags"]
    assert (answer["from"], flag["name"], flag["level"], flag["now"]) == (iso(START), "broker-nodes", "bad", True)
    assert flag["evidence"][0]["what"] == "rabbit@b"


def test_without_a_time_it_looks_at_the_last_hour_that_was_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(database(tmp_path, "stuck-operations"), "--format", "table") == 1
    assert " from 2026-09-21T14:13:1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--all", "--since", "1h"), "not both"),
        (("--since", "2026-09-22", "--until", "2026-09-21"), "ends before it begins"),
        (("--since", "soon"), "wants a time"),
    ],
)
def test_a_wrong_time_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    assert doctor(database(tmp_path), *options) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1
