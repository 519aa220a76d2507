"""JSON and CSV for programs: valid, flat, and safe to open."""

import csv
import io
import json
from typing import Any

import pytest

from rpcscope.cli.output import plain, put_csv, put_json_rows


@pytest.mark.parametrize("rows", [[], [{"a": 1}], [{"a": 1}, {"a": "\u202e\n"}]])
def test_rows_are_one_json_array_however_many(rows: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    put_json_rows(rows)
    out = capsys.readouterr().out
    assert json.loads(out) == rows
    assert out.isascii()


def test_nested_fields_get_dotted_names_and_lists_are_joined(capsys: pytest.CaptureFixture[str]) -> None:
    put_csv([{"from": {"process": "a:1", "host": None}, "flags": ["x", "y"]}])
    assert list(csv.DictReader(io.StringIO(capsys.readouterr().out))) == [
        {"from.process": "a:1", "from.host": "", "flags": "x y"}
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_a_cell_is_never_a_formula(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    put_csv([{"method": text, "count": -5}])
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out, newline=""))
    assert row == {"method": f"'{text}", "count": "-5"}


def test_one_number_stands_for_all_when_they_agree() -> None:
    assert plain({"p50": 27.0, "p95": 27.0, "max": 27.0}) == "27"
    assert plain({"p50": 27.0, "p95": 31.0, "max": 33.0}) == "27 (p95 31)"
    assert plain({"p50": None, "p95": None, "max": None}) == ""
