"""Whether another tap reads a vhost already: two cost the broker twice, and seldom does anybody want that."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from rpcscope.errors import BrokerError
from rpcscope_collectors.bindings import NOTIFIED, PREFIX
from rpcscope_collectors.management import Management
from rpcscope_collectors.presence import Presence, Presences, new_presence
from rpcscope_collectors.transport import Broker
from rpcscope_collectors.wording import shown

_log = logging.getLogger(__name__)


class Company:
    """The other taps on one vhost, as the broker knows them, and as they have noted themselves on this machine.

    A queue that nobody reads is no company: its recorder was killed, or has ended.
    """

    def __init__(
        self, broker: Broker, queue: str, managements: Sequence[Management], state_dir: Path | str | None
    ) -> None:
        """`queue` is our own. Without a `state_dir` nothing is noted, and nothing is known where no API answers."""
        self._broker, self._queue, self._managements = broker, queue, tuple(managements)
        self._presences = None if state_dir is None else Presences(state_dir)
        self._ours: Presence | None = None

    def enter(self, *, beside: bool) -> None:
        """Note that we are here. Without `beside`, raises BrokerError when somebody else is.

        Raises UsageError for a state folder that can not be used.
        """
        others = set[str]() if beside else self._by_broker()
        if self._presences is None:
            self._refuse(others)
            return
        with self._presences.locked():
            self._refuse(others if beside else others | self._by_notes(self._presences))
            self._ours = new_presence(str(self._broker), self._queue)
            self._presences.write(self._ours)

    def leave(self) -> None:
        """Take the note away."""
        if self._presences is not None and self._ours is not None:
            with self._presences.locked():
                self._presences.remove(self._ours)
            self._ours = None

    def _refuse(self, others: set[str]) -> None:
        if others:
            names = ", ".join(map(shown, sorted(others)[:3]))
            raise BrokerError(
                f"Another tap reads vhost {shown(self._broker.vhost)} already ({names}): end it first, or allow both "
                "with --beside."
            )

    def _by_broker(self) -> set[str]:
        """As of some seconds ago; nothing when no API answers."""
        for management in self._managements:
            try:
                read = management.consumed(self._broker.vhost)
            except BrokerError as error:
                _log.debug("%s", error)
            else:
                taps = {queue for queue in read if queue.startswith(PREFIX) and queue != self._queue}
                return {queue for queue in taps if not queue.endswith(NOTIFIED)}  # these see hardly anything
        return set()

    def _by_notes(self, presences: Presences) -> set[str]:
        broker = str(self._broker)
        return {one.queue for one in presences.held() if one.broker == broker and one.queue != self._queue}
