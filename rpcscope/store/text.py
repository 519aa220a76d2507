"""The border that texts pass on their way into a column."""

from __future__ import annotations

from hashlib import blake2b

from rpcscope.store.schema import TEXT_LENGTH

INT64_MAX = 2**63 - 1


def fit(text: str) -> str:
    """The text as every database takes it: no NUL, no lone surrogate, at most 255 characters.

    A longer one ends in the hash of the whole, so that different texts stay different.
    """
    if len(text) <= TEXT_LENGTH and text.isprintable():
        return text
    clean = scrub(text)
    if len(clean) <= TEXT_LENGTH:
        return clean
    mark = digest(clean)
    return clean[: TEXT_LENGTH - len(mark) - 1] + "~" + mark


def scrub(text: str) -> str:
    """The text without NUL and with lone surrogates replaced; its length is not bounded."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def digest(text: str) -> str:
    """32 hex digits that stand for the text in the dictionary of names."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def fit_number(number: int | None) -> int | None:
    """A number from the wire, held within 64 bits."""
    return None if number is None else max(-INT64_MAX, min(number, INT64_MAX))
