"""What the operator wants of a flight recorder."""

from __future__ import annotations

from dataclasses import dataclass, field

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is still usual; beyond it the tap looks closer. None: this is not looked at."""

    stuck_ns: int | None = 2 * MINUTE  # nothing of an unfinished operation happened for so long
    depth: int | None = 1_000  # messages that wait in one queue, or in one family of queues
    in_flight: int | None = 100  # calls that one process, or one queue where nobody's name is known, owes
    error_share: float | None = 0.2  # of the calls that closed within a minute
    timeout_share: float | None = 0.05
    least_calls: int = 20  # below so many, shares tell nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Details for a while in each period, whatever happens."""

    on_ns: int
    every_ns: int

    def is_on(self, since_start_ns: int) -> bool:
        """The first period begins without details, for a restart in a loop not to make them permanent."""
        return since_start_ns % self.every_ns >= self.every_ns - self.on_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightPlan:
    """Which mode when. `detail` is "" for a recorder that only lets go under load."""

    base: str  # always, while the broker bears it
    detail: str = ""  # on a trigger
    detail_ns: int = 5 * MINUTE
    limits: Limits = field(default_factory=Limits)
    duty: Duty | None = None
    cool_ns: int = MINUTE  # after details, signs trigger nothing for so long
    quiet_ns: int = MINUTE  # the broker must bear it for so long before the tap comes back
    ease_ns: int = 10 * SECOND  # how long the base may try whether it is little enough

    @property
    def longest_ns(self) -> int:
        """What still holds after so long is known by then, and triggers nothing until it was gone."""
        return 6 * self.detail_ns
