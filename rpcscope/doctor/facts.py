"""What all checks look at: read once, bounded, the same for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rpcscope.model import Call, Layout, NodeState, Process
from rpcscope.query.abandoned import AbandonedQueue
from rpcscope.query.disagreement import Disagreement
from rpcscope.query.gaps import Loss
from rpcscope.query.operations import OperationView
from rpcscope.query.progress import Migration
from rpcscope.query.queues import QueueRow
from rpcscope.query.status import RecorderStatus
from rpcscope.query.times import SECOND
from rpcscope.query.work import Work
from rpcscope.store.depth_rows import ChurnStep
from rpcscope.store.sign_rows import CallSigns
from rpcscope.store.type_rows import QueueTypes

NO_SIGNS = CallSigns(rows=(), callers=(), deaf=(), since_ns=None)
MINUTE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A call that has a flag, with the request id that it carries."""

    call: Call
    request_id: str  # "" unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Of one time. What was not read or not sampled is empty."""

    from_ns: int
    to_ns: int
    now_ns: int  # the clock
    polled_ns: int = 0  # the newest poll in the time; 0: there is none
    families: tuple[QueueRow, ...] = ()  # as of the newest poll in the time
    abandoned: tuple[AbandonedQueue, ...] = ()  # queues without consumers, the deepest first
    types: tuple[QueueTypes, ...] = ()
    nodes: tuple[NodeState, ...] = ()
    layouts: tuple[Layout, ...] = ()
    recorders: tuple[RecorderStatus, ...] = ()
    losses: tuple[Loss, ...] = ()
    signs: CallSigns = NO_SIGNS
    marked: Mapping[str, tuple[Marked, ...]] = field(default_factory=dict)  # examples by the word of `ask.MARKS`
    processes: Mapping[int, Process] = field(default_factory=dict)
    watched: frozenset[int] = frozenset()  # recordings that saw deliveries during all of the time
    whole: frozenset[int] = frozenset()  # of these, those that saw who took replies, too
    brokers: Mapping[int, str] = field(default_factory=dict)  # by recording: what their taps watch
    stuck: tuple[OperationView, ...] = ()
    failed: tuple[OperationView, ...] = ()
    work: tuple[Work, ...] = ()  # the most loaded first
    churn: tuple[ChurnStep, ...] = ()  # by minutes
    disagreements: tuple[Disagreement, ...] = ()  # of the newest calls that processes told of
    migrations: tuple[Migration, ...] = ()  # of the end of the time
    request_ids: Mapping[int, str] = field(default_factory=dict)  # by the operation id of a migration's samples

    @property
    def lasted_s(self) -> float:
        """Seconds from the first call that was looked at to the last; at least a minute, or a rate means little."""
        starts = [row.first_ns for row in self.signs.rows]
        ends = [row.last_ns for row in self.signs.rows]
        return max(MINUTE_S, (max(ends) - min(starts)) / SECOND) if starts else MINUTE_S

    def process(self, number: int) -> str:
        """A name for people: program:pid and its host; "" unknown."""
        one = self.processes.get(number)
        if one is None:
            return ""
        name = f"{one.program}:{one.pid}" if one.program else one.key
        return f"{name} on {one.host}" if one.host else name
