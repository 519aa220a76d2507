"""The four durations of an RPC: in the broker, for a thread of the worker, at work, and the reply on its way.

    sent ---- broker wait ---- received -- pool wait -- started ---- execution ---- ended -- reply wait -- taken

The middle two are of one clock, and so is the whole when its client tells of it. Only how the rest of it divides
into the way there and the way back hangs on how far the two clocks are apart; so the four always add up to the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from rpcscope.model import Account, Call, Clock
from rpcscope.query.clocks import TAP, Clocks
from rpcscope.query.testimony import Told
from rpcscope.query.times import between, ms

Moment = tuple[int, str]
"""A time, and the clock that it was read from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Four:
    """Times in ns; None: unknown."""

    broker_wait_ns: int | None  # from the client's send to the worker's consumer callback
    pool_wait_ns: int | None  # until a thread began
    execution_ns: int | None  # until the handler returned or raised; where that is not told, until the reply was sent
    reply_wait_ns: int | None  # until the caller had it
    total_ns: int | None
    error_ns: int | None  # how much broker wait and reply wait may be wrong, in opposite directions; None: unknown
    send_wait_ns: int | None  # of the broker wait: until the broker confirmed that it has it
    connection_wait_ns: int | None  # of that: for a free connection of the client's pool

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        return {
            "broker_wait_ms": ms(self.broker_wait_ns),
            "pool_wait_ms": ms(self.pool_wait_ns),
            "execution_ms": ms(self.execution_ns),
            "reply_wait_ms": ms(self.reply_wait_ns),
            "total_ms": ms(self.total_ns),
            "clock_error_ms": ms(self.error_ns),
            "send_wait_ms": ms(self.send_wait_ns),
            "connection_wait_ms": ms(self.connection_wait_ns),
        }


def four(call: Call, told: Told, clocks: Clocks) -> Four:
    """Of a call that some process told of."""
    client, server = told.client, told.server
    begin, end = _ends(call, client)
    total = None if begin is None or end is None or begin[1] != end[1] else max(0, end[0] - begin[0])
    pool = between(server.received_ns, server.started_ns) if server else None
    execution = between(server.started_ns, server.ended_ns or server.replied_ns) if server else None
    broker, error = _broker_wait(call, server, begin, clocks)
    return Four(
        broker_wait_ns=broker,
        pool_wait_ns=pool,
        execution_ns=execution,
        reply_wait_ns=_rest(total, broker, pool, execution),
        total_ns=total,
        error_ns=error,
        send_wait_ns=between(client.sent_ns, client.confirmed_ns) if client else None,
        connection_wait_ns=client.pool_wait_ns if client else None,
    )


def _ends(call: Call, client: Account | None) -> tuple[Moment | None, Moment | None]:
    """Where the whole begins and ends: as its client tells, else as a tap on the bus saw it."""
    on_bus = call.clock is Clock.TAP
    published = (call.published_ns, TAP) if on_bus and call.published_ns is not None else None
    delivered = (call.reply_delivered_ns, TAP) if on_bus and call.reply_delivered_ns is not None else None
    sent = (client.sent_ns, client.host) if client and client.sent_ns is not None else None
    taken = (client.taken_ns, client.host) if client and client.taken_ns is not None else None
    if sent is not None and (taken is not None or delivered is None):
        return sent, taken
    return published or sent, delivered


def _broker_wait(
    call: Call, server: Account | None, begin: Moment | None, clocks: Clocks
) -> tuple[int | None, int | None]:
    """How long, and its error. A worker that only tells when it started leaves the pool wait to what the tap saw."""
    if begin is None:
        return None, None
    if server is not None and server.received_ns is not None:
        offset = clocks.ahead(server.host, begin[1])
        if offset is not None:
            return max(0, server.received_ns - begin[0] - offset.ahead_ns), offset.error_ns
    if call.clock is Clock.TAP:
        return between(call.published_ns, call.delivered_ns), None
    return None, None


def _rest(total: int | None, *parts: int | None) -> int | None:
    known = [part for part in parts if part is not None]
    return None if total is None or len(known) < len(parts) else max(0, total - sum(known))
