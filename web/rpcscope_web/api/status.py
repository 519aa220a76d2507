"""Recorders: which run, how far behind they are, what they missed."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter

from rpcscope.query.status import recorders
from rpcscope_web.api.models import Answer
from rpcscope_web.problems import RESPONSES
from rpcscope_web.site import AskedReader

router = APIRouter(prefix="/api/v1", tags=["taps"], responses=RESPONSES)


class Recorder(Answer):
    """The newest recording of one tap."""

    recording: int
    scope: str
    vhost: str
    labels: dict[str, str]
    mode: str
    state: str
    started: str | None
    ended: str | None
    heard: str | None
    last_event: str | None
    seen: int
    messages: int | None
    copies: int | None
    rejected: int
    duplicates: int
    evicted: int


class Status(Answer):
    """All recorders of live brokers."""

    recorders: list[Recorder]


@router.get("/status", response_model=Status)
def read_status(reader: AskedReader) -> dict[str, Any]:
    """How the recorders fare."""
    return {"recorders": [one.as_dict() for one in recorders(reader, time.time_ns())]}
