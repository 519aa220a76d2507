"""What recordings could not see: it is unknown, and no total may show it as zero."""

from __future__ import annotations

from collections.abc import Iterable

from rpcscope.modes import sees_replies
from rpcscope.query.ids import recording_of
from rpcscope.store.protocol import Reader


class Unseen:
    """Which operations and calls, by their ids, were seen by their requests alone."""

    def __init__(self, reader: Reader) -> None:
        recordings = (info.recording for info in reader.recordings())
        self._recordings = frozenset(one.id for one in recordings if not sees_replies(one.tap_mode))

    def __bool__(self) -> bool:
        """There are some."""
        return bool(self._recordings)

    def touches(self, ids: Iterable[int]) -> bool:
        """Whether any of these is of a recording without replies and deliveries."""
        return any(recording_of(number) in self._recordings for number in ids)
