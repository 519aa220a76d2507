"""Templates as YAML files that people read and edit."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from rpcscope.errors import UsageError
from rpcscope.plain_yaml import read_yaml, shown
from rpcscope.templates.check import problems
from rpcscope.templates.model import FORMAT, Template
from rpcscope.templates.written import text

SHIPPED = "nova-34"
"""Folder of the templates that come with rpcscope."""
_WHAT = "template"


def load(path: Path) -> Template:
    """A template from a file.

    Raises:
        UsageError: it can not be read, or is no template; says where in the file and what to do.
    """
    return _template(read_yaml(path, what=_WHAT), shown(path.name))


def save(template: Template, path: Path) -> None:
    """Write a template; a file that is there is replaced.

    Raises:
        UsageError: it can not be written.
    """
    try:
        path.write_text(text(template), "utf-8")
    except OSError as error:
        raise UsageError(f"the {_WHAT} {shown(path.name)} can not be written: {error.strerror}") from error


def stem(template: Template) -> str:
    """What its file is called, without `.yaml`."""
    return _stem(template.kind, template.instances)


def shipped(kind: str, instances: int = 1) -> Template:
    """A template that comes with rpcscope, of operations about so many servers, or about none.

    Raises:
        UsageError: there is none.
    """
    found = _shipped(_stem(kind, instances))
    if found is not None:
        return found
    about = f" of {instances:,} servers" if instances > 1 else ""
    names = ", ".join(shipped_names())
    raise UsageError(f"no template of {shown(kind)}{about} comes with rpcscope: learn it, or choose among {names}")


def shipped_names() -> list[str]:
    """Names of the templates that come with rpcscope, as their files are called: create, create-5."""
    folder = resources.files("rpcscope.templates").joinpath(SHIPPED)
    return sorted(one.name.removesuffix(".yaml") for one in folder.iterdir() if one.name.endswith(".yaml"))


def all_shipped() -> list[Template]:
    """Every template that comes with rpcscope."""
    return [one for name in shipped_names() if (one := _shipped(name)) is not None]


@lru_cache(64)
def _shipped(name: str) -> Template | None:
    if name not in shipped_names():
        return None
    with resources.as_file(resources.files("rpcscope.templates").joinpath(SHIPPED, f"{name}.yaml")) as path:
        return load(path)


def _stem(kind: str, instances: int) -> str:
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", kind).strip("-.")[:80] or "unnamed"
    return f"{plain}-{instances}" if instances > 1 else plain


def _template(values: Any, name: str) -> Template:
    made = values.get("format", FORMAT) if isinstance(values, dict) else FORMAT
    if isinstance(made, int) and made > FORMAT:
        raise UsageError(f"the {_WHAT} {name} is of format {made}, and this rpcscope reads {FORMAT}: use a newer one")
    try:
        template = msgspec.convert(values, Template)
    except (msgspec.ValidationError, RecursionError) as error:
        raise UsageError(_sentence(name, *_parted(str(error)))) from error
    for path, problem in problems(template):
        raise UsageError(_sentence(name, path, problem))
    return template


def _parted(message: str) -> tuple[str, str]:
    """`Expected `str`, got `int` - at `$.variants[0].share`` as path and words."""
    words, _, path = message.rpartition(" - at `$")
    return (path.strip("`").lstrip(".") or "its top", words) if words else ("its top", message)


def _sentence(name: str, path: str, problem: str) -> str:
    words = shown(problem[:1].lower() + problem[1:])
    return f"the {_WHAT} {name} is wrong at {shown(path)}: {words}; correct it there (docs/templates.md)"
