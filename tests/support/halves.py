"""Captures cut in pieces and captures made large, as files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import zstandard

from rpcscope.model import Observation
from tests.support.wire import jsonl


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The lines of a capture."""
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
        return [json.loads(line) for line in stream.read().splitlines()]


def cut(path: Path, folder: Path) -> tuple[Path, Path]:
    """Two captures of rpcscope's own format, each with all snapshots: what two recorders saw one after the other."""
    header, *lines = lines_of(path)
    header.pop("digest")  # that of the whole: a half is another recording
    snapshots = [line for line in lines if "topology" in line]
    events = [line for line in lines if "topology" not in line]
    middle = len(events) // 2
    halves = folder / f"first-of-{path.stem}", folder / f"second-of-{path.stem}"
    for half, part in zip(halves, (events[:middle], events[middle:]), strict=True):
        half.write_bytes(jsonl([header, *snapshots, *part]))
    return halves


def raw_capture(path: Path, events: Iterable[Observation]) -> Path:
    """A file of raw firehose lines."""
    path.write_bytes(jsonl([_raw(event) for event in events]))
    return path


def _raw(seen: Observation) -> dict[str, Any]:
    return {
        "seq": seen.seq,
        "recv_wall_ns": seen.at_ns,
        "recv_mono_ns": seen.at_ns,
        "exchange": seen.exchange,
        "routing_key": seen.routing_key,
        "delivery_tag": seen.seq,
        "redelivered": seen.redelivered,
        "headers": dict(seen.headers),
        "props": {},
        "body": seen.body.decode(),
    }
