"""When a service's timers run. Pure: times are arguments, in s of the world.

Source: oslo_service/periodic_task.py :: run_periodic_tasks, _nearest_boundary; loopingcall.py ::
FixedIntervalLoopingCall; nova/servicegroup/drivers/db.py for report_state.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

FIRST_REPORT_S = 5.0  # nova/servicegroup/api.py :: INITIAL_REPORTSTATE_DELAY
FUZZY_S = 60.0  # periodic_fuzzy_delay


class Fixed:
    """A timer that starts every `interval_s`, or as soon as a run that took longer is over."""

    def __init__(self, interval_s: float, first_s: float) -> None:
        self._interval_s = interval_s
        self.next_s = first_s

    def ran(self, started_s: float, ended_s: float) -> None:
        """A run is over."""
        self.next_s = max(started_s + self._interval_s, ended_s)


class Periodic:
    """The periodic tasks of a service: one thread runs them, each when its spacing has passed since its last run."""

    def __init__(self, spacings_s: Mapping[str, float], last_s: Mapping[str, float], rng: random.Random) -> None:
        """By the task's name; `last_s` is when it ran last, or the service was started."""
        self._spacings_s, self._last_s, self._rng = spacings_s, dict(last_s), rng

    def next(self) -> tuple[float, str]:
        """When the next one is due, and which; of several that are, the one that is due longest."""
        return min((self._last_s[name] + spacing_s, name) for name, spacing_s in self._spacings_s.items())

    def runs(self, name: str, now_s: float) -> None:
        """It starts now. Late starts do not move later ones, but each is up to 5 % later, in whole seconds."""
        spacing_s = self._spacings_s[name]
        late_s = max(0.0, now_s - self._last_s[name] - spacing_s) % spacing_s
        self._last_s[name] = now_s - late_s + int(spacing_s * self._rng.random() / 20)
