"""What a tap on the bus would have seen of a call, by what its processes told: for calls that no such tap saw.

    client sent       publish of the request      server received   a delivery of it
    server replied    publish of the reply        client took it    the delivery of that

Times are those of the hosts. Where a server tells nothing, its reply was there when the client took it. What is told
is kept until others had the time to tell of the same moment, and handed on in the order of time.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count

from rpcscope import safe
from rpcscope.correlate.identity import ProcessState
from rpcscope.correlate.testimony import AccountState, Testimony
from rpcscope.correlate.words import DELIVER, FANOUT, HOST, PUBLISH, REPLY, REQUEST
from rpcscope.model import Event, Message, MessageKind, Outcome, Side

ANSWERED = (Outcome.OK, Outcome.FAILED)
SENT, RECEIVED, REPLIED, TAKEN = "sent", "received", "replied", "taken"
Step = tuple[str, int, AccountState]
"""What was told, when it was, and by whom."""


class StandIns:
    """Steps of calls that no tap on the bus saw, by time."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Testimony, Step]] = []
        self._tie = count()

    def add(self, testimony: Testimony) -> None:
        """What is told of a call and was not added before."""
        for step in _steps(testimony):
            # The clock of a host may be far ahead of ours.
            key = min(step[1], step[2].at_ns)
            heappush(self._heap, (key, next(self._tie), testimony, step))

    def take(self, until_ns: int | None) -> Iterator[tuple[Testimony, Message, ProcessState | None]]:
        """Steps up to a time as messages, each with who published it or got it; None: all."""
        while self._heap and (until_ns is None or self._heap[0][0] <= until_ns):
            _, _, testimony, (name, at_ns, account) = heappop(self._heap)
            if testimony.call is None or testimony.call.stands_in:
                yield testimony, *_message(testimony, name, at_ns, account)


def replied_ns(testimony: Testimony) -> int | None:
    """When the reply was published, as far as it is told."""
    known = [at for one in testimony.of(Side.SERVER) if (at := one.replied_ns or one.ended_ns) is not None]
    return min(known, default=None)


def known_before(testimony: Testimony) -> None:
    """A call that an earlier run of the recorder stored: what it has is not added again."""
    call = testimony.call
    if call is None:
        return
    times = {SENT: call.published_ns, REPLIED: call.replied_ns, TAKEN: call.reply_delivered_ns}
    testimony.fed.update((name, 0) for name, at_ns in times.items() if at_ns is not None)
    if call.delivered_ns is not None and call.to_process is not None:
        testimony.fed.add((RECEIVED, call.to_process.root().id))


def _steps(testimony: Testimony) -> Iterator[Step]:
    clients, servers = testimony.of(Side.CLIENT), testimony.of(Side.SERVER)
    for client in clients:
        if client.sent_ns is not None and _is_first(testimony, SENT):
            yield SENT, client.sent_ns, client
    for server in servers:
        at_ns = server.received_ns or server.started_ns
        if at_ns is not None and _is_first(testimony, RECEIVED, server.process.root().id):
            yield RECEIVED, at_ns, server
    if testimony.kind is not REQUEST:
        return
    for server in servers:
        at_ns = server.replied_ns or server.ended_ns
        if at_ns is not None and _is_first(testimony, REPLIED):
            yield REPLIED, at_ns, server
    for client in clients:  # one whose time was over has no reply
        if client.taken_ns is not None and client.outcome in ANSWERED:
            if _is_first(testimony, REPLIED):
                yield REPLIED, client.taken_ns, client
            if _is_first(testimony, TAKEN):
                yield TAKEN, client.taken_ns, client


def _is_first(testimony: Testimony, name: str, process: int = 0) -> bool:
    if (name, process) in testimony.fed:
        return False
    testimony.fed.add((name, process))
    return True


def _message(testimony: Testimony, name: str, at_ns: int, account: AccountState) -> tuple[Message, ProcessState | None]:
    if name == SENT:
        return _request(testimony, PUBLISH, at_ns, account.request_bytes), account.process
    if name == RECEIVED:
        worker = account.process.root()
        worker.role = worker.role or testimony.topic
        return _request(testimony, DELIVER, at_ns, account.request_bytes), account.process
    if name == TAKEN:
        return _told(testimony, DELIVER, REPLY, at_ns, None), account.process
    servers = testimony.of(Side.SERVER)
    tellers = (*servers, *testimony.of(Side.CLIENT))
    size = next((one.reply_bytes for one in tellers if one.reply_bytes is not None), None)
    failure = next((one.failure for one in tellers if one.failure), "")
    return _told(testimony, PUBLISH, REPLY, replied_ns(testimony) or at_ns, size, failure=failure), (
        servers[0].process if servers else None
    )


def _request(testimony: Testimony, event: Event, at_ns: int, size: int | None) -> Message:
    timeouts = (one.timeout_ms for one in testimony.accounts.values() if one.timeout_ms is not None)
    spans = ((one.trace_id, one.span_id) for one in testimony.of(Side.CLIENT) if one.trace_id)
    trace_id, span_id = next(spans, ("", ""))
    return _told(
        testimony,
        event,
        testimony.kind,
        at_ns,
        size,
        method=testimony.method,
        namespace=testimony.namespace,
        version=testimony.version,
        request_id=testimony.request_id,
        global_request_id=testimony.global_request_id,
        instances=testimony.instances,
        facts=testimony.facts,
        expiration_ms=next(timeouts, None),
        trace_id=trace_id,
        span_id=span_id,
    )


def _told(
    testimony: Testimony, event: Event, kind: MessageKind, at_ns: int, size: int | None, **said: object
) -> Message:
    unique_id, msg_id = _ids(testimony)
    known: dict[str, object] = {
        **dict.fromkeys(("connection", "method", "namespace", "version", "reply_q", "request_id"), ""),
        **dict.fromkeys(("global_request_id", "project_id", "trace_id", "instance_host", "failure", "queue"), ""),
        **dict.fromkeys(("expiration_ms", "monitor_s")),
        **dict(zip(("exchange", "topic", "server"), _address(testimony), strict=True)),
        "instances": (),
        "facts": frozenset(),
    }
    return Message(
        event=event,
        kind=kind,
        at_ns=at_ns,
        clock=HOST,
        size=size or 0,
        unique_id=unique_id,
        msg_id=msg_id,
        channel=0,
        routed=-1,
        broker_redelivered=False,
        tap_redelivered=False,
        **(known | said),  # type: ignore[arg-type]
    )


def _ids(testimony: Testimony) -> tuple[str, str]:
    """Unique id and message id; made of what else names the message, where nobody told them."""
    if testimony.call is not None:
        return testimony.call.unique_id, testimony.call.msg_id
    unique_id = testimony.unique_id or safe.message_id(f"told {testimony.msg_id or min(testimony.keys, default='')}")
    return unique_id, testimony.msg_id or (unique_id if testimony.kind is REQUEST else "")


def _address(testimony: Testimony) -> tuple[str, str, str]:
    """Exchange, topic and server as they are on the bus, where each topic has an exchange for fanouts."""
    if testimony.kind is FANOUT and testimony.topic:
        return f"{testimony.topic}_fanout", testimony.topic, ""
    return testimony.exchange, testimony.topic, testimony.server
