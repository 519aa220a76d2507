"""Read the rules from TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from rpcscope.errors import UsageError
from rpcscope.rules.notices import TELLS, NoticeRule, NoticeRules
from rpcscope.rules.rules import START, STEP, TIMER, FactRule, Kind, Match, Rules
from rpcscope.rules.shape import FACT_TESTS, check

SHIPPED = ("nova.toml", "neutron.toml", "cinder.toml")


@lru_cache(8)
def load_rules(*own: Path) -> Rules:
    """The shipped rules, with a user's files before them: the first match wins.

    Raises:
        UsageError: a file can not be read, is not TOML, or has a rule of another shape.
    """
    tables = [_read(path) for path in own]
    folder = resources.files("rpcscope.rules")
    tables += [tomllib.loads(folder.joinpath(name).read_text("utf-8")) for name in SHIPPED]
    return _build(tables)


def _read(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"the rules file {path.name} can not be read: {error}") from error
    try:
        check(table)
        _build([table])
    except ValueError as error:
        raise UsageError(f"the rules file {path.name}: {error}; compare it with the shipped nova.toml") from error
    return table


def parse_match(text: str) -> Match:
    """`compute*: rebuild_instance +recreate` as a Match.

    Raises:
        ValueError: there is no colon, or no method behind it.
    """
    topic, colon, rest = text.partition(": ")
    words = rest.split()
    if not colon or not words:
        raise ValueError(f"{text!r} is not of the form 'TOPIC: METHOD +fact -fact'")
    return Match(
        topic.strip(),
        words[0],
        frozenset(word[1:] for word in words[1:] if word[0] == "+"),
        frozenset(word[1:] for word in words[1:] if word[0] == "-"),
    )


def _matches(texts: Sequence[str]) -> tuple[Match, ...]:
    return tuple(parse_match(text) for text in texts)


def _build(tables: list[dict[str, Any]]) -> Rules:
    kinds: dict[str, Kind] = {}
    evidence: dict[str, list[tuple[Match, str, int]]] = {}
    for entry in _each(tables, "kind"):
        kind = _kind(entry)
        kinds[kind.name] = kinds[kind.name].completed_by(kind) if kind.name in kinds else kind
        for key, rank in (("start", START), ("step", STEP), ("timer", TIMER)):
            for match in _matches(entry.get(key, ())):
                evidence.setdefault(match.method, []).append((match, kind.name, rank))
    casts = {entry["method"]: entry for entry in reversed(_each(tables, "cast"))}
    return Rules(
        kinds=kinds,
        evidence={method: tuple(sorted(rows, key=lambda row: -row[2])) for method, rows in evidence.items()},
        fact_rules=_facts(_each(tables, "fact")),
        leaves=_methods(tables, "leaves"),
        relays=_methods(tables, "relays"),
        no_evidence=_methods(tables, "no_evidence"),
        casts_without_end=frozenset(m for m, entry in casts.items() if entry.get("end") == "unseen"),
        end_events={m: entry["event"] for m, entry in casts.items() if "event" in entry},
        end_steps={m: _matches(entry["steps"]) for m, entry in casts.items() if "steps" in entry},
        expected=_expected(_each(tables, "expected")),
        follows={method: leader for table in tables for method, leader in table.get("follows", {}).items()},
        notices=_notices(tables),
        progress={
            method: tuple(entry["path"].split("."))
            for entry in _each(tables, "progress")
            for method in entry["methods"]
        },
    )


def _each(tables: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [entry for table in tables for entry in table.get(name, ())]


def _methods(tables: list[dict[str, Any]], name: str) -> frozenset[str]:
    return frozenset(method for table in tables for method in table.get("methods", {}).get(name, ()))


def _kind(entry: dict[str, Any]) -> Kind:
    source = entry.get("source", ())
    return Kind(
        name=entry["name"],
        title=entry.get("title", ""),
        background=bool(entry.get("background", entry["name"].startswith(("periodic:", "startup:")))),
        source=() if source == "instance" else _matches(source),
        dest=_matches(entry.get("dest", ())),
        source_is_instance_host=source == "instance",
    )


def _facts(entries: list[dict[str, Any]]) -> dict[str, tuple[FactRule, ...]]:
    found: dict[str, list[FactRule]] = {}
    for entry in entries:
        test = next(key for key in FACT_TESTS if key in entry)
        path = entry["path"] if test in ("equals", "same_as") else entry[test]
        operand = tuple(entry["same_as"].split(".")) if test == "same_as" else entry.get("equals")
        rule = FactRule(name=entry["name"], test=test, path=tuple(path.split(".")), operand=operand)
        for method in entry["methods"]:
            found.setdefault(method, []).append(rule)
    return {method: tuple(rules) for method, rules in found.items()}


def _expected(entries: list[dict[str, Any]]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for entry in entries:
        found[entry["method"]] = found.get(entry["method"], frozenset()) | frozenset(entry["failures"])
    return found


def _notices(tables: list[dict[str, Any]]) -> NoticeRules:
    kinds: dict[str, tuple[str, bool]] = {}
    for entry in _each(tables, "kind"):
        for position, step in enumerate(entry.get("notified", ())):
            kinds.setdefault(step, (entry["name"], position == 0))
    return NoticeRules(tuple(map(_notice, _each(tables, "notification"))), kinds)


def _notice(entry: dict[str, Any]) -> NoticeRule:
    return NoticeRule(
        event=entry["event"],
        paths={what: tuple(tuple(path.split(".")) for path in entry[what]) for what in TELLS if what in entry},
        fails=tuple(entry.get("fails", ())),
    )
