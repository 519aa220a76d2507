"""`rpcscope budget`: what operations may cost, checked in a CI job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rpcscope.cli import output
from rpcscope.cli.fit import put_table
from rpcscope.cli.junit import Case, junit
from rpcscope.cli.labels import label_option
from rpcscope.cli.options import db_option, default_database, format_option, rules_option, the_rules
from rpcscope.errors import UsageError

if TYPE_CHECKING:
    from rpcscope.compare.checks import Check
    from rpcscope.compare.population import Population

_FILE = click.Path(path_type=Path, dir_okay=False)
_MOST_BYTES = 1 << 20


@click.group("budget")
def budget_command() -> None:
    """What operations may cost: "a boot costs at most 15 RPCs"."""


@budget_command.command("check")
@click.argument("budgets", type=_FILE)
@click.argument("recording", required=False)
@db_option()
@label_option("Only recordings with this label. Several times.")
@click.option("--baseline", metavar="RECORDING", help="A database or capture of what is usual: what it lacks is new.")
@click.option("--junit", "junit_file", type=_FILE, metavar="FILE", help="Write the result as JUnit's XML, too.")
@format_option("table", "json")
@rules_option()
def _check(
    budgets: Path, recording: str | None, db: str | None, labels: dict[str, str], baseline: str | None,
    junit_file: Path | None, format_: str, rules: tuple[Path, ...],
) -> int:  # fmt: skip
    """Hold a RECORDING (a database or a capture; @FROM..TO narrows it) against a file of BUDGETS.

    Exits with 1 when a budget does not hold, and names the RPC that is new. Without a RECORDING, --db.
    """
    from rpcscope.compare.budgets import budgets_of
    from rpcscope.compare.checks import check
    from rpcscope.plain_yaml import read_yaml

    wanted = budgets_of(read_yaml(budgets, what="budgets file", most_bytes=_MOST_BYTES), budgets.name)
    recorded = _recorded(recording, db, labels, rules)
    usual = _recorded(baseline, None, {}, rules) if baseline else None
    found = check(wanted, recorded, usual)
    if junit_file is not None:
        _write(junit_file, _as_junit(found))
    if format_ == "json":
        output.put_json({"recording": recorded.name, "checks": [one.as_dict() for one in found]})
    else:
        _print(found, recorded)
    return int(any(one.failure for one in found))


@budget_command.command("write")
@click.argument("recording", required=False)
@db_option()
@label_option("Only recordings with this label. Several times.")
@click.option("-o", "--output", "file", type=_FILE, metavar="FILE", help="The file to write; without it, the screen.")
@rules_option()
def _first(
    recording: str | None, db: str | None, labels: dict[str, str], file: Path | None, rules: tuple[Path, ...]
) -> None:
    """A first file of budgets from a RECORDING: what was seen, twice the time, a quarter more bytes."""
    import yaml

    from rpcscope.compare.first_budget import first_budget

    recorded = _recorded(recording, db, labels, rules)
    made = first_budget(recorded)
    if not made["budgets"]:
        raise UsageError("the recording has no operation that was done: record some first")
    said = "".join(f"# {line}\n" for line in _provenance(recorded))
    text = said + yaml.safe_dump(made, sort_keys=False, allow_unicode=False, width=120)
    if file is None:
        click.echo(text, nl=False)
    else:
        _write(file, text)


def _recorded(recording: str | None, db: str | None, labels: dict[str, str], rules: tuple[Path, ...]) -> Population:
    from rpcscope.cli.sides import side
    from rpcscope.compare.newest import Reading

    if recording is not None and db is not None and click.get_current_context().get_parameter_source("db") == _GIVEN:
        raise UsageError("name the recording once: as RECORDING or by --db")
    return side(recording or db or default_database(), labels, Reading(), the_rules(rules))


_GIVEN = click.core.ParameterSource.COMMANDLINE


def _provenance(recorded: Population) -> list[str]:
    said = [f"Written by rpcscope budget write from {recorded.name}: correct it as you see fit."]
    return [_one_line(line) for line in (*said, *(f"Conditions: {text}" for text in recorded.conditions))]


def _one_line(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in text)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path.name} can not be written: {error.strerror}; name another file") from None


def _print(found: list[Check], recorded: Population) -> None:
    screen = output.console()
    lines = output.table("", "kind", "budget", "recorded", "for example")
    for one in found:
        state = output.cell("broken", "bold red") if one.failure else output.cell("holds", "green")
        lines.add_row(
            state, output.cell(one.kind), output.cell(one.what), output.cell(one.saw),
            output.cell(next(iter(one.examples), "")),
        )  # fmt: skip
    put_table(lines, spare=("for example",), fold="budget")
    for one in found:
        if one.failure:
            screen.print(output.cell(f"{one.failure}."))
    broken = sum(bool(one.failure) for one in found)
    screen.print(output.cell(f"{recorded.name}: {broken} of {len(found)} bounds do not hold." if broken else
                             f"{recorded.name}: all {len(found)} bounds hold."))  # fmt: skip


def _as_junit(found: list[Check]) -> str:
    suites: dict[str, list[Case]] = {}
    for one in found:
        suites.setdefault(one.kind, []).append(Case(name=one.what, failure=one.failure))
    return junit("rpcscope.budget", suites)
