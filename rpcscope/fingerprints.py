"""Knowing an event again that the broker gives to a tap a second time."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from zlib import crc32

from rpcscope.model import Event, Message

_DELIVER = Event.DELIVER  # looking it up in its class takes longer than the rest of the question
REMEMBERED = 65_536  # events; more than a tap's prefetch


class Fingerprints:
    """The last events taken. N deliveries of a fanout, a redelivery to a service and a publish that a
    service tried again differ in queue, connection or flag: they are facts, not repeats."""

    def __init__(self, stored: bytes = b"") -> None:
        self._seen: dict[bytes, int] = {stored[i : i + 8]: 0 for i in range(0, len(stored), 8)}
        self._new: list[bytes] = []

    def is_repeat(self, m: Message) -> bool:
        """Whether this very event was taken before: the tap got it again, or a file holds it twice."""
        mark = fingerprint(m)
        before = self._seen.get(mark)
        if before is not None and (m.tap_redelivered or before == m.at_ns):
            return True
        self._seen[mark] = m.at_ns
        self._new.append(mark)
        if len(self._seen) > 2 * REMEMBERED:
            for old in list(islice(self._seen, REMEMBERED)):
                del self._seen[old]
        return False

    def take_new(self) -> bytes:
        """Marks of the events since the last call, 8 bytes each, to be stored with them."""
        new, self._new = b"".join(self._new), []
        return new


def fingerprint(m: Message) -> bytes:
    """8 bytes: four of the message's own random id, four of where and to whom it was seen."""
    place = m.queue if m.event is _DELIVER else m.exchange
    return bytes.fromhex(m.unique_id[:8]) + _where(
        m.event, m.broker_redelivered, m.channel, m.connection, place, m.server
    )


@lru_cache(65536)
def _where(event: int, redelivered: bool, channel: int, connection: str, place: str, server: str) -> bytes:
    text = f"{event:d}{redelivered:d}{channel}|{connection}|{place}|{server}"
    return crc32(text.encode()).to_bytes(4, "big")
