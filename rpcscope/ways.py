"""A notification that comes by two ways is one: traced, by the tap on exchanges, by the notification tap."""

from __future__ import annotations

from itertools import islice

from rpcscope.model import NOTICE_CHANNEL, Event, Message, MessageKind

REMEMBERED = 16_384  # notifications; a copy comes within seconds

_NOTIFICATION, _PUBLISH = MessageKind.NOTIFICATION, Event.PUBLISH


class Ways:
    """By which way notifications came first. What comes the same way again was published again."""

    def __init__(self) -> None:
        """Nothing came yet."""
        self._first: dict[str, tuple[bool, bool]] = {}

    def is_copy(self, m: Message) -> bool:
        """Whether this publish came by another way before. Only what is traced tells its connection."""
        if m.kind is not _NOTIFICATION or m.event is not _PUBLISH:
            return False
        way = (m.connection != "", m.channel == NOTICE_CHANNEL and not m.connection)
        before = self._first.setdefault(m.unique_id, way)
        if len(self._first) > 2 * REMEMBERED:
            for old in list(islice(self._first, REMEMBERED)):
                del self._first[old]
        return before != way
