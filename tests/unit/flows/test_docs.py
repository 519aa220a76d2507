"""The page about flows says what the flows take."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from rpcscope.flows.catalog import FLOWS
from rpcscope.flows.pacing import parse_pace
from rpcscope.flows.report import MAX_EVENTS

PAGE = (Path(__file__).parents[3] / "docs" / "flows.md").read_text()


def part(heading: str) -> str:
    """The text below a heading, up to the next."""
    return re.split(r"^## ", re.split(rf"^## {heading}$", PAGE, flags=re.MULTILINE)[1], flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    lines = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert lines is not None
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines[0].splitlines()[2:]]


@pytest.mark.parametrize("name", FLOWS)
def test_every_parameter_is_on_the_page_as_the_help_has_it(name: str) -> None:
    kind = FLOWS[name].parameters
    (record,) = msgspec.json.schema(kind)["$defs"].values()
    said = {cells[0].strip("`"): cells[1:] for cells in rows(part(name))}
    assert {field: cells[1] for field, cells in said.items()} == {
        field: schema["description"] for field, schema in record["properties"].items()
    }
    for field in msgspec.structs.fields(kind):
        assert said[field.name][0] == in_words(field.default), field.name


def in_words(default: object) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    if isinstance(default, float):
        return f"{round(default, 3):g}"
    return '""' if default == "" else "none" if default in (None, ()) else str(default)


@pytest.mark.parametrize("name", FLOWS)
def test_every_flow_is_introduced_by_its_own_sentence(name: str) -> None:
    assert part(name).strip().startswith(FLOWS[name].summary)


def test_every_pace_of_the_page_can_be_used() -> None:
    written = [pace for cells in rows(part("Paces")) for pace in re.findall(r"`([^`]+)`", cells[0])]
    assert len(written) == 5
    for pace in written:
        parse_pace(pace)


def test_the_page_knows_how_many_events_are_kept() -> None:
    assert f"At most {MAX_EVENTS:,} events" in PAGE
