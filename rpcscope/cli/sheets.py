"""The templates of a run: those that come with rpcscope, and in their place those of the user."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rpcscope.errors import UsageError

if TYPE_CHECKING:
    from rpcscope.templates.model import Template


def sheets(folder: Path | None) -> list[Template]:
    """One of each kind and number of servers.

    Raises:
        UsageError: the folder has none, or one of its files is wrong.
    """
    from rpcscope.templates.files import all_shipped, load

    found = {(one.kind, one.instances): one for one in all_shipped()}
    if folder is not None:
        paths = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
        if not paths:
            raise UsageError(f"there is no template in {folder.name}: learn some with `rpcscope template learn`")
        found |= {(one.kind, one.instances): one for one in map(load, paths)}
    return list(found.values())
