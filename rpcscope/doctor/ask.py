"""Reads the facts of a time: each once for all checks, each bounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from rpcscope.doctor.facts import Facts, Marked
from rpcscope.model import Flag, NodeState, Outcome, Status
from rpcscope.query.abandoned import abandoned
from rpcscope.query.disagreement import disagreements
from rpcscope.query.gaps import Loss, gaps_touching
from rpcscope.query.in_flight_over import in_flight_over
from rpcscope.query.operations import STUCK_AFTER_S, Operations
from rpcscope.query.processes import processes
from rpcscope.query.progress import migrations_between
from rpcscope.query.queues import LONGEST_INTERVAL_NS, REPEATED_NS, queues
from rpcscope.query.status import recorders
from rpcscope.query.times import SECOND
from rpcscope.query.unseen import Unseen
from rpcscope.store.protocol import OperationFilter, Reader
from rpcscope.store.sign_rows import CallSigns

MARKS = {
    "late": Flag.LATE_REPLY,
    "redelivered": Flag.REDELIVERED,
    "republished": Flag.REPUBLISHED,
    "unroutable": Flag.UNROUTABLE,
}
"""Flags of calls that have examples, by the word that `CallSign` counts them under."""
TIMED_OUT = "timed_out"
EXAMPLES = 10
_ABANDONED = 200
_OPERATIONS = 300
_WORK = 50
_WORK_NS = 6 * 3_600 * SECOND  # of longer times the end is looked at
_SPANS = 50
_MINUTE_NS = 60 * SECOND


def ask_state(reader: Reader, from_ns: int, to_ns: int, now_ns: int) -> Facts:
    """What is cheap to ask: queues, nodes and recorders, as of the end of a time."""
    depth = queues(reader, until_ns=to_ns)
    fresh_ns = from_ns - LONGEST_INTERVAL_NS
    polls = [poll for poll in depth.polls if poll.at_ns >= fresh_ns]
    looked = {poll.vhost for poll in polls}
    families = tuple(row for row in depth.rows if row.vhost in looked)
    lonely = any(row.consumerless for row in families)
    return Facts(
        from_ns=from_ns,
        to_ns=to_ns,
        now_ns=now_ns,
        polled_ns=max((poll.at_ns for poll in polls), default=0),
        families=families,
        abandoned=tuple(abandoned(reader, polls, limit=_ABANDONED)) if lonely else (),
        nodes=_newest(node for node in depth.nodes if node.at_ns >= fresh_ns),
        recorders=tuple(recorders(reader, now_ns)),
        losses=gaps_touching(reader, from_ns, to_ns),
    )


def ask(reader: Reader, from_ns: int, to_ns: int, now_ns: int, *, stuck_after_s: float = STUCK_AFTER_S) -> Facts:
    """All facts of a time. Of its calls the newest 200,000, of its operations 300 that are not over, 300 that failed.

    The calls cost about 5 microseconds of CPU each in SQLite: 0.9 s where there are so many.
    """
    state = ask_state(reader, from_ns, to_ns, now_ns)
    signs = reader.call_signs(from_ns, to_ns, _spans(state.losses))
    unseen = Unseen(reader)
    known = [info.recording for info in reader.recordings()]
    operations = Operations(reader, stuck_after_s=stuck_after_s)
    known_processes = processes(reader)
    migrations = migrations_between(reader, max(from_ns, to_ns - _WORK_NS), to_ns)
    time = OperationFilter(since_ns=from_ns, until_ns=to_ns, background=False, limit=_OPERATIONS)
    return replace(
        state,
        types=tuple(reader.queue_types(state.polled_ns - REPEATED_NS, state.polled_ns)) if state.polled_ns else (),
        layouts=tuple(one for several in reader.layouts().values() for one in several if one.at_ns < to_ns),
        signs=signs,
        marked=_marked(reader, signs, from_ns, to_ns),
        processes=known_processes,
        watched=frozenset(one.id for one in known if not unseen.hides_deliveries((one.id << 40,), from_ns, to_ns)),
        whole=frozenset(one.id for one in known if not unseen.hides_copies((one.id << 40,), from_ns, to_ns)),
        brokers={one.id: one.label if one.source == "file" else one.scope.rpartition(" ")[0] for one in known},
        stuck=tuple(operations.find(replace(time, statuses=(Status.RUNNING,)), status=Status.STUCK)),
        failed=tuple(operations.find(replace(time, statuses=(Status.FAILED,)), status=Status.FAILED)),
        work=in_flight_over(reader, max(from_ns, to_ns - _WORK_NS), to_ns, limit=_WORK).rows,
        disagreements=disagreements(reader, known_processes, from_ns, to_ns),
        churn=tuple(reader.churn_steps(max(from_ns, to_ns - _WORK_NS), to_ns, _MINUTE_NS)),
        migrations=migrations,
        request_ids=reader.request_ids({one.last.operation_id for one in migrations}),
    )


def _newest(nodes: Iterable[NodeState]) -> tuple[NodeState, ...]:
    """One state of each node: several recordings may have looked at it."""
    found: dict[str, NodeState] = {}
    for node in sorted(nodes, key=lambda node: node.at_ns):
        found[node.node] = node
    return tuple(found[name] for name in sorted(found))


def _spans(losses: Iterable[Loss]) -> list[tuple[int, int]]:
    """Times in which some tap was blind; when they are too many, the time from the first to the last."""
    merged: list[tuple[int, int]] = []
    for from_ns, to_ns in sorted((one.from_ns, one.to_ns) for one in losses):
        if merged and from_ns <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], to_ns))
        else:
            merged.append((from_ns, to_ns))
    return merged if len(merged) <= _SPANS else [(merged[0][0], merged[-1][1])]


def _marked(reader: Reader, signs: CallSigns, from_ns: int, to_ns: int) -> Mapping[str, tuple[Marked, ...]]:
    """The newest of each kind that there are any of: others are not looked for, which would take the whole time."""
    since_ns = signs.since_ns or from_ns
    found = {}
    for word, flag in MARKS.items():
        if any(getattr(row, word) for row in signs.rows):
            found[word] = reader.marked_calls(since_ns, to_ns, flags=int(flag), limit=EXAMPLES)
    if any(row.timed_out for row in signs.rows):
        outcomes = (int(Outcome.TIMED_OUT),)
        found[TIMED_OUT] = reader.marked_calls(since_ns, to_ns, outcomes=outcomes, limit=EXAMPLES)
    names = reader.request_ids({call.operation_id for calls in found.values() for call in calls} - {0})
    return {
        word: tuple(Marked(call=call, request_id=names.get(call.operation_id, "")) for call in calls)
        for word, calls in found.items()
    }
