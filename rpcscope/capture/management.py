"""Snapshots of RabbitMQ's management API beside a raw capture: `NAME.mgmt.json.gz`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from rpcscope.capture.lines import MAX_LINE
from rpcscope.capture.pieces import Pieces
from rpcscope.model import Connection, Consumer, Topology

MOMENTS = ("at_start", "during", "at_end")


def beside(capture: Path) -> Path:
    """Where the snapshots of `NAME.jsonl`, `NAME.jsonl.zst` or `NAME.jsonl.gz` are looked for."""
    return capture.with_name(capture.name.split(".jsonl")[0] + ".mgmt.json.gz")


def read_snapshots(path: Path) -> list[Topology]:
    """Topologies of a snapshot file in the order of time; none when there is no such file.

    Raises:
        ValueError: it is not JSON, damaged, or larger than 256 MB.
        CaptureError, OSError: it can not be read.
    """
    if not path.exists():
        return []
    parts = orjson.loads(_whole(path))
    if not isinstance(parts, dict):
        raise ValueError("not an object")
    # A snapshot taken in between may hold the connections of one service only.
    return [topology(parts[key], complete=key != "during") for key in MOMENTS if isinstance(parts.get(key), dict)]


def _whole(path: Path) -> bytes:
    with path.open("rb") as file:
        pieces = Pieces(file, path.name)
        text = bytearray()
        for piece in pieces:
            text += piece
            if len(text) > MAX_LINE:
                raise ValueError("too large")
    if pieces.problem:
        raise ValueError(pieces.problem)
    return bytes(text)


def topology(part: Mapping[str, Any], complete: bool) -> Topology:
    """What `connections` and `consumers` of the management API show; entries of another shape are left out."""
    return Topology(
        at_ns=0,
        connections=tuple(_connections(part.get("connections"))),
        consumers=tuple(_consumers(part.get("consumers"))),
        complete=complete,
    )


def _connections(rows: object) -> Iterator[Connection]:
    for row in _objects(rows):
        name = _text(row.get("name"))
        if name:
            yield Connection(
                name=name,
                client_name=_text(_object(row.get("client_properties")).get("connection_name")),
                peer_host=_text(row.get("peer_host")) or name.partition(" -> ")[0].rpartition(":")[0],
                node=_text(row.get("node")),
            )


def _consumers(rows: object) -> Iterator[Consumer]:
    for row in _objects(rows):
        connection = _text(_object(row.get("channel_details")).get("connection_name"))
        queue = _text(_object(row.get("queue")).get("name"))
        if connection and queue:
            yield Consumer(connection=connection, queue=queue)


def _objects(rows: object) -> Iterator[dict[str, Any]]:
    return (row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else iter(())


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
