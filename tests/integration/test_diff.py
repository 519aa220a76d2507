"""Two recordings compared as a user compares them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import Cli, new_cli

CAPTURES = Path(__file__).parents[1] / "captures"
BOOTS = CAPTURES / "nova34" / "02_boot_10_serial.jsonl.zst"


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return new_cli(tmp_path)


def test_an_import_keeps_the_labels_and_a_second_one_changes_them(cli: Cli) -> None:
    cli.ok("import", BOOTS, "--label", "release=2026.1", "--label", "driver=fake")
    assert "stored before" in cli.ok("import", BOOTS, "--label", "release=2026.2")
    (recording,) = cli.json("db", "status")["recordings"]
    assert recording["labels"] == {"driver": "fake", "release": "2026.2"}
    assert "driver=fake release=2026.2" in cli.ok("db", "status")


@pytest.mark.parametrize(
    "label", ["release", "=2026.2", "re lease=1", "release=", "release=\x1b[31m", "a=" + "x" * 256]
)
def test_a_label_that_is_none_is_refused_in_a_sentence(cli: Cli, label: str) -> None:
    assert "--label wants KEY=VALUE such as release=2026.2" in cli.refused(2, "import", BOOTS, "--label", label)


def test_a_label_with_two_values_is_refused(cli: Cli) -> None:
    words = ("--label", "a=1", "--label", "a=2")
    assert cli.refused(2, "import", BOOTS, *words) == "--label gives a two values: give it one"
