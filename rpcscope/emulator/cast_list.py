"""Which processes a cloud has: names, topics, addresses."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from rpcscope.fleet.model import Control

CONTROLLER = "controller"
_PROGRAMS = {"api": "gunicorn", "conductor": "nova-conductor", "scheduler": "nova-scheduler", "compute": "nova-compute"}
_FIRST_PID = 2001


@dataclass(frozen=True, slots=True)
class Part:
    """One process to be."""

    role: str
    program: str  # name and invented pid, as in the names of its connections
    host: str
    topics: tuple[str, ...]
    source: str  # local address


class CastList:
    """Hands out parts; no two have one pid."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._pids = itertools.count(_FIRST_PID)
        self._numbers: dict[str, int] = {CONTROLLER: 0}

    def control_plane(self) -> Iterator[Part]:
        """API, conductor and scheduler processes, all on one host."""
        for role, count in (("api", self._control.api), ("conductor", self._control.conductor),
                            ("scheduler", self._control.scheduler)):  # fmt: skip
            topics = () if role == "api" else (role,)
            yield from (self._part(role, CONTROLLER, topics) for _ in range(count))

    def compute(self, host: str) -> Part:
        """The compute service of a host, newly started: its pid is another one each time."""
        topics = ("compute", "compute-alt") if self._control.shape == "2026" else ("compute",)
        return self._part("compute", host, topics)

    def _part(self, role: str, host: str, topics: tuple[str, ...]) -> Part:
        number = self._numbers.setdefault(host, len(self._numbers))
        return Part(role, f"{_PROGRAMS[role]}:{next(self._pids)}", host, topics, _address(number))


def _address(number: int) -> str:
    """The n-th address of 127.1.0.0 and above; each has local ports of its own."""
    rest, last = divmod(number, 250)
    second, third = divmod(rest, 250)
    return f"127.{1 + second % 250}.{third + 1}.{last + 1}"
