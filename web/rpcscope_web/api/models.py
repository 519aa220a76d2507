"""The shapes that several answers of the API share. Times are ISO 8601, UTC; null is unknown, never zero."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from rpcscope.query.times import iso
from rpcscope_web.ranges import TimeRange


class Answer(BaseModel):
    """Base of all answers. Fields may be added in later versions; none is renamed or taken away."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)


class Range(Answer):
    """The time that an answer is about."""

    start: str | None = Field(alias="from")
    end: str | None = Field(alias="to", description="Not in the range.")
    follows_clock: bool = Field(description="A recorder runs; else a relative range ends at the last event stored.")

    @classmethod
    def of(cls, range: TimeRange) -> Range:
        """As it was asked for."""
        said = {"from": iso(range.from_ns), "to": iso(range.to_ns), "follows_clock": range.now.recording}
        return cls.model_validate(said)


class Spread(Answer):
    """Of some operations; null of none."""

    p50: float | None
    p95: float | None
    max: float | None


class Gap(Answer):
    """A time in which a tap missed messages: totals that it touches may be too low."""

    recording: int
    start: str | None = Field(alias="from")
    end: str | None = Field(alias="to")
    blind_s: float
    cause: str
    missed: int | None = Field(description="Messages, by an estimate; null where nobody knows.")


class Tally(Answer):
    """Counts of messages; null for what the tap's mode can not see."""

    rpcs: int
    calls: int
    casts: int
    fanouts: int
    notifications: int
    messages: int | None
    replies: int | None
    heartbeats: int | None
    copies: int | None
    bytes: int | None


class Owed(Answer):
    """The step that an operation waits for."""

    method: str
    process: str | None
    host: str | None
    since: str | None
    process_gone: bool


class Operation(Tally):
    """One operation, put together from what all recorders saw of it."""

    request_id: str | None
    global_request_id: str | None
    kind: str
    background: bool
    status: str
    error: str | None
    instances: list[str]
    source_host: str | None
    dest_host: str | None
    project_id: str | None
    started_at: str | None
    finished_at: str | None
    duration_ms: float | None
    complete: bool = Field(description="Its first message was seen.")
    by_cause: Tally
    stuck_since: str | None
    owed: Owed | None
    gaps: list[Gap]


class End(Answer):
    """One side of a call."""

    process: str | None
    host: str | None


class Told(Answer):
    """Where the time of a call went, as its processes tell; null is unknown."""

    broker_wait_ms: float | None
    pool_wait_ms: float | None
    execution_ms: float | None
    reply_wait_ms: float | None
    total_ms: float | None
    clock_error_ms: float | None
    send_wait_ms: float | None
    connection_wait_ms: float | None


class Call(Answer):
    """One call, cast, fanout or notification."""

    unique_id: str
    parent_unique_id: str | None
    parent_source: str
    request_id: str | None
    kind: str
    method: str
    exchange: str
    topic: str | None
    server: str | None
    sender: End = Field(alias="from")
    worker: End = Field(alias="to")
    published_at: str | None
    delivered_at: str | None
    replied_at: str | None
    broker_wait_ms: float | None
    server_ms: float | None
    reply_wait_ms: float | None
    total_ms: float | None
    outcome: str | None
    failure: str | None
    flags: list[str]
    request_bytes: int | None
    reply_bytes: int | None
    told: Told | None


class Cost(Answer):
    """Of the operations that are whole and over."""

    operations: int
    left_out: int
    rpcs: Spread
    calls: Spread
    casts: Spread
    fanouts: Spread
    replies: Spread
    messages: Spread
    messages_by_cause: Spread
    bytes: Spread
    duration_ms: Spread
