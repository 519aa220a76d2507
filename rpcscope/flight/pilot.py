"""Which mode a tap should be in now, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rpcscope.flight.plan import MINUTE, FlightPlan
from rpcscope.flight.reasons import Reason
from rpcscope.flight.strain import Allowed, Strain
from rpcscope.modes import OFF

START = "start"
OVER = "details are over"
QUIET = "the broker is quiet again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a tap should see from now on."""

    mode: str
    why: str


class Pilot:
    """Decides, again and again, from what is known at the moment. Not for several threads."""

    def __init__(self, plan: FlightPlan, now_ns: int) -> None:
        """The tap begins in its base mode."""
        self._plan, self._start_ns = plan, now_ns
        self._strain = Strain(plan)
        self._wish = Wish(mode=plan.base, why=START)
        self._since_ns = self._until_ns = self._cool_until_ns = 0  # of details
        self._why = ""  # of details; "" without them
        self._known: set[str] = set()  # reasons that have held details for the longest time

    def ask(self, why: str, minutes: float, now_ns: int) -> None:
        """Somebody wants details: also while signs are not heard, and before their time is over."""
        self._begin(why, now_ns, round(minutes * MINUTE))

    def decide(self, now_ns: int, reasons: Sequence[Reason], broken: str = "") -> Wish:
        """The same wish as before as long as nothing changes its mode."""
        self._details(now_ns, reasons)
        self._strain.look(now_ns, broken, self._wish.mode)
        mode, why = self._choose(now_ns)
        if mode != self._wish.mode:
            self._wish = Wish(mode=mode, why=why or self._back())
        return self._wish

    # ------------------------------------------------------------ details

    def _details(self, now_ns: int, reasons: Sequence[Reason]) -> None:
        self._known &= {reason.key for reason in reasons}
        news = [reason for reason in reasons if reason.key not in self._known]
        if not self._why:
            if news and now_ns >= self._cool_until_ns:
                self._begin(f"trigger: {news[0].text}", now_ns, self._plan.detail_ns)
        elif now_ns >= self._until_ns and (not news or now_ns - self._since_ns >= self._plan.longest_ns):
            self._known |= {reason.key for reason in news}
            self._why, self._cool_until_ns = "", now_ns + self._plan.cool_ns

    def _begin(self, why: str, now_ns: int, for_ns: int) -> None:
        if not self._why:
            self._why, self._since_ns, self._until_ns = why, now_ns, 0
        self._until_ns = max(self._until_ns, now_ns + for_ns)

    # ------------------------------------------------------------ the mode

    def _choose(self, now_ns: int) -> tuple[str, str]:
        plan, allowed = self._plan, self._strain.allowed
        if allowed is Allowed.NOTHING:
            return OFF, f"ceiling: {self._strain.why}"
        if allowed is Allowed.BASE:
            return plan.base, f"ceiling: {self._strain.why}"
        if plan.detail and self._why:
            return plan.detail, self._why
        if plan.detail and plan.duty is not None and plan.duty.is_on(now_ns - self._start_ns):
            return plan.detail, "duty cycle"
        return plan.base, ""

    def _back(self) -> str:
        return QUIET if self._wish.mode == OFF else OVER
