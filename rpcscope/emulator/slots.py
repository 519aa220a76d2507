"""Places in a prebuilt message whose bytes differ from one sending to the next, always by as many others.

A body is built once with a mark in each place. Hosts have names of several lengths: the place of one is as wide as the
longest name, and what is left of it is blanks between JSON's tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

from rpcscope.emulator.ids import ID_SIZE

UNIQUE, MSG, REPLY_Q, REQUEST, SOURCE, SENDER, FIRST_INSTANCE = range(7)
"""What stands in a place; servers from FIRST_INSTANCE on, by their position."""

REPLY_Q_SIZE = len("reply_") + ID_SIZE
UUID_SIZE = 36
_QUOTE = '\\"'  # a quotation mark of the inner JSON, as the outer one writes it
_WIDTHS = {UNIQUE: ID_SIZE, MSG: ID_SIZE, REPLY_Q: REPLY_Q_SIZE, REQUEST: len("req-") + UUID_SIZE}


@dataclass(frozen=True, slots=True)
class Slots:
    """The marks of a cloud's messages."""

    host_size: int  # bytes of the longest host's name

    def mark(self, what: int) -> str:
        """A string to put into the inner message; nothing else in it has a tilde."""
        width = _WIDTHS.get(what, UUID_SIZE)
        if what in (SOURCE, SENDER):
            width = max(self.host_size, 8)
        return f"~{what}".ljust(width, "~")

    def on_wire(self, what: int) -> bytes:
        """The mark as it stands in a body; of a host with its quotation marks, since `null` may take its place."""
        mark = self.mark(what)
        return (f"{_QUOTE}{mark}{_QUOTE}" if what in (SOURCE, SENDER) else mark).encode()

    def host(self, name: str | None) -> bytes:
        """What a host's place is filled with."""
        text = f"{_QUOTE}{name}{_QUOTE}" if name is not None else "null"
        return text.ljust(len(self.on_wire(SOURCE))).encode()
