"""What other processes ask a flight recorder for, by way of the database."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from rpcscope.errors import StoreError

if TYPE_CHECKING:
    from rpcscope.store.protocol import Trigger
    from rpcscope.store.store import Store

log = logging.getLogger(__name__)

LOOK_S = 2.0


class Asked:
    """Looks for triggers in a thread of its own: a database that hangs must not keep the tap from letting go."""

    def __init__(self, store: Store, name: str, usual_minutes: float) -> None:
        """Triggers from now on, for this name or for all; those that name no time get the usual one."""
        self._reader, self._writer = store.reader(), store.writer()
        self._name, self._minutes = name, usual_minutes
        self._since = max((trigger.id for trigger in self._reader.triggers()), default=0)
        self._new: deque[Trigger] = deque()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rpcscope-asked", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._end.set()
        self._thread.join()

    def new(self) -> list[Trigger]:
        """What was asked since the last time."""
        found = []
        while self._new:
            found.append(self._new.popleft())
        return found

    def _run(self) -> None:
        while not self._end.wait(LOOK_S):
            try:
                self._look()
            except StoreError as error:
                log.info("Whether somebody asks for details is not known: %s", error)

    def _look(self) -> None:
        for trigger in self._reader.triggers(self._since):
            self._since = trigger.id
            if trigger.name in ("", self._name):
                self._writer.taken(trigger.id, time.time_ns())
                self._new.append(replace(trigger, minutes=trigger.minutes or self._minutes))
