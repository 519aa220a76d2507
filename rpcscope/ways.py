"""A notification that comes by two ways, traced and by a queue bound to its exchange, is one."""

from __future__ import annotations

from itertools import islice

from rpcscope.model import Event, Message, MessageKind

REMEMBERED = 16_384  # notifications; a copy comes within seconds

_NOTIFICATION, _PUBLISH = MessageKind.NOTIFICATION, Event.PUBLISH


class Ways:
    """By which way notifications came first. What comes the same way again was published again."""

    def __init__(self) -> None:
        """Nothing came yet."""
        self._traced: dict[str, bool] = {}

    def is_copy(self, m: Message) -> bool:
        """Whether this publish came by the other way before. Only what is traced tells its connection."""
        if m.kind is not _NOTIFICATION or m.event is not _PUBLISH:
            return False
        traced = m.connection != ""
        before = self._traced.setdefault(m.unique_id, traced)
        if len(self._traced) > 2 * REMEMBERED:
            for old in list(islice(self._traced, REMEMBERED)):
                del self._traced[old]
        return before is not traced
