"""How far the copy of a migration is, as the object says that is saved. Sizes are bytes.

Source: nova/objects/migration.py; nova/virt/libvirt/driver.py :: _live_migration_monitor fills it.
"""

from __future__ import annotations

from typing import Any

from rpcscope import safe
from rpcscope.model import Progress
from rpcscope.rules.paths import walk

SIZES = ("memory_total", "memory_processed", "memory_remaining", "disk_total", "disk_processed", "disk_remaining")
_MOST = 1 << 62


def progress(args: Any, path: tuple[str, ...]) -> Progress | None:
    """What the migration at this path says; None when there is none."""
    found = walk(args, path)
    if not isinstance(found, dict):
        return None
    data = found.get("nova_object.data")
    return progress_of(data if isinstance(data, dict) else found)


def progress_of(said: dict[str, Any]) -> Progress:
    """The same from the fields themselves."""
    return Progress(
        migration=safe.uuid(said.get("uuid")),
        status=safe.token(said.get("status")),
        **{name: _size(said.get(name)) for name in SIZES},
    )


def kept(one: Progress) -> dict[str, Any]:
    """The fields that it has, as a scrubbed capture holds them."""
    texts = {"uuid": one.migration, "status": one.status}
    sizes = {name: getattr(one, name) for name in SIZES}
    return {key: value for key, value in texts.items() if value} | {
        key: value for key, value in sizes.items() if value is not None
    }


def _size(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < _MOST else None
