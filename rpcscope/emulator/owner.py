"""Who made a vhost, so that what a killed run left behind can be told from what a running one uses."""

from __future__ import annotations

import os
import re
import socket
import time
from dataclasses import dataclass
from pathlib import Path

_WORDS = re.compile(r"owner=(?P<host>[A-Za-z0-9._-]{1,255}) pid=(?P<pid>\d{1,9}) start=(?P<start>[0-9a-f-]{1,64}) "
                    r"since=(?P<since>\d{1,12})")  # fmt: skip
_UNKNOWN = "0"


@dataclass(frozen=True, slots=True)
class Owner:
    """A process on a host. `start` tells it from a later one with the same pid; `since_s` is Unix time."""

    host: str
    pid: int
    start: str
    since_s: int

    @classmethod
    def ourselves(cls) -> Owner:
        """This process."""
        return cls(_hostname(), os.getpid(), _started(os.getpid()), int(time.time()))

    @classmethod
    def read(cls, text: str) -> Owner | None:
        """The owner that `words` wrote into a text; None when there is none."""
        found = _WORDS.search(text)
        return cls(found["host"], int(found["pid"]), found["start"], int(found["since"])) if found else None

    @property
    def words(self) -> str:
        """As it is written into a vhost's description."""
        return f"owner={self.host} pid={self.pid} start={self.start} since={self.since_s}"

    def is_here(self) -> bool:
        """It ran on this host."""
        return self.host == _hostname()

    def is_alive(self) -> bool:
        """It runs on this host still."""
        return self.is_here() and _started(self.pid) == self.start


def _hostname() -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:255] or "localhost"


def _started(pid: int) -> str:
    """Which boot of the machine, and the process's start in clock ticks since then; "" when there is no such process.

    Source: proc(5), field 22 of /proc/<pid>/stat.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except OSError:
        pass  # somebody else's process
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return _UNKNOWN
    return "" if state[0] in "ZX" else f"{boot}-{state[19]}"
