"""What the services reported, and waiting for it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping

from rpcscope.demo.control import Report, Returned
from rpcscope.errors import BrokerError


class Ledger:
    """Counts reports from any thread."""

    def __init__(self) -> None:
        """Nothing reported yet."""
        self._changed = threading.Condition()
        self._reports: Counter[Report] = Counter()
        self._problems: dict[int, str] = {}
        self._gone: list[str] = []

    def note(self, service: str, report: Report | None) -> None:
        """A service reports, or has ended (None)."""
        with self._changed:
            if report is None:
                self._gone.append(service)
            elif isinstance(report, Returned) and report.problem:
                self._problems[report.play] = report.problem
            else:
                self._reports[report] += 1
            self._changed.notify_all()

    def wait(self, expected: Mapping[Report, int], patience_s: float, fault: str, play: int = 0) -> None:
        """Return once each report was made as often as expected; `fault` is what it means when that does not come.

        Raises BrokerError after `patience_s`, when a service ended or when this play had a problem.
        """

        def over() -> bool:
            return bool(self._gone or play in self._problems or not self._missing(expected))

        with self._changed:
            self._changed.wait_for(over, patience_s)
            if play in self._problems:
                raise BrokerError(
                    f"The services {fault} ({self._problems[play]}): look at the broker's log and try again."
                )
            if self._gone:
                raise BrokerError(f"{self._gone[0]} ended too early: look at the broker's log and start again.")
            if missing := self._missing(expected):
                raise BrokerError(
                    f"The services {fault} within {patience_s:.0f} s ({missing} reports are missing):"
                    " check that the broker runs and the machine has room, and try again."
                )

    def forget(self, play: int) -> None:
        """Drop what was reported of a play."""
        with self._changed:
            self._problems.pop(play, None)
            for report in [one for one in self._reports if getattr(one, "play", None) == play]:
                del self._reports[report]

    def _missing(self, expected: Mapping[Report, int]) -> int:
        return sum(max(0, count - self._reports[report]) for report, count in expected.items())
