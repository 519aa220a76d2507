"""The notification tap: a copy of every notification in a bounded queue of its own, taken from nobody.

    <control exchange> -- notifications.* --> rpcscope.tap.<name>.notifications -> take() -> stored -> ack()

What ceilometer and others consume are queues of their own, bound by the same keys: they get what they got before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rpcscope.model import NOTICE_CHANNEL, Gap, GapCause, LiveSighting, Observation
from rpcscope_collectors.bindings import NOTIFIED
from rpcscope_collectors.notified import Notifications
from rpcscope_collectors.tap import Tap
from rpcscope_collectors.transport import Broker

_NOTE = "notifications"
_MAX_LENGTH, _MAX_BYTES = 20_000, 32 * 1024 * 1024


class NotificationTap:
    """Beside a tap on RPCs, or alone. `open` it, `take` and `ack` what was stored, `close` it.

    Notifications come at least once: what was not acknowledged comes again to the next recorder of the same name.
    """

    def __init__(
        self, broker: Broker, *, name: str = "default", exchanges: Iterable[str] = (), topics: Iterable[str] = ()
    ) -> None:
        """Nothing is connected yet. Without `exchanges` and `topics`, those that services use by default."""
        view = Notifications(exchanges, topics)
        self._tap = Tap(
            broker, view=view, name=name + NOTIFIED, beside=True, max_length=_MAX_LENGTH, max_bytes=_MAX_BYTES
        )
        self._batches: Iterator[list[LiveSighting]] = iter(())
        self._rest: list[LiveSighting] = []
        self._stopped = self._ended = False
        self._owed = False  # something was handed out that is not acknowledged

    def open(self) -> None:
        """Connect, make and bind the queue. Raises BrokerError."""
        self._tap.open()
        self._batches = self._tap.batches(max_wait_s=0)

    def take(self, most: int) -> list[LiveSighting]:
        """The oldest that came, also after it was closed; holes in what came are gaps of this tap alone."""
        if not self._stopped and len(self._rest) < most:
            self._rest += self._kept(next(self._batches, []))
        found, self._rest = self._rest[:most], self._rest[most:]
        self._owed = self._owed or bool(found)
        return found

    @property
    def backlog(self) -> int:
        """What came and was not taken yet."""
        return len(self._rest) + (0 if self._stopped else self._tap.backlog)

    def ack(self) -> None:
        """Everything taken so far is stored."""
        if self._ended or self._rest:
            return
        self._owed = False
        self._tap.ack()
        if self._stopped:
            self._end()

    def close(self) -> None:
        """Take what the broker has until now, and disconnect once that is acknowledged; again: at once.

        The queue goes when all is acknowledged; else the broker keeps it for the next recorder, until it expires.
        """
        if self._stopped:
            self._end()
            return
        self._tap.stop()
        for batch in self._batches:
            self._rest += self._kept(batch)
        self._stopped = True
        if not self._rest and not self._owed:
            self._tap.ack()
            self._end()

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            whole = self._tap.drained and not self._owed and not self._rest
            self._tap.close(delete_queue=whole)

    @staticmethod
    def _kept(batch: Iterable[LiveSighting]) -> Iterator[LiveSighting]:
        """Not the tap's phases, which are not those of the recording; nor its markers."""
        for seen in batch:
            if isinstance(seen, Gap):
                yield replace(seen, cause=GapCause.INSIDE, note=f"{_NOTE}: {seen.note or seen.cause.name.lower()}")
            elif isinstance(seen, Observation) and seen.exchange:
                yield replace(seen, headers={**seen.headers, "channel": NOTICE_CHANNEL})
