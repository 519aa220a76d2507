"""A message made ready once, to be sent many times."""

from __future__ import annotations

from collections.abc import Sequence

from pamqp.commands import Basic

from rpcscope.amqp import Publish
from rpcscope.amqp.publish import publish_method
from rpcscope.emulator.slots import Slots
from rpcscope.errors import UsageError

FRAME_MAX = 131072


def properties(expiration_s: float | None) -> Basic.Properties:
    """As kombu sets them. Source: kombu/messaging.py :: Producer.publish; only calls expire."""
    return Basic.Properties(
        content_type="application/json",
        content_encoding="utf-8",
        delivery_mode=2,
        priority=0,
        headers={},
        expiration=None if expiration_s is None else str(round(expiration_s * 1000)),
    )


class Content:
    """Header and body frames of a message, for any exchange and routing key. `len` is that of its body in bytes."""

    __slots__ = ("_frames", "_places", "_size")

    def __init__(self, body: bytes, slots: Slots, marks: Sequence[int], expiration_s: float | None = None) -> None:
        """`marks` are those of the body's places. Raises UsageError when a place lies across two frames."""
        self._size = len(body)
        whole = Publish("", "", properties(expiration_s), body, frame_max=FRAME_MAX).frames()
        self._frames = whole[len(publish_method("", "", False)) :]
        self._places: list[tuple[int, int, int]] = []
        for what in marks:
            mark = slots.on_wire(what)
            found = list(_all(self._frames, mark))
            if len(found) != body.count(mark):
                raise UsageError("A message about so many servers is too long to be played: ask for fewer at once.")
            self._places += [(at, at + len(mark), what) for at in found]

    def __len__(self) -> int:
        return self._size

    def sent_with(self, method: bytes, values: Sequence[bytes]) -> bytearray:
        """The frames of one sending: `method` is its basic.publish, `values` what goes to each place by its number."""
        found = bytearray(self._frames)
        for start, stop, what in self._places:
            found[start:stop] = values[what]
        found[:0] = method
        return found


def _all(text: bytes, mark: bytes) -> list[int]:
    found, at = [], text.find(mark)
    while at >= 0:
        found.append(at)
        at = text.find(mark, at + len(mark))
    return found
