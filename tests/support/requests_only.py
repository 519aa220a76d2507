"""What of a whole recording a tap on the services' exchanges would have got."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

from rpcscope.capture import CaptureReader, CaptureWriter, Header, Scrubber
from rpcscope.model import Observation, Sighting, Topology
from rpcscope.rules import load_rules

UNSEEN = {"connection", "channel", "routed_queues", "user"}


@cache
def sightings(path: Path) -> tuple[Sighting, ...]:
    with CaptureReader(path) as reader:
        return tuple(seen for batch in reader.batches() for seen in batch)


def requests(path: Path, *, snapshots: bool = False) -> list[Sighting]:
    """What of a recording a tap on the exchanges would have got."""
    return only_requests(sightings(path), snapshots=snapshots)


def only_requests(events: Iterable[Sighting], *, snapshots: bool = False) -> list[Sighting]:
    """Publishes to an exchange that a queue can be bound to, without what the broker adds when it traces."""
    found: list[Sighting] = []
    for seen in events:
        if isinstance(seen, Observation) and seen.headers.get("exchange_name"):
            if seen.routing_key.startswith("publish."):
                headers = {key: value for key, value in seen.headers.items() if key not in UNSEEN}
                found.append(replace(seen, headers=headers))
        elif isinstance(seen, Topology) and snapshots:
            found.append(seen)
    return found


def written(source: Path, target: Path) -> Path:
    """A capture as `rpcscope capture --mode bindings` would have written it."""
    with CaptureWriter(target, Header(mode="bindings"), Scrubber(load_rules())) as out:
        for seen in requests(source, snapshots=True):
            out.write(seen)
    return target
