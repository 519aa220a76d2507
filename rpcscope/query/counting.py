"""How the messages of an operation are counted, as a sum that adds up."""

from __future__ import annotations

from rpcscope.model import Tally
from rpcscope.query.operations import OperationView

_PARTS = (("calls", "call"), ("casts", "cast"), ("fanouts", "fanout"))


def counted(view: OperationView) -> str:
    """`15 RPCs = 12 calls + 2 casts + 1 fanout; + 12 replies = 27 messages`. What was not to be seen is `?`."""
    tally = view.whole.by_request
    rpcs = [_many(getattr(tally, name), word) for name, word in _PARTS if getattr(tally, name)]
    parts = f" = {' + '.join(rpcs)}" if rpcs else ""
    return f"{_many(tally.rpcs, 'RPC')}{parts}; {_messages(tally, unseen=view.requests_only)}"


def _messages(tally: Tally, *, unseen: bool) -> str:
    rest = [f"+ {_many(count, 'notification')}" for count in (tally.notifications,) if count]
    if unseen:
        return " ".join(["+ ? replies", *rest, "= ? messages"])
    beats = [f"+ {_many(tally.heartbeats, 'heartbeat')}"] if tally.heartbeats else []
    replies = f"+ {_many(tally.replies, 'reply', 'replies')}"
    return " ".join([replies, *beats, *rest, f"= {_many(tally.messages, 'message')}"])


def _many(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
