"""When a tap looks closer, when it steps back, and what it says of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from rpcscope.flight import Duty, FlightPlan, Pilot, Reason, Wish

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
STUCK = Reason("stuck req-1", "create req-1 waits for build since 130 s")
DEEP = Reason("depth queue conductor", "2,000 messages wait in queue conductor")
HOT = "node rabbit@a uses 91 % of its CPU, the ceiling is 80 %"


@dataclass
class Flight:
    """A pilot and its clock."""

    plan: FlightPlan = field(default_factory=lambda: FlightPlan(base="publish", detail="control"))
    now_ns: int = 1_000 * MINUTE

    def __post_init__(self) -> None:
        self.pilot = Pilot(self.plan, self.now_ns)

    def after(self, seconds: float, *reasons: Reason, broken: str = "") -> Wish:
        """What it wants when so much time has passed in one step."""
        self.now_ns += int(seconds * SECOND)
        return self.pilot.decide(self.now_ns, reasons, broken)

    def each_second(self, seconds: int, *reasons: Reason, broken: str = "") -> list[Wish]:
        """The wishes that differ from the one before, one decision a second."""
        found: list[Wish] = []
        for _ in range(seconds):
            wish = self.after(1, *reasons, broken=broken)
            if not found or wish != found[-1]:
                found.append(wish)
        return found


def modes(wishes: list[Wish]) -> list[str]:
    return [wish.mode for wish in wishes]


def test_without_a_reason_the_tap_stays_in_its_base() -> None:
    assert modes(Flight().each_second(3600)) == ["publish"]


def test_a_reason_brings_details_for_their_time_and_says_which() -> None:
    flight = Flight()
    assert flight.after(1, STUCK) == Wish(mode="control", why=f"trigger: {STUCK.text}")
    assert modes(flight.each_second(299)) == ["control"]
    assert flight.after(1) == Wish(mode="publish", why="details are over")


def test_while_a_reason_holds_details_stay() -> None:
    flight = Flight()
    assert modes(flight.each_second(20 * 60, STUCK)) == ["control"]
    assert flight.after(1).mode == "publish"


def test_what_holds_for_ever_is_known_one_day_and_something_new_is_not() -> None:
    flight = Flight()
    told = flight.each_second(2 * 3600, STUCK)
    assert modes(told) == ["control", "publish"]
    assert flight.after(1, STUCK, DEEP) == Wish(mode="control", why=f"trigger: {DEEP.text}")


def test_what_was_known_and_went_away_is_news_when_it_comes_again() -> None:
    flight = Flight()
    flight.each_second(3600, STUCK)
    flight.each_second(60)
    assert flight.after(1, STUCK).mode == "control"


def test_right_after_details_a_sign_has_to_wait_and_a_person_has_not() -> None:
    flight = Flight()
    flight.after(1, STUCK)
    assert flight.after(301).mode == "publish"
    assert flight.after(30, DEEP).mode == "publish"
    flight.pilot.ask("trigger: look at this", 1, flight.now_ns)
    assert flight.after(0, DEEP) == Wish(mode="control", why="trigger: look at this")
    assert flight.after(61).mode == "publish"
    assert flight.after(60, DEEP).mode == "control"


def test_who_asks_for_longer_gets_it() -> None:
    flight = Flight()
    flight.after(1, STUCK)
    flight.pilot.ask("trigger: mine", 20, flight.now_ns)
    assert modes(flight.each_second(20 * 60 - 1)) == ["control"]
    assert flight.after(1).mode == "publish"


def test_a_duty_cycle_has_details_at_the_end_of_each_period() -> None:
    plan = FlightPlan(base="bindings", detail="full", duty=Duty(on_ns=2 * MINUTE, every_ns=30 * MINUTE))
    flight = Flight(plan)
    assert modes(flight.each_second(27 * 60)) == ["bindings"]
    assert flight.after(60) == Wish(mode="full", why="duty cycle")
    assert modes(flight.each_second(119)) == ["full"]
    assert flight.after(1) == Wish(mode="bindings", why="details are over")
    assert modes(flight.each_second(30 * 60)).count("full") == 1


# ------------------------------------------------------------------ the ceiling


def test_a_broken_ceiling_ends_details_first_and_then_all() -> None:
    flight = Flight()
    flight.after(1, STUCK)
    assert flight.after(1, STUCK, broken=HOT) == Wish(mode="publish", why=f"ceiling: {HOT}")
    assert modes(flight.each_second(9, STUCK, broken=HOT)) == ["publish"]
    assert flight.after(1, STUCK, broken=HOT) == Wish(mode="off", why=f"ceiling: {HOT}")


def test_without_details_to_give_up_the_tap_lets_go_at_once() -> None:
    assert Flight().after(1, broken=HOT) == Wish(mode="off", why=f"ceiling: {HOT}")


def test_a_ceiling_alone_needs_no_details() -> None:
    flight = Flight(FlightPlan(base="control"))
    assert flight.after(1, STUCK).mode == "control"
    assert flight.after(1, broken=HOT).mode == "off"
    assert flight.after(59).mode == "off"
    assert flight.after(1) == Wish(mode="control", why="the broker is quiet again")


def test_the_tap_comes_back_after_a_quiet_time_and_goes_on_with_its_details() -> None:
    flight = Flight()
    flight.each_second(30, broken=HOT)
    assert modes(flight.each_second(59, STUCK)) == ["off"]
    assert flight.after(1, STUCK) == Wish(mode="control", why=f"trigger: {STUCK.text}")


def test_a_broker_that_is_never_quiet_for_long_keeps_the_tap_away() -> None:
    flight = Flight()
    for _ in range(60):
        flight.after(1, broken=HOT)
        assert flight.after(58).mode == "off"


def test_a_tap_that_is_itself_the_load_comes_back_ever_later() -> None:
    flight, away = Flight(), list[int]()
    for _ in range(4):
        flight.after(1, broken=HOT)
        seconds = 1
        while flight.after(1).mode == "off":
            seconds += 1
        away.append(seconds)
    assert away == [60, 120, 240, 480]


def test_why_stays_that_of_the_moment_when_the_mode_changed() -> None:
    flight = Flight()
    first = flight.after(1, STUCK)
    assert flight.after(1, DEEP, STUCK) is first


@pytest.mark.parametrize("steps", [[1.0] * 7200, [7.0] * 1000, [61.0] * 100])
def test_whatever_comes_and_goes_the_mode_does_not_flap(steps: list[float]) -> None:
    flight, changes, before = Flight(), 0, "publish"
    for number, step in enumerate(steps):
        signs: list[Any] = [STUCK] if number % 2 else []
        mode = flight.after(step, *signs).mode
        changes, before = changes + (mode != before), mode
    assert changes <= 2 * (sum(steps) / 360 + 1)
