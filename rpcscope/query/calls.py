"""Calls as they are asked for: parts put together, processes named, waits worked out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from rpcscope.model import MOST_COPIES, RPCS, Call, Clock, Copy, Flag, MessageKind, Outcome, ParentSource, Process
from rpcscope.query.clocks import Clocks, newest_clocks
from rpcscope.query.doubt import Doubts
from rpcscope.query.four import Four, four
from rpcscope.query.gaps import Gaps, Loss
from rpcscope.query.horizon import Horizon
from rpcscope.query.ids import recording_of
from rpcscope.query.mended import Mended
from rpcscope.query.operations import process_name
from rpcscope.query.processes import processes
from rpcscope.query.repairs import Repairs
from rpcscope.query.testimony import NOTHING, Testimonies, Told
from rpcscope.query.times import MS, between, iso, ms
from rpcscope.query.unseen import Unseen
from rpcscope.store.protocol import Reader

KIND_WORDS = {
    MessageKind.REQUEST: "call",
    MessageKind.CAST: "cast",
    MessageKind.FANOUT: "fanout",
    MessageKind.REPLY: "reply",
    MessageKind.HEARTBEAT: "heartbeat",
    MessageKind.NOTIFICATION: "notification",
}


_SILENT = (Outcome.TIMED_OUT, Outcome.UNANSWERED, Outcome.PENDING)
"""Outcomes that tell that no reply was seen."""
_UNKNOWN = (Outcome.NONE, Outcome.UNANSWERED, Outcome.PENDING)
_NOBODY: Mapping[str, Told] = {}
_TOGETHER = 500
"""Calls of which is read at once what was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One side of a call."""

    process: str  # program:pid
    host: str

    def __str__(self) -> str:
        program = self.process.partition(":")[0] if "->" not in self.process else "?"
        return f"{program or '?'}@{self.host}" if self.host else self.process or "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """One call, cast, fanout or notification."""

    call: Call
    request_id: str  # that it carries
    operation_request_id: str  # of the operation that caused it
    sender: End
    worker: End
    outcome: Outcome
    requests_only: bool = False  # no delivery or reply of it was to be seen
    deliveries_unseen: bool = False  # who took it was not to be seen, at least for a time
    gaps: tuple[Loss, ...] = ()  # times in which a tap was blind while it was open
    repaired: str = ""  # how its parent was found when it was read; "" as its recorder found it
    told: Told = NOTHING  # what its processes told of it
    four: Four | None = None  # where its time went, as they tell; None: they tell nothing

    @property
    def since_ns(self) -> int:
        """When it was published, or first seen."""
        return self.call.published_ns or self.call.delivered_ns or self.call.last_ns

    @property
    def outcome_word(self) -> str:
        """The outcome in a word; "" of what has none. A call has one even where it can not be known."""
        if self.outcome is Outcome.NONE:
            return "unknown" if self.call.kind is MessageKind.REQUEST else ""
        return self.outcome.name.lower()

    @property
    def reply_is_unseen(self) -> bool:
        """A reply of it may have been published, or not."""
        hidden = self.requests_only or self.call.outcome is Outcome.NONE
        return hidden and self.call.kind is MessageKind.REQUEST and self.call.replied_ns is None

    @property
    def bytes_untold(self) -> bool:
        """Nobody tells how large it was: no body has no bytes."""
        return bool(self.call.publishes) and not self.call.request_bytes

    @property
    def broker_wait_ns(self) -> int | None:
        """In the queue. Unknown when publish and delivery were stamped by two clocks."""
        if self.call.clock is not Clock.TAP:
            return None
        return between(self.call.published_ns, self.call.delivered_ns)

    @property
    def server_ns(self) -> int | None:
        """From the delivery to the reply: waiting in the worker's pool and executing."""
        if self.call.clock is not Clock.TAP:
            return None
        return between(self.call.delivered_ns, self.call.replied_ns)

    @property
    def total_ns(self) -> int | None:
        """From the publish to the reply's publish; as its client tells where no tap on the bus saw it."""
        if self.call.clock is Clock.HOST:
            return self.four.total_ns if self.four else None
        return between(self.call.published_ns, self.call.replied_ns)

    @property
    def reply_wait_ns(self) -> int | None:
        """From the reply's publish to its delivery."""
        if self.call.clock is Clock.HOST:
            return self.four.reply_wait_ns if self.four else None
        return between(self.call.replied_ns, self.call.reply_delivered_ns)

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        c = self.call
        return {
            "unique_id": c.unique_id,
            "parent_unique_id": c.parent_unique_id or None,
            "parent_source": c.parent_source.name.lower(),
            "parent_repaired": self.repaired or None,
            "request_id": self.request_id or None,
            "operation_request_id": self.operation_request_id or None,
            "kind": KIND_WORDS[c.kind],
            "method": c.method,
            "namespace": c.namespace or None,
            "version": c.version or None,
            "exchange": c.exchange,
            "topic": c.topic or None,
            "server": c.server or None,
            "from": {"process": self.sender.process or None, "host": self.sender.host or None},
            "to": {"process": self.worker.process or None, "host": self.worker.host or None},
            "published_at": iso(c.published_ns),
            "delivered_at": iso(c.delivered_ns),
            "replied_at": iso(c.replied_ns),
            "reply_delivered_at": iso(c.reply_delivered_ns),
            "clock": c.clock.name.lower(),
            "broker_wait_ms": ms(self.broker_wait_ns),
            "server_ms": ms(self.server_ns),
            "reply_wait_ms": ms(self.reply_wait_ns),
            "total_ms": ms(self.total_ns),
            "told": self.four.as_dict() if self.four else None,
            "timeout_ms": c.expiration_ms,
            "outcome": self.outcome_word or None,
            "failure": c.failure or None,
            "gaps": [loss.as_dict() for loss in self.gaps],
            "flags": [flag.name.lower() for flag in Flag if c.flags & flag and flag.name],
            "request_bytes": None if self.bytes_untold else c.request_bytes,
            "reply_bytes": None if self.reply_is_unseen or self.bytes_untold else c.reply_bytes,
            "publishes": c.publishes,
            "replies": None if self.reply_is_unseen else c.replies,
            "heartbeats": None if self.reply_is_unseen else c.heartbeats,
            "copies": None if self.deliveries_unseen else c.copies,
        }


class Calls:
    """Reads calls from a store."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._processes: dict[int, Process] = processes(reader)
        self._repairs = Repairs(self._processes)
        self._unseen = Unseen(reader)
        self._horizon = Horizon(reader)
        self._doubts = Doubts(reader, Gaps(reader), self._horizon)
        self._testimonies = Testimonies(reader, self._processes)
        self._clocks: Clocks | None = None

    def of_operation(self, ids: tuple[int, ...], *, limit: int | None = None) -> list[CallView]:
        """Everything that an operation caused or that carries its request id, by time.

        Args:
            limit: of what is stored, the oldest that are read.
        """
        parts = list(self._reader.calls(operation_ids=ids, cause_ids=ids, limit=limit))
        stored = list(merged(lambda: parts))
        request_ids = self._request_ids(stored)
        calls, notes = self._repairs.mend(stored, request_ids)
        told = self._testimonies.of(parts)
        return [self._view(call, request_ids, notes.get(call.unique_id, ""), told) for call in calls]

    def views(self, calls: Collection[Call]) -> list[CallView]:
        """Calls that are read already, parts put together, in their order."""
        request_ids = self._request_ids(calls)
        told = self._testimonies.of(calls)
        return [self._view(call, request_ids, told=told) for call in calls]

    def rpcs(
        self, *, background: bool | None = False, since_ns: int | None = None, until_ns: int | None = None
    ) -> Iterator[CallView]:
        """Calls, casts and fanouts by time.

        Args:
            background: False: only of operations that people started; None: all.
        """
        operations = list(self._reader.operations())
        wanted = None if background is None else {o.id for o in operations if o.background is background}
        mended = Mended(self._repairs, operations, self._of)
        calls = merged(lambda: self._reader.calls(since_ns=since_ns, until_ns=until_ns))
        asked = (call for call in calls if call.kind in RPCS and (wanted is None or call.cause_id in wanted))
        while some := list(islice(asked, _TOGETHER)):
            told = self._testimonies.of(some)
            for call in some:
                found, note = mended.one(call)
                yield self._view(found, mended.request_ids, note, told)

    def _of(self, ids: tuple[int, ...], limit: int | None = None) -> list[Call]:
        stored = list(self._reader.calls(operation_ids=ids, cause_ids=ids, limit=limit))
        return list(merged(lambda: stored))

    def _request_ids(self, calls: Iterable[Call]) -> dict[int, str]:
        ids = {call.operation_id for call in calls} | {call.cause_id for call in calls}
        return self._reader.request_ids(ids)

    def clocks(self) -> Clocks:
        """The clocks of hosts, by the calls that began last."""
        if self._clocks is None:
            self._clocks = newest_clocks(self._reader)
        return self._clocks

    def _view(
        self,
        call: Call,
        request_ids: Mapping[int, str],
        repaired: str = "",
        told: Mapping[str, Told] = _NOBODY,
    ) -> CallView:
        mine = told.get(call.unique_id, NOTHING)
        return CallView(
            call=call,
            request_id=request_ids.get(call.operation_id, ""),
            operation_request_id=request_ids.get(call.cause_id, ""),
            sender=self._end(call.from_process or (mine.client.process if mine.client else 0), ""),
            worker=self._end(call.to_process or (mine.server.process if mine.server else 0), call.server),
            outcome=self._outcome(call, mine),
            requests_only=self._unseen.touches((call.id,), *_while(call)),
            deliveries_unseen=self._unseen.hides_deliveries((call.id,), *_while(call)),
            gaps=self._doubts.during(call),
            repaired=repaired,
            told=mine,
            four=four(call, mine, self.clocks()) if mine.accounts else None,
        )

    def _end(self, process_id: int, server: str) -> End:
        process = self._processes.get(process_id)
        return End(process=process_name(process), host=(process.host if process else "") or server)

    def _outcome(self, call: Call, told: Told) -> Outcome:
        """What is still open when a recording is over is timed out or unanswered; what a gap may hide is unknown.

        What no tap on the bus saw, the processes may tell.
        """
        by_bus = self._by_bus(call)
        if call.kind is MessageKind.REQUEST and by_bus in _UNKNOWN:
            return next((one.outcome for one in (told.client, told.server) if one and one.outcome), by_bus)
        return by_bus

    def _by_bus(self, call: Call) -> Outcome:
        if call.outcome in _SILENT and self._doubts.of_call(call):
            return Outcome.NONE
        if call.outcome is not Outcome.PENDING:
            return call.outcome
        number = recording_of(call.id)
        if (
            call.expiration_ms is not None
            and call.published_ns is not None
            and self._horizon.last_ns(number) >= call.published_ns + call.expiration_ms * MS
        ):
            return Outcome.TIMED_OUT
        return Outcome.UNANSWERED if self._horizon.is_over(number) else Outcome.PENDING


def _while(call: Call) -> tuple[int, int]:
    """From its publish to the last that was seen of it."""
    return call.published_ns or call.delivered_ns or call.last_ns, call.last_ns


def merged(read: Callable[[], Iterable[Call]]) -> Iterator[Call]:
    """Calls with their parts added up, in the order of `read`.

    Parts (late events, what another recorder saw) are rare: a first reading collects what may be one, a
    second gives each to its call; those without one come last.
    """
    parts: dict[str, Call] = {}
    replies: dict[str, str] = {}
    for call in read():
        if _may_be_part(call):
            before = parts.get(call.unique_id)
            parts[call.unique_id] = call if before is None else join(before, call)
            if call.kind in (MessageKind.REPLY, MessageKind.HEARTBEAT):
                replies[call.msg_id] = call.unique_id
    for call in read():
        if _may_be_part(call):
            continue
        for key in (call.unique_id, replies.get(call.msg_id, "")):
            if part := parts.pop(key, None):
                call = join(call, part)
        yield call
    yield from parts.values()


def _may_be_part(call: Call) -> bool:
    return not call.publishes or bool(call.flags & (Flag.NO_REQUEST | Flag.REPUBLISHED))


def join(one: Call, other: Call) -> Call:
    """Two parts of one call as one."""
    main, extra = (other, one) if other.publishes and (not one.publishes or other.id < one.id) else (one, other)
    flags = (main.flags | extra.flags) & ~Flag.NO_REQUEST | (main.flags & extra.flags & Flag.NO_REQUEST)
    replied = _earliest(main.replied_ns, extra.replied_ns)
    outcome = extra.outcome if main.outcome is Outcome.NONE and main.kind is MessageKind.REQUEST else main.outcome
    failure = main.failure or extra.failure
    if main.kind is MessageKind.REQUEST and main.replied_ns is None and replied is not None:
        outcome = Outcome.FAILED if failure else Outcome.OK
        if outcome_late(main, replied):
            outcome, flags = Outcome.TIMED_OUT, flags | Flag.LATE_REPLY
    return replace(
        main,
        outcome=outcome,
        failure=failure,
        flags=int(flags),
        parent_id=main.parent_id or extra.parent_id,
        parent_unique_id=main.parent_unique_id or extra.parent_unique_id,
        parent_source=main.parent_source if main.parent_source is not ParentSource.NONE else extra.parent_source,
        from_process=main.from_process or extra.from_process,
        to_process=main.to_process or extra.to_process,
        published_ns=_earliest(main.published_ns, extra.published_ns),
        delivered_ns=_earliest(main.delivered_ns, extra.delivered_ns),
        replied_ns=replied,
        reply_delivered_ns=_earliest(main.reply_delivered_ns, extra.reply_delivered_ns),
        last_ns=max(main.last_ns, extra.last_ns),
        publishes=main.publishes + extra.publishes,
        replies=main.replies + extra.replies,
        heartbeats=main.heartbeats + extra.heartbeats,
        copies=main.copies + extra.copies,
        request_bytes=main.request_bytes + extra.request_bytes,
        trace_context=main.trace_context or extra.trace_context,
        more_copies=_later_copies(main, extra),
        reply_bytes=main.reply_bytes + extra.reply_bytes,
    )


def _later_copies(*parts: Call) -> tuple[Copy, ...]:
    """All deliveries that are known one by one, but the first."""
    firsts = [Copy(at_ns=one.delivered_ns, process=one.to_process) for one in parts if one.delivered_ns is not None]
    if parts[0].kind is MessageKind.REQUEST or (len(firsts) < 2 and not any(one.more_copies for one in parts)):
        return ()
    known = sorted([*firsts, *(copy for one in parts for copy in one.more_copies)], key=lambda copy: copy.at_ns)
    return tuple(known[1 : 1 + MOST_COPIES])


def outcome_late(call: Call, replied_ns: int) -> bool:
    """Whether a reply came after the caller's time."""
    if call.expiration_ms is None or call.published_ns is None:
        return False
    return replied_ns > call.published_ns + call.expiration_ms * MS


def _earliest(one: int | None, other: int | None) -> int | None:
    return min((t for t in (one, other) if t is not None), default=None)
