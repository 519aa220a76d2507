"""What recording would cost, on a screen, for who never recorded."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

from rpcscope.cli.amounts import spoken
from rpcscope.cli.fit import put_table
from rpcscope.cli.output import cell, console, number, table

if TYPE_CHECKING:
    from rich.console import Console

    from rpcscope.cli.dry_run import Dry
    from rpcscope.cli.flight import Course
    from rpcscope.flight.forecast import Forecast

_WIDTH = 110
_SEES = {
    "bindings": "requests alone; no tracing",
    "publish": "all messages, no deliveries",
    "control": "and who takes requests",
    "full": "and every other delivery",
}
_SOURCE = (
    "Broker CPU is worked out from what was measured on RabbitMQ 3.10.8 with 2 kB messages on a machine with two cores "
    "(docs/recording.md): another machine differs, perhaps by half, and the order of the modes stays. Bodies of nova "
    "are about 3 kB. The database is SQLite, with 360 bytes for each request (docs/performance.md)."
)


def print_dry(one: Dry, where: dict[str, Any], course: Course) -> None:
    """A block for a broker: traffic, a table of modes, what was chosen, rights, what is left."""
    screen, t = console(), one.traffic
    screen.print(cell(one.broker, "bold"))
    screen.print(
        cell(
            f"Now {t.publishes:,.1f} messages a second, about {t.replies:,.1f} of them replies, "
            f"and {t.deliveries:,.1f} deliveries, in {one.queues:,} queues."
        )
    )
    screen.print(cell("Recording would cost the broker, on top of what it does now:"))
    lines = table("mode", "sees", ">broker CPU", ">events/s", ">into its queue", ">rows a day", ">database a day")
    for cost in one.costs:
        lines.add_row(cost.mode, _SEES[cost.mode], *_figures(cost))
    put_table(lines)
    for word, sentence in (
        ("chosen", _chosen(where, course)),
        ("tracing", _tracing(one)),
        ("rights", _rights(one)),
        ("left", _left(where["name"])),
        ("source", _SOURCE),
    ):
        _put(screen, word, sentence)


def _put(screen: Console, word: str, sentence: str) -> None:
    for place, line in enumerate(wrap(sentence, min(screen.width, _WIDTH) - 9)):
        screen.print(cell(f"{'' if place else word:<8} {line}"))


def _figures(cost: Forecast) -> tuple[str, ...]:
    return (
        f"{cost.core_share:.2%} of a core",
        number(cost.events, 1),
        f"{number(cost.queue_bytes / 1000, 1)} kB/s",
        number(cost.rows),
        f"{number(cost.growth_bytes / 1e6, 1)} MB",
    )


def _chosen(where: dict[str, Any], course: Course) -> str:
    plan, keep = course.plan, f"; what is older than {spoken(course.keep_ns)} is removed" if course.keep_ns else ""
    if plan is None or not plan.detail:
        return f"mode {where['mode']} all the time{keep}."
    duty = f", and for {spoken(plan.duty.on_ns)} of each {spoken(plan.duty.every_ns)}" if plan.duty else ""
    return f"{plan.base} all the time, {plan.detail} for {spoken(plan.detail_ns)} on a trigger{duty}{keep}."


def _tracing(one: Dry) -> str:
    if one.may_trace:
        return f"user {one.asker} may switch it on and off."
    return (
        f"user {one.asker} may not switch it: give a --management-url with an administrator "
        f"(rabbitmqctl set_user_tags), or use --mode bindings, which needs none."
    )


def _rights(one: Dry) -> str:
    if one.tap_lacks is None:
        return f"whether user {one.tap_user} may tap is not known: only an administrator is told of others' rights."
    if one.tap_lacks:
        lacks = ", ".join(one.tap_lacks)
        return f"user {one.tap_user} lacks {lacks}: see docs/production.md, rabbitmqctl set_permissions."
    return f"user {one.tap_user} may make and read its queue and what it binds to."


def _left(name: str) -> str:
    return (
        f"nothing on the broker after an orderly end. After kill -9: queue rpcscope.tap.{name} with at most 100,000 "
        "events and 67 MB for ten minutes, and tracing until the next start, `rpcscope untrace`, or systemd "
        "(`rpcscope unit`)."
    )
