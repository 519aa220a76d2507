"""Recorded hosts and servers onto emulated ones."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from random import Random


class Mapping:
    """Of H recorded hosts the first is played by emulated hosts 0, H, 2H ..., the second by 1, H + 1, 2H + 1 ...

    What one copy does with one server stays on the same ones; two recorded hosts are never one, where there are two.
    """

    def __init__(self, recorded: Sequence[str], emulated: Sequence[str], seed: int) -> None:
        """`emulated` has at least one host."""
        self._places = {name: place for place, name in enumerate(recorded)}
        self._emulated, self._seed = emulated, seed
        self._each = max(1, len(emulated) // max(1, len(recorded)))

    def hosts(self, source: str, dest: str, *, copy: int, server: str) -> tuple[str, str]:
        """Who plays them; "" for a host that was not there."""
        turn = Random(f"{self._seed} {copy} {server}").randrange(self._each)  # noqa: S311 - no secret
        first, second = self._place(source, turn), self._place(dest, turn)
        if source and dest and source != dest and first == second:
            second = (second + 1) % len(self._emulated)
        return (self._emulated[first] if source else ""), (self._emulated[second] if dest else "")

    def server(self, uuid: str, copy: int) -> str:
        """Another uuid for each copy, so that no two of them are about one server."""
        text = blake2b(f"{self._seed}:{copy}:{uuid}".encode(), digest_size=16).hexdigest()
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    def _place(self, recorded: str, turn: int) -> int:
        place = self._places.get(recorded, 0) + turn * len(self._places)
        return place % len(self._emulated)
