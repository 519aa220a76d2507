"""What is told of one side of one RPC, and the object of a line that it becomes.

Field names are those of `rpcscope.model.Inside`; what is not known is left out of the line.
"""

from __future__ import annotations

from typing import Any

CLIENT, SERVER = "CLIENT", "SERVER"
REQUEST, CAST, FANOUT, NOTIFICATION = "REQUEST", "CAST", "FANOUT", "NOTIFICATION"

MOMENTS = ("sent_ns", "confirmed_ns", "taken_ns", "received_ns", "started_ns", "ended_ns", "replied_ns")
_TEXTS = (
    "unique_id", "msg_id", "request_id", "global_request_id", "method", "namespace", "version", "exchange", "topic",
    "server", "outcome", "failure", "trace_id", "span_id", "parent_span_id",
)  # fmt: skip
_NUMBERS = ("request_bytes", "reply_bytes", "timeout_ms", "pool_wait_ns")
_COUNTS = ("retries", "reconnects")
_MAX_TEXT = 400


class Told:
    """One side of one RPC, filled in while it goes on. Holds no arguments, no context and no result."""

    __slots__ = (
        "side", "kind", *_TEXTS, *MOMENTS, *_NUMBERS, *_COUNTS, "instances", "facts", "attempts", "channel", "message",
        "stamps_told",
    )  # fmt: skip

    def __init__(self, side: str, kind: str) -> None:
        """Nothing is known of it yet."""
        self.side = side
        self.kind = kind
        self.unique_id = self.msg_id = self.request_id = self.global_request_id = ""
        self.method = self.namespace = self.version = self.exchange = self.topic = self.server = ""
        self.outcome = self.failure = self.trace_id = self.span_id = self.parent_span_id = ""
        self.sent_ns = self.confirmed_ns = self.taken_ns = 0
        self.received_ns = self.started_ns = self.ended_ns = self.replied_ns = 0
        self.request_bytes: int | None = None
        self.reply_bytes: int | None = None
        self.timeout_ms: int | None = None
        self.pool_wait_ns: int | None = None
        self.retries = self.reconnects = self.attempts = self.stamps_told = 0
        self.instances: tuple[str, ...] = ()
        self.facts: tuple[str, ...] = ()
        self.channel: Any = None  # that the last attempt to publish went by
        self.message: Any = None  # the service's own dictionary while it is being sent

    @property
    def stamps(self) -> int:
        """How many of its moments are known."""
        return sum(1 for name in MOMENTS if getattr(self, name))

    def row(self) -> dict[str, Any]:
        """As it stands, for a line."""
        row: dict[str, Any] = {"source": "driver", "side": self.side, "kind": self.kind}
        for name in _TEXTS:
            value = getattr(self, name)
            if value and isinstance(value, str):
                row[name] = value[:_MAX_TEXT]
        for name in MOMENTS + _COUNTS:
            value = getattr(self, name)
            if value:
                row[name] = value
        for name in _NUMBERS:
            value = getattr(self, name)
            if value is not None:
                row[name] = value
        if self.instances:
            row["instances"] = self.instances
        if self.facts:
            row["facts"] = [fact[:_MAX_TEXT] for fact in self.facts]
        return row
