"""Kinds of operation in plain words, from the rules."""

from __future__ import annotations

from rpcscope.rules import load_rules


def in_words(kind: str) -> str:
    """`boot a server` for `create`; "" of a kind that the rules have no words for."""
    known = load_rules().kinds.get(kind)
    return known.title if known else ""
