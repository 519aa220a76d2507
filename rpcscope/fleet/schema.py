"""The JSON schema of a fleet file, for editors."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import msgspec

from rpcscope.fleet.model import FleetFile

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Made from the records."""
    made: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(msgspec.json.schema(FleetFile)))  # has no tuples
    return {"$schema": _DIALECT, **made}


def shipped_schema() -> str:
    """The same as a text, as it is in the package."""
    return files("rpcscope.fleet").joinpath("fleet.schema.json").read_text("utf-8")


def example() -> str:
    """A fleet file with comments."""
    return files("rpcscope.fleet").joinpath("example.yaml").read_text("utf-8")
