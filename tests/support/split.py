"""What one broker saw, as two brokers would have seen it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from rpcscope.model import Observation, Sighting, Topology

Inner = dict[str, Any]
Side = Callable[[Observation, Inner], bool]
"""Whether a request goes over the cell's broker, by its publish and its inner message."""


def split(sightings: Iterable[Sighting], in_cell: Side) -> tuple[list[Sighting], list[Sighting]]:
    """The API's and the cell's: a reply goes where its request went, a snapshot shows who is connected there."""
    given = list(sightings)
    sides: dict[str, bool] = {}
    seen = [(one, json.loads(json.loads(one.body)["oslo.message"])) for one in given if isinstance(one, Observation)]
    for one, inner in seen:
        if one.routing_key.startswith("publish.") and "ending" not in inner:
            side = in_cell(one, inner)
            sides.update({inner[key]: side for key in ("_unique_id", "_msg_id", "message_id") if key in inner})
    where = {
        id(one): next(sides[inner[key]] for key in ("_msg_id", "_unique_id", "message_id") if inner.get(key) in sides)
        for one, inner in seen
    }
    api, cell = (_there(given, [one for one, _ in seen if where[id(one)] is side]) for side in (False, True))
    return api, cell


def _there(given: Sequence[Sighting], events: list[Observation]) -> list[Sighting]:
    names = {str(one.headers["connection"]) for one in events}
    chosen = {id(one) for one in events}
    found: list[Sighting] = []
    for one in given:
        if isinstance(one, Topology):
            found.append(
                replace(
                    one,
                    connections=tuple(c for c in one.connections if c.name in names),
                    consumers=tuple(c for c in one.consumers if c.connection in names),
                )
            )
        elif id(one) in chosen:
            found.append(one)
    return found


def programs(sightings: Iterable[Sighting]) -> dict[str, str]:
    """Connection -> program, by the snapshots."""
    return {
        c.name: c.client_name.partition(":")[0]
        for one in sightings
        if isinstance(one, Topology)
        for c in one.connections
    }


def as_nova_does(sightings: Sequence[Sighting]) -> Side:
    """Over the cell's broker goes all to computes and all from computes, as with nova's cells."""
    known = programs(sightings)

    def in_cell(one: Observation, inner: Inner) -> bool:
        (key, *_) = one.headers["routing_keys"]
        return key.startswith("compute") or known.get(str(one.headers["connection"])) == "nova-compute"

    return in_cell


def by_topic(one: Observation, inner: Inner) -> bool:
    """The hardest: nearly every parent is on the other broker."""
    (key, *_) = one.headers["routing_keys"]
    return key.partition(".")[0] != "conductor"
