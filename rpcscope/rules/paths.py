"""Paths into the arguments of a request."""

from __future__ import annotations

from typing import Any


def walk(value: Any, path: tuple[str, ...]) -> Any:
    """Follow keys and list positions; nova objects are entered without naming `nova_object.data`."""
    for step in path:
        if isinstance(value, dict):
            data = value.get("nova_object.data")
            value = data.get(step) if isinstance(data, dict) and step not in value else value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value
