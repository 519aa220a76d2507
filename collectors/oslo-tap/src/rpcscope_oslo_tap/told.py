"""What is told of one side of one RPC, and the object of a line that it becomes.

Field names are those of `rpcscope.model.Inside`; what is not known is left out of the line.
"""

from __future__ import annotations

from typing import Any

CLIENT, SERVER = "CLIENT", "SERVER"
REQUEST, CAST, FANOUT, NOTIFICATION = "REQUEST", "CAST", "FANOUT", "NOTIFICATION"

MOMENTS = ("sent_ns", "confirmed_ns", "taken_ns", "received_ns", "started_ns", "ended_ns", "replied_ns")
_NOT_TOLD = frozenset({"attempts", "channel", "message", "stamps_told"})
_NUMBERS = frozenset({"request_bytes", "reply_bytes", "timeout_ms", "pool_wait_ns"})  # of which 0 says something
_MAX_TEXT = 400


class Told:
    """One side of one RPC, filled in while it goes on. Holds no arguments, no context and no result.

    What is not known is the class' own, so that making one costs little.
    """

    unique_id = msg_id = request_id = global_request_id = ""
    method = namespace = version = exchange = topic = server = ""
    outcome = failure = trace_id = span_id = parent_span_id = ""
    sent_ns = confirmed_ns = taken_ns = received_ns = started_ns = ended_ns = replied_ns = 0
    request_bytes: int | None = None
    reply_bytes: int | None = None
    timeout_ms: int | None = None
    pool_wait_ns: int | None = None
    retries = reconnects = attempts = stamps_told = 0
    instances: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    channel: Any = None  # that the last attempt to publish went by
    message: Any = None  # the service's own dictionary while it is being sent

    def __init__(self, side: str, kind: str) -> None:
        """Nothing is known of it yet."""
        self.side = side
        self.kind = kind

    @property
    def stamps(self) -> int:
        """How many of its moments are known."""
        return sum(1 for name in MOMENTS if getattr(self, name))

    def row(self) -> dict[str, Any]:
        """As it stands, for a line."""
        row: dict[str, Any] = {"source": "driver"}
        for name, value in dict(vars(self)).items():  # a copy: what goes on may be told, too
            if name in _NOT_TOLD or not (value or (value == 0 and name in _NUMBERS)):
                continue
            if type(value) is str:
                value = value[:_MAX_TEXT]
            elif name == "facts":
                value = [fact[:_MAX_TEXT] for fact in value]
            row[name] = value
        return row
