"""What is told of queues step by step, and how it comes out of rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rpcscope.model import Churn, QueueSample
from rpcscope.store.queue_rows import sample_of

Texts = Mapping[int, str]
MEASURES = ("unacked", "memory", "publish_milli", "deliver_milli", "ack_milli")
"""Columns of which a step tells the highest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A queue or a family at one time. None is unknown."""

    depth: int | None  # ready and unacknowledged messages
    unacked: int | None
    consumers: int | None
    memory: int | None  # bytes
    publish_rate: float | None  # a second
    deliver_rate: float | None
    ack_rate: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStep:
    """One queue, or one family, in one step of a time."""

    recording_id: int
    vhost: str
    name: str
    first_ns: int  # its first sample in the step
    last_ns: int
    extreme: Level  # the highest of each, but the fewest consumers; not all at the same time
    end: Level  # the last sample of a queue, which holds until the next; of a family, stored at every look, the extreme


@dataclass(frozen=True, slots=True, kw_only=True)
class PollStep:
    """The looks at the queues of a vhost in one step of a time."""

    vhost: str
    first_ns: int
    last_ns: int
    interval_ns: int  # the longest until a next look
    took_ns: int  # the slowest


@dataclass(frozen=True, slots=True, kw_only=True)
class Abandoned:
    """A queue that nobody consumes, as of its newest sample."""

    sample: QueueSample
    first_ns: int  # its first sample of the time that was looked at
    consumed_ns: int | None  # its last sample with a consumer; None: none in that time
    lost_ns: int | None  # the sample after that one; samples are of changes, so it had a consumer until shortly before


@dataclass(frozen=True, slots=True, kw_only=True)
class ChurnStep:
    """Events of one kind in one step of a time."""

    at_ns: int  # of the first
    event: Churn
    queue: str  # "" where queues are not told apart
    count: int


def step_of(row: Any, texts: Texts, key: str, *, has_end: bool) -> QueueStep:
    """One step of what the column `key` names."""
    extreme = _level(row, "most_", depth=_count(row.most), consumers=_count(row.least_consumers))
    end = _level(row, "", depth=_depth(row.ready, row.unacked), consumers=row.consumers) if has_end else extreme
    return QueueStep(
        recording_id=row.recording_id,
        vhost=texts[row.vhost_id],
        name=texts[getattr(row, key)],
        first_ns=row.first_ns,
        last_ns=row.last_ns,
        extreme=extreme,
        end=end,
    )


def poll_step_of(row: Any, texts: Texts) -> PollStep:
    """One step of the polls of a vhost."""
    return PollStep(
        vhost=texts[row.vhost_id],
        first_ns=row.first_ns,
        last_ns=row.last_ns,
        interval_ns=row.interval_ns,
        took_ns=row.took_ns,
    )


def abandoned_of(row: Any, texts: Texts, lost_ns: int | None) -> Abandoned:
    """One queue without consumers."""
    return Abandoned(sample=sample_of(row, texts), first_ns=row.first_ns, consumed_ns=row.consumed_ns, lost_ns=lost_ns)


def churn_step_of(row: Any, texts: Texts) -> ChurnStep:
    """What came or went in a step."""
    queue = texts[row.queue_id] if hasattr(row, "queue_id") else ""
    return ChurnStep(at_ns=row.first_ns, event=Churn(row.event), queue=queue, count=row.events)


def _level(row: Any, prefix: str, *, depth: int | None, consumers: int | None) -> Level:
    return Level(
        depth=depth,
        unacked=_count(getattr(row, f"{prefix}unacked")),
        consumers=consumers,
        memory=_count(getattr(row, f"{prefix}memory")),
        publish_rate=_rate(getattr(row, f"{prefix}publish_milli")),
        deliver_rate=_rate(getattr(row, f"{prefix}deliver_milli")),
        ack_rate=_rate(getattr(row, f"{prefix}ack_milli")),
    )


def _depth(ready: int | None, unacked: int | None) -> int | None:
    known = [count for count in (ready, unacked) if count is not None]
    return sum(known) if known else None


def _count(number: int | None) -> int | None:
    # A sum is a Decimal in some databases.
    return None if number is None else int(number)


def _rate(milli: int | None) -> float | None:
    return None if milli is None else int(milli) / 1000
