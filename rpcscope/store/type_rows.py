"""Queues by what they are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueTypes:
    """How many queues of a vhost are of one type and one durability."""

    vhost: str
    type: str  # classic | quorum | stream; "" unknown
    durable: bool | None
    queues: int
    example: str  # the name of one
