"""Reading the management API's JSON: what is missing or of another type is nothing, never an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def items(answer: Any) -> list[Mapping[str, Any]]:
    """The objects of a list, or of one page of it."""
    found = answer.get("items", ()) if isinstance(answer, dict) else answer
    return [item for item in found if isinstance(item, dict)]


def part(item: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The object under a key."""
    found = item.get(key)
    return found if isinstance(found, dict) else {}


def text(item: Mapping[str, Any], key: str) -> str:
    """The text under a key."""
    value = item.get(key)
    return value if isinstance(value, str) else ""


def count(item: Mapping[str, Any], key: str) -> int | None:
    """The whole number under a key."""
    value = item.get(key)
    return value if type(value) is int else None
