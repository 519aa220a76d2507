"""The options of the flight recorder, and the plan that they make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
from click.core import ParameterSource

from rpcscope.cli.amounts import Count, Duration, DutyCycle, Share
from rpcscope.errors import UsageError
from rpcscope.flight import Duty, FlightPlan, Limits

_USUAL_CEILING = 0.8
_OFF = Duration(may_be_off=True)
_FLIGHT_ONLY = (
    *("flight_base", "flight_mode", "flight_minutes", "stuck", "depth", "in_flight", "error_rate", "timeout_rate"),
    *("least_calls", "cool_down", "duty"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What the options of the flight recorder say. `plan` is None for a tap that keeps its mode."""

    plan: FlightPlan | None
    ceiling: float  # share of a node's CPU; 0: alarms and blocked connections alone
    keep_ns: int  # 0: everything


def flight_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Everything that `Course` is made of."""
    options = (
        click.option("--flight", is_flag=True, help="Keep a cheap tap, and look closer when something is unusual."),
        click.option("--flight-base", type=click.Choice(["publish", "bindings"]), default="publish", show_default=True,
                     help="Always: publishes alone, or requests alone without tracing."),
        click.option("--flight-mode", type=click.Choice(["control", "full"]), default="control", show_default=True,
                     help="On a trigger."),
        click.option("--flight-minutes", type=click.FloatRange(0, 1440, min_open=True), default=5, show_default=True,
                     metavar="N", help="How long a trigger brings details; longer while it holds."),
        click.option("--stuck", type=_OFF, default="2m", show_default=True, metavar="TIME",
                     help="Trigger: an unfinished operation did not move for so long."),
        click.option("--depth", type=Count(), default="1000", show_default=True, metavar="N",
                     help="Trigger: so many messages wait in a queue, or in a family of queues."),
        click.option("--in-flight", type=Count(), default="100", show_default=True, metavar="N",
                     help="Trigger: a process (or a topic, where deliveries are not seen) owes so many calls."),
        click.option("--error-rate", type=Share(), default="20%", show_default=True, metavar="SHARE",
                     help="Trigger: so many of the last minute's calls failed; expected failures are none."),
        click.option("--timeout-rate", type=Share(), default="5%", show_default=True, metavar="SHARE",
                     help="Trigger: so many of the last minute's calls timed out."),
        click.option("--least-calls", type=click.IntRange(1), default=20, show_default=True, metavar="N",
                     help="Below so many calls in a minute, the rates tell nothing."),
        click.option("--cool-down", type=Duration(), default="1m", show_default=True, metavar="TIME",
                     help="After details, nothing triggers for so long but `rpcscope trigger`."),
        click.option("--duty", type=DutyCycle(), metavar="TIME/PERIOD",
                     help="Details for a while of each period in any case: 2m/30m."),
        click.option("--max-broker-cpu", type=Share(), metavar="SHARE",
                     help="Let go above this share of a node's CPU, or when a node raises an alarm or blocks "
                     "connections; 80% with --flight, off otherwise."),
        click.option("--quiet", type=Duration(), default="1m", show_default=True, metavar="TIME",
                     help="Come back after so long below; longer when it was the tap."),
        click.option("--keep", type=Duration(), metavar="TIME",
                     help="Remove what is older from the database while recording: 24h, 7d."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def course(where: dict[str, Any]) -> Course:
    """Takes the flight's options out of those of a command, and sets `mode` to the one that it begins with.

    Raises:
        UsageError: an option that does nothing without --flight, or --mode beside it.
    """
    given = {name: where.pop(name) for name in (*_FLIGHT_ONLY, "flight", "max_broker_cpu", "quiet", "keep")}
    ceiling: float | None = given["max_broker_cpu"]
    if given["flight"]:
        if _was_given("mode"):
            raise UsageError("--flight has no one --mode: say --flight-base for always, --flight-mode for a trigger")
        where["mode"] = given["flight_base"]
        return Course(
            plan=_plan(given), ceiling=_USUAL_CEILING if ceiling is None else ceiling, keep_ns=given["keep"] or 0
        )
    for name in _FLIGHT_ONLY:
        if _was_given(name):
            raise UsageError(f"--{name.replace('_', '-')} is for --flight: add it")
    plan = FlightPlan(base=where["mode"], quiet_ns=given["quiet"]) if ceiling else None
    return Course(plan=plan, ceiling=ceiling or 0.0, keep_ns=given["keep"] or 0)


def _was_given(name: str) -> bool:
    return click.get_current_context().get_parameter_source(name) not in (None, ParameterSource.DEFAULT)


def _plan(given: dict[str, Any]) -> FlightPlan:
    limits = Limits(
        stuck_ns=given["stuck"] or None,
        depth=given["depth"] or None,
        in_flight=given["in_flight"] or None,
        error_share=given["error_rate"] or None,
        timeout_share=given["timeout_rate"] or None,
        least_calls=given["least_calls"],
    )
    duty: Duty | None = given["duty"]
    return FlightPlan(
        base=given["flight_base"],
        detail=given["flight_mode"],
        detail_ns=round(given["flight_minutes"] * 60e9),
        limits=limits,
        duty=duty,
        cool_ns=given["cool_down"],
        quiet_ns=given["quiet"],
    )
