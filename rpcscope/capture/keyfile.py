"""The secret key of pseudonyms, in a file of its own."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from rpcscope.capture.own import plain
from rpcscope.errors import UsageError

MIN_BYTES = 16
_MAX_BYTES = 1 << 16


def load_key(path: Path) -> bytes:
    """The key in a file; a new one, readable by its owner alone, when there is no such file.

    Raises:
        UsageError: it is shorter than 16 bytes, or can not be read or made.
    """
    name = plain(path.name)
    try:
        key = _read(path) if path.exists() else _make(path)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", "") or "its name is not valid"
        raise UsageError(
            f"the key file {name} can not be used: {why}; name a file that you may read and write"
        ) from None
    if len(key) < MIN_BYTES:
        raise UsageError(f"the key file {name} holds less than {MIN_BYTES} bytes: delete it, and a new key is made")
    return key


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MAX_BYTES).strip()


def _make(path: Path) -> bytes:
    key = secrets.token_hex(32).encode()
    # O_EXCL: a link that somebody put there meanwhile is not followed.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key + b"\n")
    return key
