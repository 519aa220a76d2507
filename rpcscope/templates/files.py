"""Templates as YAML files that people read and edit."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import yaml

from rpcscope.errors import UsageError
from rpcscope.plain_yaml import read_yaml, shown
from rpcscope.templates.check import problems
from rpcscope.templates.model import FORMAT, Template

SHIPPED = "nova-34"
"""Folder of the templates that come with rpcscope."""
FAKE = (
    "No hypervisor took part, so the times of a driver's work (spawning, copying memory) are not those of a real one."
)
"""What must be said wherever a template of nova's fake driver is used."""
_WHAT = "template"
_WIDTH = 118
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Writer(_Dumper):  # type: ignore[misc]  # libyaml's where PyYAML has it
    """Numbers side by side, other tables in lines of their own."""

    def represent_row(self, values: list[Any]) -> yaml.Node:
        flat = not any(isinstance(value, dict) for value in values)
        node: yaml.Node = self.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=flat)
        return node

    def represent_table(self, table: dict[str, Any]) -> yaml.Node:
        flat = all(_is_short(value) for value in table.values())
        node: yaml.Node = self.represent_mapping("tag:yaml.org,2002:map", table.items(), flow_style=flat)
        return node


_Writer.add_representer(list, _Writer.represent_row)
_Writer.add_representer(dict, _Writer.represent_table)


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


def text(template: Template) -> str:
    """The file's text: the same for the same template."""
    body = {"format": template.format, **_plain(template)}
    return _head(template) + yaml.dump(body, Dumper=_Writer, sort_keys=False, width=_WIDTH)


def stem(template: Template) -> str:
    """What its file is called, without `.yaml`."""
    return _stem(template.kind, template.instances)


def shipped(kind: str, instances: int = 1) -> Template:
    """A template that comes with rpcscope; of what is about no server, `instances` is not looked at.

    Raises:
        UsageError: there is none.
    """
    for name in (
        dict.fromkeys((_stem(kind, instances), _stem(kind, 1))) if instances <= 1 else (_stem(kind, instances),)
    ):
        found = _shipped(name)
        if found is not None:
            return found
    about = f" of {instances:,} servers" if instances > 1 else ""
    names = ", ".join(shipped_names())
    raise UsageError(f"no template of {shown(kind)}{about} comes with rpcscope: learn it, or choose among {names}")


def shipped_names() -> list[str]:
    """Names of the templates that come with rpcscope, as their files are called: create, create-5."""
    folder = resources.files("rpcscope.templates").joinpath(SHIPPED)
    return sorted(one.name.removesuffix(".yaml") for one in folder.iterdir() if one.name.endswith(".yaml"))


@lru_cache(64)
def _shipped(name: str) -> Template | None:
    if name not in shipped_names():
        return None
    with resources.as_file(resources.files("rpcscope.templates").joinpath(SHIPPED, f"{name}.yaml")) as path:
        return load(path)


def _stem(kind: str, instances: int) -> str:
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", kind).strip("-.")[:80] or "unnamed"
    return f"{plain}-{instances}" if instances > 1 else plain


def _plain(record: msgspec.Struct) -> dict[str, Any]:
    """What is not as usual, in the order of the fields; trees last."""
    short, long = dict[str, Any](), dict[str, Any]()
    for field in msgspec.structs.fields(record):
        value = getattr(record, field.name)
        if value == field.default:
            continue
        if isinstance(value, tuple):
            rows = [_plain(one) if isinstance(one, msgspec.Struct) else one for one in value]
            (long if value and isinstance(value[0], msgspec.Struct) else short)[field.name] = rows
        else:
            short[field.name] = _plain(value) if isinstance(value, msgspec.Struct) else value
    return short | long


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


def _is_short(value: object) -> bool:
    if isinstance(value, list):
        return len(value) == 1 and isinstance(value[0], int | float)
    return isinstance(value, int | float)


def _head(template: Template) -> str:
    known = template.provenance
    lines = [
        f"rpcscope template: what operations of the kind {template.kind} do on the bus. Times in s, sizes in bytes."
    ]
    if known.operations:
        of = f" of {known.release}" if known.release else ""
        lines.append(f"Learned from {known.operations:,} recorded operation{'s' * (known.operations != 1)}{of}.")
    if known.driver:
        lines.append(f"Driver: {known.driver}. {FAKE}" if known.driver == "fake" else f"Driver: {known.driver}.")
    lines.append(
        "Every field: docs/templates.md. Change what you like; `rpcscope template check FILE` says what is wrong."
    )
    return "".join(f"# {' '.join(line.split())}\n" for line in lines)
