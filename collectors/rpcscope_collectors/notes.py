"""Small files in a state folder, which outlive a recorder that was killed: what it has done, and that it is there."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rpcscope.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """Says which process wrote a note."""

    owner_host: str
    owner_pid: int
    owner_start: str  # boot and start of the process: a pid alone is used again

    @property
    def owner(self) -> str:
        """For people: pid and host."""
        return f"process {self.owner_pid} on {self.owner_host}"

    def is_held(self) -> bool:
        """Its owner lives. An owner on another host is taken for alive: from here nobody knows."""
        return self.owner_host != socket.gethostname() or _started(self.owner_pid) == self.owner_start


def this_process() -> dict[str, Any]:
    """What a note of ours says of its owner."""
    return {
        "owner_host": socket.gethostname(),
        "owner_pid": os.getpid(),
        "owner_start": _started(os.getpid()),
    }


class Notes:
    """The notes in one state folder. Use them inside `locked`."""

    def __init__(self, state_dir: Path | str) -> None:
        """The folder is made when it is first needed."""
        self.folder = Path(state_dir)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else changes notes meanwhile. Raises UsageError when the folder can not be used."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.folder / "tracing.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UsageError(
                f"The state folder {self.folder} can not be used ({error.strerror}): give another."
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def named(self, pattern: str) -> list[str]:
        """Names of the notes that match, in order."""
        return sorted(path.name for path in self.folder.glob(pattern))

    def read(self, name: str) -> dict[str, Any] | None:
        """What a note says; None when there is none. Raises UsageError for a file that is no note."""
        try:
            content = json.loads((self.folder / name).read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            content = None
        if not isinstance(content, dict):
            raise self.foreign(name)
        return content

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Put it on disk; it is there as a whole or not at all, also after a crash of the machine."""
        path = self.folder / name
        fresh = path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)

    def remove(self, name: str) -> None:
        """Forget it."""
        (self.folder / name).unlink(missing_ok=True)

    def foreign(self, name: str) -> UsageError:
        """The error for a file that somebody else wrote."""
        return UsageError(f"{self.folder / name} is not a note of rpcscope: look who wrote it, and move it away.")


def _started(pid: int) -> str:
    """Boot and start time of a process; "" when there is none. Source: proc(5), field 22 of stat."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if fields[0] in "ZX":
            return ""
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}:{fields[19]}"
    except OSError:
        return ""
