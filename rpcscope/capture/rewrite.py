"""A capture becomes a scrubbed one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rpcscope.capture.own import Header
from rpcscope.capture.reader import CaptureReader
from rpcscope.capture.scrub import Scrubber
from rpcscope.capture.writer import CaptureWriter
from rpcscope.model import Topology

PROGRESS_EVENTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrubbed:
    """What `scrub_file` did. seen = written + dropped, each without snapshots."""

    events: int  # events and gaps written
    dropped: int  # events that are no oslo.messaging messages
    rejected: int  # lines that are no records
    problem: str  # "" or one sentence: the source is cut or damaged


def scrub_file(
    source: Path,
    target: Path,
    scrubber: Scrubber,
    *,
    label: str = "",
    conditions: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Scrubbed:
    """Write a scrubbed copy of a capture of either format.

    `label` and `conditions` replace the source's. A pseudonymised copy takes over neither, since
    they may name what is hidden. `progress` is told the bytes read and those in all.

    Raises:
        CaptureError: the source can not be read, or the target exists or can not be written.
    """
    dropped = scrubber.dropped
    with CaptureReader(source) as reader:
        header = _header(reader, scrubber, label, conditions)
        with CaptureWriter(target, header, scrubber) as writer:
            events = 0
            for number, seen in enumerate(reader.once()):
                writer.write(seen)
                events += not isinstance(seen, Topology)
                if progress is not None and number % PROGRESS_EVENTS == 0:
                    progress(reader.bytes_read, reader.total_bytes)
            if progress is not None:
                progress(reader.bytes_read, reader.total_bytes)
            return Scrubbed(
                events=events - (scrubber.dropped - dropped),
                dropped=scrubber.dropped - dropped,
                rejected=reader.rejected,
                problem=reader.problem,
            )


def _header(reader: CaptureReader, scrubber: Scrubber, label: str, conditions: str) -> Header:
    hides = scrubber.pseudonymizes
    return Header(
        source=reader.source,
        label=label or ("" if hides else reader.label),
        mode=reader.mode,
        conditions=conditions or ("" if hides else reader.conditions),
        digest=reader.digest,
        pseudonymized=hides or reader.pseudonymized,
    )
