"""The trace headers of a recorded event with what recordings leave out, as RabbitMQ sends them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PROPERTIES = {"headers": {}, "content_encoding": "utf-8", "content_type": "application/json"}


def complete(headers: Mapping[str, Any]) -> dict[str, Any]:
    """The same headers with the constant properties and the user."""
    return {**headers, "properties": {**headers["properties"], **_PROPERTIES}, "user": "openstack"}
