"""What a tap would cost at a given rate of messages, by what was measured.

CPU: RabbitMQ 3.10.8 on two cores, 2 kB messages, clients on raw sockets, microseconds of broker CPU for one message
that is published and delivered: 16 more while it is traced, 54 with its publish tapped, 136 to 154 with its delivery
tapped too, 27 for a copy by a binding. Sizes: bodies of nova 34 recordings. Growth: 681 MiB for 2,000,000 calls in
SQLite (docs/performance.md). Another machine differs; the shares of the modes to each other less so.
"""

from __future__ import annotations

from dataclasses import dataclass

TRACED_US = 8.0  # for each event, tapped or not
PUBLISH_US = 38.0  # more for a publish that is tapped
DELIVERY_US = 91.0  # more for a delivery that is tapped
BINDING_US = 27.0
EVENT_BYTES = 3_400  # body and headers
ROW_BYTES = 360
DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Messages a second of one vhost."""

    publishes: float
    replies: float  # of the publishes
    deliveries: float
    control_deliveries: float  # from shared and per-host queues

    @property
    def requests(self) -> float:
        """Publishes that are no replies; each becomes a row."""
        return max(0.0, self.publishes - self.replies)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What one mode would cost."""

    mode: str
    core_share: float  # of one core of the broker, on top of what it does now
    events: float  # a second
    queue_bytes: float  # a second, into the tap's queue
    rows: float  # a day
    growth_bytes: float  # a day, of the database


def forecast(traffic: Traffic) -> list[Forecast]:
    """Each mode, the cheapest first."""
    t = traffic
    traced_us = TRACED_US * (t.publishes + t.deliveries)
    published_us = traced_us + PUBLISH_US * t.publishes
    return [
        _of(t, "bindings", BINDING_US * t.requests, t.requests),
        _of(t, "publish", published_us, t.publishes),
        _of(t, "control", published_us + DELIVERY_US * t.control_deliveries, t.publishes + t.control_deliveries),
        _of(t, "full", published_us + DELIVERY_US * t.deliveries, t.publishes + t.deliveries),
    ]


def _of(t: Traffic, mode: str, cpu_us: float, events: float) -> Forecast:
    rows = t.requests * DAY_S
    return Forecast(
        mode=mode,
        core_share=cpu_us / 1e6,
        events=events,
        queue_bytes=events * EVENT_BYTES,
        rows=rows,
        growth_bytes=rows * ROW_BYTES,
    )
