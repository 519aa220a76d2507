"""Names of files that are made of names from the wire."""

from __future__ import annotations

import re
from hashlib import blake2b

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 100


def file_name(text: str) -> str:
    """The text where it can be a file's name; else what can be of it, and a digest that keeps it apart."""
    name = _UNSAFE.sub("_", text).lstrip(".-")[:_LONGEST]
    if name == text:
        return name
    return f"{name}-{blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=4).hexdigest()}"
