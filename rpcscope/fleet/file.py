"""Read a fleet file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from rpcscope.errors import UsageError
from rpcscope.fleet.checks import Wrong, check
from rpcscope.fleet.model import FORMAT, FleetFile
from rpcscope.plain_yaml import read_yaml, shown

MOST_BYTES = 4 << 20
_WHERE = re.compile(r"(?P<what>.*) - at `(?:key` in `)?\$\.?(?P<where>.*)`", re.DOTALL)
_SOME_KEY = "[...]"


def read(path: Path) -> FleetFile:
    """The fleet that a YAML or JSON file describes.

    Raises:
        UsageError: it can not be read, has another shape, or describes what can not be; one sentence with the place.
    """
    value = read_yaml(path, what="fleet file", most_bytes=MOST_BYTES)
    try:
        return fleet_of(value)
    except Wrong as error:
        where = f"{error.where}: " if error.where else ""
        told = f"{shown(path.name)}: {shown(where + error.what)}"
        raise UsageError(f"the fleet file {told}; correct it, docs/fleet.md explains the fields") from error


def fleet_of(value: Any) -> FleetFile:
    """The same of plain values. Raises Wrong."""
    if isinstance(value, dict) and type(newer := value.get("format")) is int and newer > FORMAT:
        raise Wrong("format", f"{newer} is newer than what this rpcscope reads ({FORMAT})")
    try:
        file = msgspec.convert(value, FleetFile)
    except msgspec.ValidationError as error:
        where, what = _told(str(error))
        raise Wrong(_exactly(value, where), what) from error
    check(file)
    return file


def _told(message: str) -> tuple[str, str]:
    """Where, and what is wrong there, as msgspec says it."""
    found = _WHERE.fullmatch(message)
    what, where = (found["what"], found["where"]) if found else (message, "")
    return where, what[:1].lower() + what[1:].replace("`", "")


def _exactly(value: Any, where: str) -> str:
    """The place with the name of the entry, which msgspec leaves out: the one that fails alone, too."""
    before, some, after = where.partition(_SOME_KEY)
    if not some:
        return where
    for key in _at(value, before):
        try:
            msgspec.convert(_with_one(value, before, key), FleetFile)
        except msgspec.ValidationError as error:
            if _told(str(error))[0] == where:
                return f"{before}.{key}{after}"
    return where


def _steps(where: str) -> list[str | int]:
    return [int(word) if word.isdigit() else word for word in re.findall(r"[^.\[\]]+", where)]


def _at(value: Any, where: str) -> Any:
    for step in _steps(where):
        value = value[step]
    return value


def _with_one(value: Any, where: str, key: Any) -> Any:
    """The same values, but with only one entry in the table at `where`."""

    def pruned(part: Any, steps: list[str | int]) -> Any:
        if not steps:
            return {key: part[key]}
        inner = pruned(part[steps[0]], steps[1:])
        if isinstance(part, dict):
            return {**part, steps[0]: inner}
        return [inner if n == steps[0] else other for n, other in enumerate(part)]

    return pruned(value, _steps(where))
