"""Raw firehose lines: what a plain recorder wrote, one JSON object per event."""

from __future__ import annotations

import base64
import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import zstandard

from rpcscope.model import Connection, Consumer, Observation, Sighting, Topology


def snapshots(path: Path) -> list[Topology]:
    """Topologies of `NAME.mgmt.json.gz` beside `NAME.jsonl.zst`, in order of time."""
    beside = path.with_name(path.name.split(".jsonl")[0] + ".mgmt.json.gz")
    if not beside.exists():
        return []
    with gzip.open(beside) as file:
        parts = orjson.loads(file.read())
    return [_topology(parts[key], key) for key in ("at_start", "during", "at_end") if parts.get(key)]


def _topology(part: dict[str, Any], key: str) -> Topology:
    connections = tuple(
        Connection(
            name=c["name"],
            client_name=(c.get("client_properties") or {}).get("connection_name") or "",
            peer_host=c.get("peer_host") or c["name"].rpartition(":")[0],
            node=c.get("node") or "",
        )
        for c in part.get("connections") or []
    )
    consumers = tuple(
        Consumer(connection=c["channel_details"].get("connection_name", ""), queue=c["queue"]["name"])
        for c in part.get("consumers") or []
        if c.get("channel_details")
    )
    return Topology(at_ns=0, connections=connections, consumers=consumers, complete=key != "during")


def lines(path: Path) -> Iterator[Observation]:
    """Observations of a raw capture in the order of its lines."""
    offset = None
    with path.open("rb") as file:
        for line in io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(file)):  # type: ignore[arg-type]
            row = orjson.loads(line)
            if offset is None:
                offset = row["recv_wall_ns"] - row["recv_mono_ns"]
            body = row["body"].encode() if "body" in row else base64.b64decode(row.get("body_b64", ""))
            yield Observation(
                at_ns=row["recv_mono_ns"] + offset,
                exchange=row["exchange"],
                routing_key=row["routing_key"],
                headers=row["headers"],
                body=body,
                size=row.get("body_len", len(body)),
                redelivered=bool(row.get("redelivered")),
                seq=row["seq"],
            )


def sightings(path: Path) -> Iterator[Sighting]:
    """Snapshots first, then the events."""
    yield from snapshots(path)
    yield from lines(path)
