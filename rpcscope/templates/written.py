"""How a template is written: YAML for people, the same text for the same template."""

from __future__ import annotations

from typing import Any

import msgspec
import yaml

from rpcscope.templates.model import Template

FAKE = (
    "No hypervisor took part, so the times of a driver's work (spawning, copying memory) are not those of a real one."
)
"""What must be said wherever a template of nova's fake driver is used."""
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


def text(template: Template) -> str:
    """The file's text: the same for the same template."""
    body = {"format": template.format, **_plain(template)}
    return _head(template) + yaml.dump(body, Dumper=_Writer, sort_keys=False, width=_WIDTH)


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


def _is_short(value: object) -> bool:
    if isinstance(value, list):
        return len(value) == 1 and isinstance(value[0], int | float)
    return isinstance(value, int | float)
