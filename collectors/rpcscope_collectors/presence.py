"""Which taps read which vhost, as they have noted it themselves on this machine."""

from __future__ import annotations

import os
import secrets
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from rpcscope_collectors.notes import Notes, Owned, this_process


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence(Owned):
    """One tap that is open, or was when its recorder was killed."""

    broker: str  # hosts and vhost, no account
    queue: str
    name: str  # of the file


def new_presence(broker: str, queue: str) -> Presence:
    """A tap of this process."""
    name = f"tap-{os.getpid()}-{secrets.token_hex(4)}.json"
    return Presence(**this_process(), broker=broker, queue=queue, name=name)


class Presences:
    """The taps noted in one state folder. Use it inside `locked`."""

    def __init__(self, state_dir: Path | str) -> None:
        """The folder is made when it is first needed."""
        self._notes = Notes(state_dir)

    def locked(self) -> AbstractContextManager[None]:
        """Nobody else changes notes meanwhile. Raises UsageError when the folder can not be used."""
        return self._notes.locked()

    def held(self) -> tuple[Presence, ...]:
        """The taps whose processes live; notes of others are taken away. Raises UsageError for what is no note."""
        found = []
        for name in self._notes.named("tap-*.json"):
            content = self._notes.read(name)
            if content is None:
                continue
            try:
                presence = Presence(**{**content, "name": name})
            except TypeError as error:
                raise self._notes.foreign(name) from error
            if presence.is_held():
                found.append(presence)
            else:
                self._notes.remove(name)
        return tuple(found)

    def write(self, presence: Presence) -> None:
        """Note it."""
        self._notes.write(presence.name, asdict(presence))

    def remove(self, presence: Presence) -> None:
        """Forget it."""
        self._notes.remove(presence.name)
