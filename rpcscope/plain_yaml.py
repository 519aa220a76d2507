"""YAML files that people write, read with care: bounded in size and depth, no anchors, no key twice.

JSON is YAML, so JSON files are read too.
"""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import Any

import yaml

from rpcscope.errors import UsageError

MOST_BYTES = 16 << 20
DEEPEST = 64
"""Lists and tables inside one another."""
_ERROR_CHARACTERS = 200
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Parser):  # type: ignore[misc]  # libyaml's where PyYAML has it
    """Safe: it makes plain values only."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key in keys if len(set(keys)) < len(keys) else ():
            if keys.count(key) > 1:
                raise ValueError(f"the key {key!r} is there twice{_place(node.start_mark)}")
        made: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return made

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        value: float = super().construct_yaml_float(node)
        if not isfinite(value):
            raise ValueError(f"{node.value!r} is no number to work with{_place(node.start_mark)}")
        return value


_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)


def read_yaml(path: Path, *, what: str, most_bytes: int = MOST_BYTES) -> Any:
    """The plain values of a file.

    Args:
        path: of a UTF-8 file.
        what: it is, for errors: "fleet file".
        most_bytes: that it may have.

    Raises:
        UsageError: it can not be read, is too large or too deep, or is no plain YAML.
    """
    try:
        with path.open("rb") as opened:
            text = opened.read(most_bytes + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "its name is no name of a file"
        raise UsageError(f"the {what} {shown(path.name)} can not be read: {why}") from error
    try:
        if len(text) > most_bytes:
            raise ValueError(f"it has more than the {most_bytes:,} bytes that are read")
        return parse_yaml(text)
    except ValueError as error:
        raise UsageError(f"the {what} {shown(path.name)} can not be read: {error}; correct it there") from error


def parse_yaml(text: bytes) -> Any:
    """The plain values of a text.

    Raises:
        ValueError: a few words on what is wrong, and where.
    """
    try:
        decoded = text.decode("utf-8-sig")
        _check(decoded)
        return yaml.load(decoded, Loader=_Loader)  # noqa: S506  # a safe one
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start + 1:,} is not UTF-8") from error
    except yaml.MarkedYAMLError as error:
        raise ValueError(f"{shown(str(error.problem))}{_place(error.problem_mark)}") from error
    except yaml.YAMLError as error:
        raise ValueError("it has a character that YAML does not allow") from error
    except ValueError as error:
        raise ValueError(shown(str(error))) from error


def shown(text: str) -> str:
    """What a file says, fit for a line of an error: short and printable."""
    plain = "".join(one if one.isprintable() else "?" for one in " ".join(text.split()))
    return plain if len(plain) <= _ERROR_CHARACTERS else plain[: _ERROR_CHARACTERS - 3] + "..."


def _check(text: str) -> None:
    """Before anything is built: an alias can stand for more than memory holds, depth can end the program."""
    depth = 0
    for event in yaml.parse(text, Loader=_Parser):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ValueError(f"anchors and aliases (& and *) are not taken{_place(event.start_mark)}")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise ValueError(f"more than {DEEPEST} lists and tables are inside one another")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _place(mark: Any) -> str:
    return f" (line {mark.line + 1:,}, column {mark.column + 1:,})" if mark is not None else ""
