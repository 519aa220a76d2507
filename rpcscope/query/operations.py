"""Operations as they are asked for: the parts of a request id put together, with their status."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from rpcscope.model import Operation, Process, Status, Tally
from rpcscope.query.doubt import Doubts
from rpcscope.query.gaps import Gaps, Loss
from rpcscope.query.horizon import Horizon
from rpcscope.query.ids import recording_of
from rpcscope.query.processes import processes
from rpcscope.query.standing import decisive, judged
from rpcscope.query.times import SECOND, iso, ms
from rpcscope.query.unseen import Unseen
from rpcscope.rules import load_rules
from rpcscope.store.protocol import OperationFilter, Reader

STUCK_AFTER_S = 60.0
"""oslo.messaging's default RPC timeout: what has not moved for so long has no caller left that waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """The step that an unfinished operation waits for."""

    method: str
    process: str  # program:pid; "" when nobody took it from its queue
    host: str
    since_ns: int | None
    process_gone: bool
    taker_unseen: bool = False  # somebody may have taken it: deliveries were not seen


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationView:
    """One operation, put together from its parts."""

    ids: tuple[int, ...]  # Operation.id of the parts
    whole: Operation  # counts added up, earliest start, latest end, strongest kind
    status: Status
    stuck_since_ns: int | None
    owed: Owed | None
    gaps: tuple[Loss, ...]  # times in which a tap was blind during it: its counts may be too low
    end_missed: bool = False  # it may have ended while a tap was blind: whether it failed or is stuck is unknown
    requests_only: bool = False  # its replies and deliveries were not to be seen: unknown, whatever the counts say
    deliveries_unseen: bool = False  # who took its messages was not to be seen, at least for a time

    @property
    def duration_ns(self) -> int | None:
        """From the first message to the last; None while it is not over."""
        return None if self.whole.finished_ns is None else max(0, self.whole.finished_ns - self.whole.started_ns)

    @property
    def is_in_doubt(self) -> bool:
        """It would be called stuck or failed, had nothing been missed."""
        return self.end_missed and self.status is Status.UNKNOWN

    def as_dict(self) -> dict[str, object]:
        """The fields of the JSON contract."""
        o, t, c = self.whole, self.whole.by_request, self.whole.by_cause
        return {
            "request_id": o.request_id or None,
            "global_request_id": o.global_request_id or None,
            "kind": o.kind or "unattributed",
            "background": o.background,
            "status": self.status.name.lower(),
            "error": o.error or None,
            "instances": list(o.instances),
            "source_host": o.source_host or None,
            "dest_host": o.dest_host or None,
            "project_id": o.project_id or None,
            "started_at": iso(o.started_ns),
            "finished_at": iso(o.finished_ns),
            "duration_ms": ms(self.duration_ns),
            "complete": o.complete,
            **self._counts(t),
            "by_cause": self._counts(c),
            "stuck_since": iso(self.stuck_since_ns),
            "owed": _owed(self.owed),
            "gaps": [loss.as_dict() for loss in self.gaps],
            "end_missed": self.end_missed,
            "replies_unseen": self.requests_only,
        }

    def _counts(self, t: Tally) -> dict[str, int | None]:
        counts: dict[str, int | None] = {
            "messages": t.messages,
            "rpcs": t.rpcs,
            "calls": t.calls,
            "casts": t.casts,
            "fanouts": t.fanouts,
            "replies": t.replies,
            "heartbeats": t.heartbeats,
            "notifications": t.notifications,
            "copies": None if self.deliveries_unseen else t.copies,
            "bytes": t.bytes if t.bytes or not t.messages else None,  # spans do not tell how large a message was
        }
        unknown = ("messages", "replies", "heartbeats", "copies", "bytes") if self.requests_only else ()
        return counts | dict.fromkeys(unknown)


def _owed(owed: Owed | None) -> dict[str, object] | None:
    if owed is None:
        return None
    return {
        "method": owed.method,
        "process": owed.process or None,
        "host": owed.host or None,
        "since": iso(owed.since_ns),
        "process_gone": owed.process_gone,
        "taker_unseen": owed.taker_unseen,
    }


class Operations:
    """Reads operations from a store.

    Args:
        stuck_after_s: an unfinished operation that has not moved for so long is stuck.
    """

    def __init__(self, reader: Reader, *, stuck_after_s: float = STUCK_AFTER_S) -> None:
        self._reader = reader
        self._stuck_after_ns = int(stuck_after_s * SECOND)
        self._processes: dict[int, Process] = processes(reader)
        self._horizon = Horizon(reader)
        self._gaps = Gaps(reader)
        self._doubts = Doubts(reader, self._gaps, self._horizon)
        self._unseen = Unseen(reader)
        self._rules = load_rules()

    def find(self, wanted: OperationFilter, *, status: Status | None = None) -> Iterator[OperationView]:
        """Operations that match, newest first."""
        for view in self.of_parts(self._reader.operations(wanted)):
            if status is None or view.status is status:
                yield view

    def of_parts(self, parts: Iterable[Operation]) -> Iterator[OperationView]:
        """The operations that parts are of, in the order of the first part of each."""
        for mine in _by_request(parts):
            view = self._view(judged(mine, self._rules))
            if not _is_empty(view.whole):
                yield view

    def _view(self, parts: list[Operation]) -> OperationView:
        whole = merge(parts)
        latest = decisive(parts)
        as_of = max(self._horizon.last_ns(recording_of(part.id)) for part in parts)
        owed = self._owed(latest) if latest.status is Status.RUNNING else None
        status = latest.status
        if status is Status.RUNNING and (
            as_of - whole.last_ns >= self._stuck_after_ns or (owed is not None and owed.process_gone)
        ):
            status = Status.STUCK
        end_missed = self._doubts.of_part(latest)
        if end_missed and status in (Status.STUCK, Status.FAILED):
            status, whole = Status.UNKNOWN, replace(whole, error="")
        if status not in (Status.DONE, Status.FAILED):
            whole = replace(whole, finished_ns=None)
        return OperationView(
            ids=tuple(part.id for part in parts),
            whole=replace(whole, status=status),
            status=status,
            stuck_since_ns=whole.last_ns if status is Status.STUCK else None,
            owed=owed,
            gaps=self._gaps.touching(whole.started_ns, max(whole.last_ns, 0 if whole.finished_ns else as_of)),
            end_missed=end_missed,
            requests_only=any(self._unseen.touches((p.id,), p.started_ns, p.last_ns) for p in parts),
            deliveries_unseen=any(self._unseen.hides_deliveries((p.id,), p.started_ns, p.last_ns) for p in parts),
        )

    def _owed(self, part: Operation) -> Owed | None:
        if not part.owed_call:
            return None
        process = self._processes.get(part.owed_process)
        return Owed(
            method=part.owed_method,
            process=process_name(process),
            host=part.owed_host,
            since_ns=part.owed_since_ns,
            process_gone=process is not None and process.gone_ns is not None,
            taker_unseen=process is None and self._unseen.hides_deliveries((part.id,), part.owed_since_ns or 0),
        )


def process_name(process: Process | None) -> str:
    """program:pid, or what else is known of it."""
    if process is None:
        return ""
    name = f"{process.program}:{process.pid}" if process.pid else process.program
    return name if process.program else process.key


def _is_empty(whole: Operation) -> bool:
    """What gathers replies without a request is left with nothing once their requests are found."""
    return not (whole.request_id or whole.by_request.messages or whole.by_request.copies)


def _by_request(parts: Iterable[Operation]) -> Iterator[list[Operation]]:
    """Parts of one request id together, in the order of the newest part."""
    groups: dict[str, list[Operation]] = {}
    for part in parts:
        groups.setdefault(part.request_id, []).append(part)
    yield from groups.values()


def merge(parts: list[Operation]) -> Operation:
    """Parts of one operation as one; the identity of the strongest."""
    if len(parts) == 1:
        return parts[0]
    best = max(parts, key=lambda p: (p.kind_rank, -p.started_ns))
    latest = decisive(parts)
    finished = [p.finished_ns for p in parts if p.finished_ns is not None]
    return replace(
        best,
        global_request_id=_first(p.global_request_id for p in parts),
        project_id=_first(p.project_id for p in parts),
        source_host=best.source_host or _first(p.source_host for p in parts),
        dest_host=best.dest_host or _first(p.dest_host for p in parts),
        instances=tuple(dict.fromkeys(i for p in parts for i in p.instances)),
        started_ns=min(p.started_ns for p in parts),
        last_ns=max(p.last_ns for p in parts),
        finished_ns=max(finished) if finished else None,
        complete=any(p.complete for p in parts),
        status=latest.status,
        error=latest.error,
        by_request=add(p.by_request for p in parts),
        by_cause=add(p.by_cause for p in parts),
    )


def add(tallies: Iterable[Tally]) -> Tally:
    """Tallies added up."""
    rows = list(tallies)
    return Tally(**{name: sum(getattr(t, name) for t in rows) for name in Tally.__dataclass_fields__})


def _first(texts: Iterable[str]) -> str:
    return next((text for text in texts if text), "")
