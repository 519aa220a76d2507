"""Pieces of Markdown. Names come from the wire: in a page they are text, whatever is in them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from rpcscope.query.cost import Spread
from rpcscope_web.trace.names import cut
from rpcscope_web.words import number, size, took

_LONGEST, _SLUG = 120, 40
_T = TypeVar("_T")
Say = Callable[[float | None], str]


def code(text: str) -> str:
    """A name as code, also within a table."""
    shown = cut(text, _LONGEST).replace("`", "'").replace("|", "\\|").strip()
    return f"`{shown}`" if shown else "?"


def plain(text: str) -> str:
    """A text of somebody else as plain words: what Markdown or HTML would act on is written out."""
    return re.sub(r"([\\`*_{}\[\]<>()#|!~&$:@-])", _written, cut(text, 4 * _LONGEST))


def _written(found: re.Match[str]) -> str:
    character = found[1]
    return character if character in "():-@" else f"&#{ord(character)};"


def counted(value: float | None) -> str:
    """A number; ? when it is not known."""
    return "?" if value is None else number(value)


def sized(value: float | None) -> str:
    """Bytes."""
    return "?" if value is None else size(value)


def lasting(value: float | None) -> str:
    """Milliseconds."""
    return "?" if value is None else took(value)


def spread(one: Spread, say: Say) -> list[str]:
    """Median, 95th percentile, most."""
    return [say(one.p50), say(one.p95), say(one.max)]


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, names: int = 1) -> str:
    """A table whose columns are numbers but for the first.

    Args:
        names: columns that are not numbers.
    """
    rule = ["---"] * names + ["---:"] * (len(head) - names)
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def slug(text: str) -> str:
    """A file name that tells what it is of; two texts never have the same."""
    clean = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_SLUG].strip("-")
    if clean == text:
        return clean
    return f"{clean or 'page'}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:6]}"
