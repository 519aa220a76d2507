"""What systemd makes of the unit file: its keys by section, and the commands that it would run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from rpcscope.cli.unit import unit


def keys(text: str) -> dict[str, str]:
    """Each key once, with its value; a key that stands twice is a fault."""
    lines = [line for line in text.splitlines() if line and line[0] not in "#["]
    found = dict(line.split("=", 1) for line in lines)
    assert len(found) == len(lines)
    return found


def command(key: str, program: Path, folder: Path, env: Mapping[str, str]) -> list[str]:
    """The command of ExecStart or ExecStopPost, with `folder` for the folder of states."""
    words = shlex.split(keys(unit(program))[key].replace("%S", str(folder)))
    return [part for word in words for part in (env.get(word[1:], "").split() if word[0] == "$" else [word])]
