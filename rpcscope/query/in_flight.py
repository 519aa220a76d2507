"""What each process has in hand: delivered to it, and not answered."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from rpcscope.model import Call, MessageKind, Outcome
from rpcscope.query.operations import process_name
from rpcscope.query.processes import processes
from rpcscope.query.times import MS
from rpcscope.store.protocol import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """Calls of one method that one process has in hand, or that lie in one queue. Casts have no answer: unknown."""

    process: str  # program:pid; "" while nobody took them
    host: str
    queue: str  # topic or topic.server, for those that nobody took
    method: str
    count: int
    oldest_ns: int  # when the oldest was delivered, or published


def in_flight(reader: Reader) -> list[InFlight]:
    """As of the last event stored, the most loaded first.

    oslo.messaging acknowledges before it works, so the broker's queue is empty while a process is swamped: this is
    where the work is. A call leaves when it is answered, when its caller's time is over, or when its process is gone.
    """
    known = processes(reader)
    last = {info.recording.id: info.last_ns for info in reader.recordings()}
    groups: dict[tuple[int, str, str], list[Call]] = defaultdict(list)
    for call in reader.open_calls():
        process = known.get(call.to_process)
        gone = process is not None and process.gone_ns is not None
        if call.kind is MessageKind.REQUEST and not gone and not _is_over(call, last.get(call.id >> 40, 0)):
            queue = "" if call.to_process else ".".join(filter(None, (call.topic, call.server)))
            groups[process.id if process else 0, queue, call.method].append(call)
    found = [
        InFlight(
            process=process_name(known.get(process)),
            host=known[process].host if process in known else "",
            queue=queue,
            method=method,
            count=len(calls),
            oldest_ns=min(_since(call) for call in calls),
        )
        for (process, queue, method), calls in groups.items()
    ]
    return sorted(found, key=lambda row: (-row.count, row.oldest_ns))


def _is_over(call: Call, now_ns: int) -> bool:
    if call.replied_ns is not None or call.published_ns is None or call.outcome is Outcome.NONE:
        return True  # or its end can not be known
    return call.expiration_ms is not None and now_ns > call.published_ns + call.expiration_ms * MS


def _since(call: Call) -> int:
    return call.delivered_ns or call.published_ns or call.last_ns
