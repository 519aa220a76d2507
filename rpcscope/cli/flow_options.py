"""The options of a flow, made of the record of its parameters."""

from __future__ import annotations

import shlex
from typing import Any

import click
import msgspec
from msgspec.inspect import BoolType, Field, LiteralType, Metadata, StructType, VarTupleType

from rpcscope.errors import UsageError
from rpcscope.flows.catalog import Flow
from rpcscope.flows.parameters import Parameters, read

_COMMAND = "_command"
"""Ends the names of parameters that are a program with its arguments."""


def flow_options(flow: Flow) -> list[click.Option]:
    """An option for each parameter; what was not given is None."""
    told = msgspec.inspect.type_info(flow.parameters)
    assert isinstance(told, StructType)  # noqa: S101 - what a struct is
    return [_option(field) for field in told.fields]


def flow_parameters(flow: Flow, given: dict[str, Any]) -> Parameters:
    """The record of what was given. Raises UsageError that names what is wrong."""
    values: dict[str, object] = {}
    for name, value in given.items():
        if value is None or value == ():
            continue
        values[name] = _words(name, value) if name.endswith(_COMMAND) else value
    return read(flow.parameters, values)


def _option(field: Field) -> click.Option:
    kind, words = field.type, ""
    if isinstance(kind, Metadata):
        words = str((kind.extra_json_schema or {}).get("description", ""))
        kind = kind.type
    name = field.name.replace("_", "-")
    help_ = f"{words[:1].upper()}{words[1:]}.{_shown(field.default)}"
    if isinstance(kind, BoolType):
        return click.Option([f"--{name}/--no-{name}"], default=None, help=help_)
    if isinstance(kind, LiteralType):
        return click.Option([f"--{name}"], type=click.Choice([str(one) for one in kind.values]), help=help_)
    several = isinstance(kind, VarTupleType) and not field.name.endswith(_COMMAND)
    return click.Option(
        [f"--{name}"], multiple=several, metavar="VALUE", help=f"{help_} Several times." if several else help_
    )


def _shown(default: object) -> str:
    if default is None or default in ("", ()):
        return ""
    if isinstance(default, bool):
        return f" Default: {'yes' if default else 'no'}."
    return f" Default: {default:.4g}." if isinstance(default, float) else f" Default: {default}."


def _words(name: str, line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        raise UsageError(f"--{name.replace('_', '-')} has a quote that does not end: write it as in a shell") from None
