"""Shapes that answers about services and methods share. Counts are estimates where `looked.estimate` is true."""

from __future__ import annotations

from pydantic import Field

from rpcscope_web.api.models import Answer


class Looked(Answer):
    """What the answer rests on."""

    estimate: bool = Field(description="Of too many calls, some were looked at and stand for the others.")
    windows: int = Field(description="Times in which calls were looked at.")
    share_of_time: float
    every: int = Field(description="Of so many of the calls in them one was looked at.")
    replies_unseen: bool = Field(description="For some of the time replies passed unseen.")


class Red(Answer):
    """Rate, errors and duration of some calls, casts and fanouts."""

    calls: int
    kinds: dict[str, int]
    per_second: float
    known: int = Field(description="Calls whose outcome is known: ok, failed or timed out.")
    failed: int = Field(description="Failures that the rules expect are not in it.")
    expected: int
    timed_out: int
    error_share: float | None = Field(description="Failed and timed out, of the known.")
    p50_ms: float | None = Field(description="From the publish to the reply, true to 9 %.")
    p95_ms: float | None
    mean_ms: float | None
    bytes: int
    bytes_each: int | None
    largest_bytes: int


class Quantiles(Answer):
    """Of the calls that were looked at; null of none."""

    count: int
    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None


class Share(Answer):
    """A part of the calls."""

    name: str
    detail: str | None
    calls: int
    share: float
