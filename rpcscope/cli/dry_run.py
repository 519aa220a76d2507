"""`rpcscope record --dry-run`: what recording would cost, before anybody pays."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click

from rpcscope.cli.brokers import Place
from rpcscope.cli.output import put_json
from rpcscope.errors import UsageError
from rpcscope.flight.forecast import Forecast, Traffic, forecast

if TYPE_CHECKING:
    from rpcscope.cli.flight import Course
    from rpcscope_collectors.deliveries import DeliveryApi

_LOOK_S = 15.0
"""The broker renews its counters every 5 seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dry:
    """What was found out about one broker."""

    broker: str
    traffic: Traffic
    costs: list[Forecast]
    queues: int
    tap_user: str
    tap_lacks: list[str] | None  # None: not known
    asker: str
    may_trace: bool

    def as_dict(self) -> dict[str, Any]:
        """For programs; None is unknown."""
        return asdict(self)


def say_costs(found: Sequence[Place], where: dict[str, Any], course: Course, format_: str) -> None:
    """Look at each broker for some seconds through the management API alone, and print.

    Raises:
        UsageError: a broker without --management-url.
        BrokerError: one that does not answer.
    """
    from rpcscope.cli.dry_view import print_dry

    if not all(place.management_urls for place in found):
        raise UsageError("--dry-run asks the management API: give --management-url")
    looked = [_look(place, where) for place in found]
    if format_ == "json":
        rows = [one.as_dict() for one in looked]
        put_json(rows[0] if len(rows) == 1 else rows)
        return
    for one in looked:
        print_dry(one, where, course)


def _look(place: Place, where: dict[str, Any]) -> Dry:
    from rpcscope_collectors.deliveries import DeliveryApi
    from rpcscope_collectors.rights import Rights

    broker = place.broker
    account = (place.management_urls[0], broker.username, broker.password)
    api, rights = DeliveryApi(*account), Rights(*account)
    traffic, queues = _traffic(api, broker.vhost)
    exchanges = tuple(where["exchanges"]) if where["mode"] == "bindings" else ()
    return Dry(
        broker=str(broker),
        traffic=traffic,
        costs=forecast(traffic),
        queues=queues,
        tap_user=broker.username,
        tap_lacks=rights.tap_lacks(broker.vhost, broker.username, where["name"], exchanges),
        asker=rights.user,
        may_trace=rights.may_trace(),
    )


def _traffic(api: DeliveryApi, vhost: str) -> tuple[Traffic, int]:
    """By the broker's own counters, over some of the periods in which it renews them."""
    from rpcscope_collectors.bindings import PREFIX, is_control

    click.echo(f"rpcscope: counting the messages of vhost {vhost} for {_LOOK_S:.0f} s", err=True)
    began, published, delivered = time.monotonic(), api.published(vhost), api.delivered(vhost)
    time.sleep(_LOOK_S)
    seconds, publishes = time.monotonic() - began, api.published(vhost) - published
    now = {queue: count for queue, count in api.delivered(vhost).items() if not queue.startswith(PREFIX)}
    rates = {queue: max(0, count - delivered.get(queue, 0)) / seconds for queue, count in now.items()}
    traffic = Traffic(
        publishes=max(0, publishes) / seconds,
        replies=sum(rate for queue, rate in rates.items() if queue.startswith("reply_")),
        deliveries=sum(rates.values()),
        control_deliveries=sum(rate for queue, rate in rates.items() if is_control(queue)),
    )
    return traffic, len(rates)
