"""The page about fleet files says what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from rpcscope.fleet import file, idle
from rpcscope.fleet.checks import MOST_HOSTS, MOST_SERVERS
from rpcscope.fleet.estimate import estimate
from rpcscope.fleet.model import Control, Flavor, FleetFile, Hosts, Migration, Network, Timing
from rpcscope.fleet.schema import schema, shipped_schema
from rpcscope.fleet.shapes import COMPUTES, controllers

PAGE = (Path(__file__).parents[3] / "docs" / "fleet.md").read_text()
RECORDS = [FleetFile, Hosts, Flavor, Timing, Control, Migration, Network]


def rows(heading: str) -> list[list[str]]:
    """Cells of the first table below a heading."""
    part = re.split(rf"^#+ {heading}$", PAGE, flags=re.MULTILINE)[1]
    lines = re.search(r"(?:^\|.*\n)+", part, re.MULTILINE)
    assert lines is not None
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines[0].splitlines()[2:]]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_every_field_is_on_the_page_with_its_default_and_no_other(record: type[msgspec.Struct]) -> None:
    said = {cells[0].strip("`"): cells[1] for cells in rows(record.__name__)}
    assert list(said) == list(record.__struct_fields__)
    fields = {field.name: field for field in msgspec.structs.fields(record)}
    assert {name for name, default in said.items() if default == "required"} == {
        name for name, field in fields.items() if field.required
    }
    for name, default in said.items():
        if default != "required":
            assert default.strip('"') == in_words(fields[name]), name


def in_words(field: msgspec.structs.FieldInfo) -> str:
    """A default as it is written in a file."""
    made = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    value = msgspec.to_builtins(made)
    return value if isinstance(value, str) else json.dumps(value).removesuffix(".0")


def test_every_field_has_a_meaning() -> None:
    for record in RECORDS:
        assert all(len(cells[2]) > 3 for cells in rows(record.__name__))


def test_the_shipped_schema_is_that_of_the_records() -> None:
    assert json.loads(shipped_schema()) == schema()


def test_processes_are_on_the_page_as_they_are_counted() -> None:
    shapes = {f"compute, shape {name}": shape for name, shape in COMPUTES.items()}
    others = controllers("2026")
    shapes |= {"conductor, scheduler": others["conductor"], "API": others["api"]}
    assert others["conductor"].connections == others["scheduler"].connections
    said = {cells[0]: [int(cell) for cell in cells[1:]] for cells in rows("What it amounts to")}
    assert said == {
        name: [one.connections, one.connections, one.consumers, one.private_queues(stream=False)]
        for name, one in shapes.items()
    }


def test_periodic_tasks_are_on_the_page_as_they_are_counted() -> None:
    said = rows("Idle messages")
    assert [cells[0].strip("`") for cells in said] == [task.name for task in idle.TASKS]
    assert [float(cells[1]) for cells in said] == [task.interval_s for task in idle.TASKS]
    for cells, task in zip(said, idle.TASKS, strict=True):
        words = f"{task.calls}"
        words += f" with libvirt, {idle.FAKE_CALLS} with the fake driver" if task.calls == idle.LIBVIRT_CALLS else ""
        words += ", and 1 for each server" if task.calls_per_server else ""
        words += ", and a fanout to the schedulers" if task.fanouts else ""
        assert cells[2] == words


def test_the_totals_on_the_page_are_those_of_the_arithmetic() -> None:
    assert f"{idle.calls_s(20):.3f} calls a second" in PAGE
    thousand = FleetFile(hosts=(Hosts(count=1000, servers={"any": 20}),), flavors={"any": Flavor(memory_gib=1)})
    found = estimate(thousand)
    assert f"about {round(2 * found.idle_calls_s, -1):.0f} messages and {found.idle_fanouts_s:.0f}\nfanouts" in PAGE
    assert f"At most {MOST_HOSTS:,} hosts and {MOST_SERVERS:,} servers." in PAGE
    assert f"at most {file.MOST_BYTES >> 20} MiB" in PAGE
