"""Recordings and gaps as rows, and back."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import Row

from rpcscope.model import Batch, Counters, Gap, GapCause, Recording
from rpcscope.store.text import scrub

COUNTERS = tuple(field.name for field in fields(Counters))


def progress_row(batch: Batch) -> dict[str, Any]:
    """The columns of `recording` that each batch sets."""
    return {
        "position": batch.position,
        "last_ns": batch.last_ns,
        "ended_ns": batch.last_ns if batch.ended else None,
        **{counter: getattr(batch.counters, counter) for counter in COUNTERS},
    }


def recording_of(row: Row[Any]) -> Recording:
    """The recording of a row."""
    return Recording(
        id=row.id,
        source=row.source,
        scope=row.scope,
        digest=row.digest or "",
        label=row.label,
        tap_mode=row.tap_mode,
        conditions=row.conditions,
        started_ns=row.started_ns,
        ended_ns=row.ended_ns,
    )


def counters_of(row: Row[Any]) -> Counters:
    """The counters of a recording's row."""
    return Counters(**{counter: getattr(row, counter) for counter in COUNTERS})


def gap_row(gap: Gap, recording_id: int) -> dict[str, Any]:
    """The row of `gap`."""
    return {
        "recording_id": recording_id,
        "from_ns": gap.from_ns,
        "to_ns": gap.to_ns,
        "cause": int(gap.cause),
        "estimate": gap.estimate,
        "note": scrub(gap.note)[:10_000],
    }


def gap_of(row: Row[Any]) -> Gap:
    """The gap of a row."""
    return Gap(from_ns=row.from_ns, to_ns=row.to_ns, cause=GapCause(row.cause), estimate=row.estimate, note=row.note)
