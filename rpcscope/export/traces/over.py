"""When an operation is exported: once, as a whole, so when nothing more of it is to come."""

from __future__ import annotations

from rpcscope.model import Status
from rpcscope.query.operations import OperationView
from rpcscope.query.times import SECOND

SETTLED_NS = 3 * SECOND
"""After the end of an operation its last calls are closed and stored (docs/pipeline.md)."""
QUIET_S = 60.0
"""What has no known end is taken as over when it was quiet for so long: oslo.messaging's default RPC timeout."""


def is_over(
    view: OperationView, now_ns: int, *, settled_ns: int = SETTLED_NS, quiet_ns: int = int(QUIET_S * SECOND)
) -> bool:
    """Whether it ended and settled, or has been quiet."""
    ended = view.status in (Status.DONE, Status.FAILED)
    return now_ns - view.whole.last_ns >= (settled_ns if ended else quiet_ns)
