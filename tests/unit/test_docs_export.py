"""The pages on metrics and files tell every metric and every column, and nothing that is not there."""

from __future__ import annotations

import re

import click

from rpcscope.cli.export import TARGETS
from rpcscope.cli.main import cli
from rpcscope.export.files.tables import TABLES
from rpcscope.export.metrics import oslo
from rpcscope.export.metrics.catalogue import METRICS
from tests.unit.test_house import ROOT

METRICS_PAGE = ROOT / "docs/export/prometheus.md"
FILES_PAGE = ROOT / "docs/export/files.md"
RECORDER = ("recording", "vhost", "scope", "mode")
TYPES = {
    "text": "text", "list of texts": "texts", "integer": "int", "number": "float", "boolean": "bool", "time": "time",
}  # fmt: skip


def cells(text: str) -> list[list[str]]:
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip("`") for cell in row] for row in rows]


def test_every_metric_is_told_with_its_kind_its_labels_and_its_meaning() -> None:
    told = {}
    for name, kind, labels, meaning in cells(METRICS_PAGE.read_text().partition("## The metrics")[2]):
        named = [label for label in labels.split(", ") if label != "-"]
        own = [*RECORDER, *named[1:]] if named[:1] == ["*recorder*"] else named
        told[name] = (kind, own, meaning)
    assert told == {
        one.name: (one.kind, [*one.labels, *(["(host)"] if one.has_hosts else [])], one.meaning) for one in METRICS
    }


def test_every_name_of_oslo_metrics_is_told() -> None:
    said = set(re.findall(r"`(oslo_messaging_\w+)`", METRICS_PAGE.read_text()))
    assert said == {metric.name for metric in oslo.METRICS}


def test_every_column_of_every_table_is_told() -> None:
    sections = FILES_PAGE.read_text().partition("## The tables")[2].split("### ")[1:]
    told = {}
    for section in sections:
        name, _, text = section.partition("\n")
        told[name] = [(column, TYPES[type], "" if meaning == "-" else meaning) for column, type, meaning in cells(text)]
        assert TABLES[name].meaning in text
    assert told == {t.name: [(c.name, c.type, c.meaning) for c in t.columns] for t in TABLES.values()}


def test_every_option_that_the_pages_name_is_there() -> None:
    text = METRICS_PAGE.read_text() + FILES_PAGE.read_text()
    helps = [["record"], ["serve"], *(["export", target] for target in TARGETS)]
    known = " ".join(_options(path) for path in helps)
    assert sorted({one for one in re.findall(r"--[a-z][a-z-]+[a-z]", text) if one not in known}) == []


def _options(path: list[str]) -> str:
    command: click.Command = cli
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    return " ".join(option for parameter in command.params for option in parameter.opts)
