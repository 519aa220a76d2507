"""What the messages of one step have: sizes, versions, timeouts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median

from rpcscope.model import Call
from rpcscope.templates.measured import sizes
from rpcscope.templates.model import Sizes

HEARTBEAT_BYTES = 204
"""Body of a reply that has no result and `ending: false`. Source: oslo_messaging/_drivers/amqpdriver.py."""
_TIMEOUT_S = 60.0  # oslo.messaging's default
_MS = 1e3


def most(texts: Iterable[str]) -> str:
    """What most of them are."""
    counts = Counter(texts)
    return max(sorted(counts), key=lambda text: counts[text], default="")


def requests(calls: Sequence[Call]) -> Sizes:
    """Of the requests; one sent twice has the size of one."""
    return sizes([call.request_bytes // max(1, call.publishes) for call in calls])


def replies(calls: Sequence[Call]) -> Sizes:
    """Of the replies, without the heartbeats that went before them."""
    return sizes([_reply(call) for call in calls if call.replies])


def timeout_s(calls: Sequence[Call]) -> float:
    """How long callers wait."""
    known = [call.expiration_ms for call in calls if call.expiration_ms is not None]
    return round(median(known) / _MS, 3) if known else _TIMEOUT_S


def _reply(call: Call) -> int:
    return max(0, call.reply_bytes - call.heartbeats * HEARTBEAT_BYTES) // call.replies
