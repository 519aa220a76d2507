"""rpcscope's own capture format: JSON lines, the first one a header, compressed with zstd.

{"rpcscope_capture": 1, "source": ..., "label": ..., "mode": ..., "conditions": ..., "digest": ..., "pseudonymized": ...}
{"at_ns": ..., "seq": ..., "exchange": ..., "routing_key": ..., "redelivered": ..., "headers": {...}, "body": "...", "size": ...}
{"topology": {"at_ns": ..., "complete": ..., "connections": [[name, client_name, peer_host, node], ...],
              "consumers": [[connection, queue], ...]}}
{"gap": {"from_ns": ..., "to_ns": ..., "cause": ..., "estimate": ..., "note": ...}}
{"inside": {...}}: see rpcscope.inside_row
"""  # noqa: E501

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from rpcscope import inside_row
from rpcscope.capture.clock import moment
from rpcscope.capture.raw import count, observation
from rpcscope.model import Connection, Consumer, Gap, GapCause, Inside, Observation, Sighting, Topology

VERSION = 1
MARK = "rpcscope_capture"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MAX_TEXT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line: where the events are from."""

    source: str = "firehose"  # Recording.source of what made it
    label: str = ""
    mode: str = ""  # tap mode: publish, control, full, or "" when unknown
    conditions: str = ""  # what the user said of it
    digest: str = ""  # sha256 of the raw file it was scrubbed from; "" when recorded live
    pseudonymized: bool = False


def plain(value: object) -> str:
    """Text of a person or a file name as one printable line of at most 500 characters."""
    return "".join(c for c in value[:_MAX_TEXT] if c.isprintable()) if isinstance(value, str) else ""


def header_of(row: dict[str, Any]) -> Header:
    """The header that a first line holds, whatever the types of its values."""
    digest = row.get("digest")
    return Header(
        source=plain(row.get("source")),
        label=plain(row.get("label")),
        mode=plain(row.get("mode")),
        conditions=plain(row.get("conditions")),
        digest=digest if isinstance(digest, str) and _DIGEST.fullmatch(digest) else "",
        pseudonymized=row.get("pseudonymized") is True,
    )


def header_line(header: Header) -> bytes:
    """A header as a line."""
    return orjson.dumps({MARK: VERSION, **asdict(header)}) + b"\n"


def line(sighting: Sighting) -> bytes:
    """A sighting as a line."""
    if isinstance(sighting, Observation):
        row: dict[str, Any] = {
            "at_ns": sighting.at_ns,
            "seq": sighting.seq,
            "exchange": sighting.exchange,
            "routing_key": sighting.routing_key,
            "redelivered": sighting.redelivered,
            "headers": sighting.headers,
            "body": sighting.body.decode("utf-8", "replace"),
            "size": sighting.size,
        }
    elif isinstance(sighting, Topology):
        row = {"topology": _of_topology(sighting)}
    elif isinstance(sighting, Inside):
        row = {"inside": inside_row.row(sighting)}
    else:
        row = {"gap": {**asdict(sighting), "cause": sighting.cause.name}}
    return orjson.dumps(row) + b"\n"


def _of_topology(seen: Topology) -> dict[str, Any]:
    return {
        "at_ns": seen.at_ns,
        "complete": seen.complete,
        "connections": [[c.name, c.client_name, c.peer_host, c.node] for c in seen.connections],
        "consumers": [[c.connection, c.queue] for c in seen.consumers],
    }


def sighting(row: dict[str, Any]) -> Sighting | None:
    """What a line holds; None when it is nothing that this version knows."""
    if isinstance(row.get("topology"), dict):
        return _topology(row["topology"])
    if isinstance(row.get("gap"), dict):
        return _gap(row["gap"])
    if isinstance(row.get("inside"), dict):
        return inside_row.inside(row["inside"])
    at_ns = moment(row.get("at_ns"))
    return observation(row, at_ns) if at_ns is not None else None


def _topology(row: dict[str, Any]) -> Topology:
    return Topology(
        at_ns=moment(row.get("at_ns")) or 0,
        connections=tuple(
            Connection(name=a, client_name=b, peer_host=c, node=d) for a, b, c, d in _texts(row, "connections", 4)
        ),
        consumers=tuple(Consumer(connection=a, queue=b) for a, b in _texts(row, "consumers", 2)),
        complete=row.get("complete") is True,
    )


def _texts(row: dict[str, Any], key: str, width: int) -> list[list[str]]:
    """Rows of that many texts under a key."""
    rows = row.get(key)
    if not isinstance(rows, list):
        return []
    return [r for r in rows if isinstance(r, list) and len(r) == width and all(isinstance(text, str) for text in r)]


def _gap(row: dict[str, Any]) -> Gap | None:
    name, estimate = row.get("cause"), row.get("estimate")
    if not isinstance(name, str) or name not in GapCause.__members__:
        return None
    return Gap(
        from_ns=moment(row.get("from_ns")) or 0,
        to_ns=moment(row.get("to_ns")) or 0,
        cause=GapCause[name],
        estimate=count(estimate, 0) if type(estimate) is int else None,
        note=plain(row.get("note")),
    )
