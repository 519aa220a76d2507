"""What each process has in hand: delivered to it, and not answered."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from rpcscope.in_hand import is_waited_for, lies_in
from rpcscope.model import Call, MessageKind, Outcome
from rpcscope.query.gaps import FOREVER
from rpcscope.query.ids import recording_of
from rpcscope.query.operations import process_name
from rpcscope.query.processes import processes
from rpcscope.query.seen_times import tells
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
    seen_from = _seen_from(reader)
    groups: dict[tuple[int, str, str], list[Call]] = defaultdict(list)
    for call in reader.open_calls():
        number = recording_of(call.id)
        if call.kind is not MessageKind.REQUEST or call.outcome is Outcome.NONE:
            continue  # or its end can not be known
        process = known.get(call.to_process)
        queue = lies_in(call, seen_from.get(number, FOREVER))
        held = process is not None and process.gone_ns is None
        if (held or queue) and is_waited_for(call, last.get(number, 0)):
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


def _seen_from(reader: Reader) -> dict[int, int]:
    """Since when each recording sees who takes requests; recordings that do not are left out."""
    found: dict[int, int] = {}
    infos = reader.recordings()
    phases = reader.phases(0, max((info.last_ns for info in infos), default=0))
    for info in infos:
        told = phases.get(info.recording.id, [])
        modes = [(phase.at_ns, phase.mode) for phase in told] or [(0, info.recording.tap_mode)]
        for at_ns, mode in reversed(modes):
            if not tells(mode):
                break
            found[info.recording.id] = at_ns
    return found


def _since(call: Call) -> int:
    return call.delivered_ns or call.published_ns or call.last_ns
