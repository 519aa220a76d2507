"""What the pages for those who run it speak of is there: commands, options, metrics, sentences."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from rpcscope.cli.main import COMMANDS, cli
from rpcscope.cli.unit import unit
from rpcscope.export.metrics.catalogue import METRICS
from tests.unit.test_house import ROOT

PRODUCTION = ROOT / "docs/production.md"
TAPS = sorted(page for page in (ROOT / "docs/taps").glob("*.md") if page.stem != "what-each-tap-knows")
OUTLINE = ["What it sees", "What it costs", "Rights", "What it leaves behind", "What it can not know"]
SOURCES = [ROOT / "rpcscope", ROOT / "collectors"]


def the_command(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


def options(command: click.Command) -> set[str]:
    """Options of a command and of its own commands."""
    own = {word for parameter in command.params for word in (*parameter.opts, *parameter.secondary_opts)}
    if isinstance(command, click.Group):
        own = own.union(*(options(one) for one in command.commands.values()))
    return own


def said_commands(page: Path) -> list[tuple[str, set[str]]]:
    """Commands of rpcscope in code, each with the long options it is given; lines that go on are joined."""
    text = page.read_text().replace("\\\n", " ")
    code = re.findall(r"^    (.*)$", text, re.MULTILINE) + re.findall(r"`([^`]+)`", text)
    calls = [found for part in code for found in re.findall(r"(?<![\w./])rpcscope ([a-z]+)([^#]*)", part)]
    return [(name, set(re.findall(r"--[a-z-]+", rest))) for name, rest in calls]


@pytest.mark.parametrize("page", TAPS, ids=lambda page: page.stem)
def test_each_tap_is_told_of_in_the_same_order(page: Path) -> None:
    sections = re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)
    assert [section for section in sections if section in OUTLINE] == OUTLINE


def test_every_kind_of_tap_has_its_page() -> None:
    assert {page.stem for page in TAPS} >= {"firehose", "bindings", "queues", "management", "markers"}


@pytest.mark.parametrize("page", [PRODUCTION, *TAPS], ids=lambda page: page.stem)
def test_every_command_of_the_pages_is_there_with_its_options(page: Path) -> None:
    for name, given in said_commands(page):
        assert name in COMMANDS
        assert given <= options(the_command(name)), name


def test_a_command_that_is_not_there_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Run `rpcscope fly --high`.\n\n    rpcscope record --slow \\\n        --low  # --not-this\n")
    assert said_commands(page) == [("record", {"--slow", "--low"}), ("fly", {"--high"})]


def test_every_mode_is_in_the_table_of_modes() -> None:
    (mode,) = (one for one in the_command("record").params if one.name == "mode")
    assert isinstance(mode.type, click.Choice)
    told = re.findall(r"^\| \[`(\w+)`\]", PRODUCTION.read_text(), re.MULTILINE)
    assert sorted(told) == sorted(mode.type.choices)


def test_every_metric_to_set_an_alarm_on_is_served() -> None:
    told = set(re.findall(r"`(rpcscope_\w+)`", PRODUCTION.read_text()))
    served = {metric.name for metric in METRICS}
    assert told
    assert told <= served


def test_every_sentence_to_look_up_is_one_that_rpcscope_says() -> None:
    section = PRODUCTION.read_text().partition("## At 3 a.m.")[2].partition("\n## ")[0]
    quoted = re.findall(r"^\|[^|]*?\*([^*]+)\*[^|]*\|", section, re.MULTILINE)
    assert len(quoted) > 5
    code = " ".join(path.read_text() for folder in SOURCES for path in folder.rglob("*.py"))
    assert [words for words in quoted if words not in code] == []


def test_what_the_page_says_of_the_service_is_in_its_unit_file() -> None:
    text = unit(Path("/opt/rpcscope/bin/rpcscope"))
    for words in ("/etc/rpcscope.env", "RPCSCOPE_TRANSPORT_URL", "RPCSCOPE_MANAGEMENT_URL", "RPCSCOPE_OPTIONS"):
        assert words in text
        assert words in PRODUCTION.read_text()
