"""How far a tap has to step back from a broker that bears no more."""

from __future__ import annotations

from enum import IntEnum

from rpcscope.flight.plan import MINUTE, FlightPlan

_LONGEST_QUIET_NS = 30 * MINUTE
_SOON = 10  # times the quiet time: broken again so soon after the tap came back, it was the tap


class Allowed(IntEnum):
    """What a tap may still do."""

    NOTHING = 0
    BASE = 1
    DETAIL = 2


class Strain:
    """One step back at a time, and both back after a quiet time; each time that was too soon, it doubles."""

    def __init__(self, plan: FlightPlan) -> None:
        """The broker bears it."""
        self._plan = plan
        self.allowed = Allowed.DETAIL
        self.why = ""  # the last ceiling that was broken, while something is not allowed
        self._eased_ns = self._broken_ns = self._back_ns = 0
        self._quiet_ns = plan.quiet_ns

    def look(self, now_ns: int, broken: str, mode: str) -> None:
        """`broken` says which ceiling is broken, or nothing; `mode` is what the tap does now."""
        if broken:
            self._broken_ns = now_ns
            self._step_back(now_ns, broken, mode)
        elif self.allowed is not Allowed.DETAIL and now_ns - self._broken_ns >= self._quiet_ns:
            self.allowed, self.why, self._back_ns = Allowed.DETAIL, "", now_ns

    def _step_back(self, now_ns: int, broken: str, mode: str) -> None:
        if self.allowed is Allowed.DETAIL:
            self._quiet_ns = self._next_quiet_ns(now_ns)
            self.allowed = Allowed.NOTHING if mode == self._plan.base else Allowed.BASE
            self.why, self._eased_ns = broken, now_ns
        elif self.allowed is Allowed.BASE and now_ns - self._eased_ns >= self._plan.ease_ns:
            self.allowed, self.why = Allowed.NOTHING, broken

    def _next_quiet_ns(self, now_ns: int) -> int:
        soon = self._back_ns and now_ns - self._back_ns < _SOON * self._quiet_ns
        return min(2 * self._quiet_ns, max(_LONGEST_QUIET_NS, self._plan.quiet_ns)) if soon else self._plan.quiet_ns
