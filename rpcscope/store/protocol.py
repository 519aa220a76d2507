"""The two doors of a store, in words, and what comes out of them.

Both raise StoreError with one sentence. A TransientStoreError (`.transient` is True: locked, connection lost,
deadlock) says that nothing of the call happened, or that repeating it is harmless.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from rpcscope.model import (
    Account,
    Batch,
    Call,
    ChurnEvent,
    Counters,
    FamilySample,
    Gap,
    GapCause,
    InFlightSample,
    Layout,
    MessageKind,
    NodeState,
    Noted,
    Operation,
    Process,
    ProgressSample,
    QueuePoll,
    QueueSample,
    Recording,
    Resume,
    Status,
    TapPhase,
)
from rpcscope.store.depth_rows import Abandoned, ChurnStep, PollStep, QueueStep
from rpcscope.store.follow_rows import Closed, Mark
from rpcscope.store.places import HostWork, OperationCounts, OperationOrder, OperationPage, OperationStep, Place
from rpcscope.store.run_query import RecordedKind, RecordedMethod
from rpcscope.store.run_rows import Run, RunState
from rpcscope.store.sign_rows import CallSigns
from rpcscope.store.traffic import MethodTraffic, Traffic
from rpcscope.store.type_rows import QueueTypes


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingInfo:
    """A recording and how far it came."""

    recording: Recording
    counters: Counters
    last_ns: int  # last event stored; 0 when there is none
    position: int  # observations of the source that are stored


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationFilter:
    """Which operations to read. None does not filter; all that are given must hold.

    A request id matches when any one of its parts does; all its parts are then returned.
    """

    kind: str | None = None
    instance: str | None = None
    host: str | None = None  # its source or destination, who owes it, or who a call of it went to
    request_id: str | None = None  # the request id or the global request id
    related: Collection[str] | None = None  # one of these is the request id or the global request id
    background: bool | None = None
    project_id: str | None = None
    recording_id: int | None = None
    since_ns: int | None = None  # started at this time or later
    until_ns: int | None = None  # started before this time
    statuses: Collection[Status] | None = None  # as its recorder judged; what holds beside other parts may differ
    min_duration_ns: int | None = None  # of the whole, once it is over
    max_duration_ns: int | None = None
    min_rpcs: int | None = None  # of the whole: calls, casts and fanouts that carry the request id
    max_rpcs: int | None = None
    limit: int | None = None  # request ids, not parts
    offset: int = 0  # request ids to skip


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodTotal:
    """Totals of the calls of one operation kind, call kind and method; open calls are in it."""

    operation_kind: str  # "" without an operation, or while its kind is unknown
    call_kind: MessageKind
    method: str
    calls: int  # rows
    publishes: int
    replies: int
    heartbeats: int
    copies: int
    request_bytes: int
    reply_bytes: int
    failed: int  # outcome FAILED, the expected ones too
    expected_failures: int  # those that the rules say are normal
    timed_out: int
    answered: int  # rows with both a publish and a reply
    answer_ns: int  # sum of replied_ns - published_ns of the answered


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingTotals:
    """What one recording began. Parts of calls that an earlier recording began are not in it."""

    operations: int
    rpcs: int  # calls, casts and fanouts


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishCount:
    """What one process published in one step of a time."""

    step: int  # from 0
    process: int  # Process.id; 0: unknown
    messages: float  # publishes: requests, and the replies and heartbeats to calls that began in the time


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishCounts:
    """What was published in a time, by step, then process."""

    counts: list[PublishCount]
    share: float  # of the time that was looked at: below 1 the counts are estimates


HEALTH_EVERY_S = 5.0
"""A recorder that runs reports its health this often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderHealth:
    """What a recorder that runs says of itself. Memory and CPU are those of its process."""

    recording_id: int
    at_ns: int  # when it said so
    since_ns: int  # when it began to record
    host: str  # where it runs
    pid: int
    stored_ns: int  # its last commit; 0 before the first
    events_rate: float  # events a second, over the last minute
    backlog: int  # events read from the broker and not yet taken up
    cpu_share: float  # of one core, over the last minute
    lag_ns: int | None = None  # how late it reads; None while not known
    rss_bytes: int | None = None  # memory; None where the system does not tell
    nodes_traced: int | None = None  # None when it does not switch tracing, so can not tell
    nodes: int | None = None  # nodes of the broker that run


@dataclass(frozen=True, slots=True, kw_only=True)
class GapTotal:
    """The gaps of one recording that have one cause."""

    recording_id: int
    cause: GapCause
    gaps: int
    blind_ns: int
    estimate: int  # messages missed in those gaps where the broker's counters told
    unknown: int  # gaps of which nobody knows how much was missed


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Somebody asks the recorders of one name for details."""

    id: int  # rises with each one
    at_ns: int  # when it was asked
    name: str  # of the recorders that are meant, as it was given; "" all
    why: str
    minutes: float  # how long; kept to a thousandth
    taken_ns: int | None  # when a recorder took it; None: nobody did yet


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStatus:
    """What `rpcscope db status` shows."""

    revision: str  # "" of an empty database
    head: str  # the revision that this rpcscope needs
    dialect: str  # sqlite, postgresql, mysql
    size_bytes: int
    rows: dict[str, int]  # by table


class Writer(Protocol):
    """Takes what one recorder makes. Not for several threads at once; several writers may share a store."""

    def start(
        self,
        *,
        source: str,
        scope: str,
        digest: str,
        label: str,
        tap_mode: str,
        conditions: str,
        started_ns: int,
    ) -> Resume:
        """Begins a recording, or goes on with the one of the same digest, and says what was left open.

        Without a digest it is always a new recording. With one that is known, it is that recording at its position;
        once it has ended, `ended_ns` is set and nothing is to be done. Open calls, their operations, unfinished
        foreground operations (the newest 100,000), processes that are not gone, and fingerprints of the last 65,536
        events come from this and from earlier recordings of the same scope.
        """
        ...

    def label(self, recording_id: int, labels: Mapping[str, str]) -> None:
        """Sets labels of a recording: a key that it has gets the new value, its other keys stay. Any thread may."""
        ...

    def write(self, batch: Batch) -> None:
        """Stores a batch as a whole or not at all; when it returns, the batch is durable.

        After an error nothing of the batch is stored and the writer can go on. After a TransientStoreError the same
        batch may be written again: should its commit have arrived after all, it is not stored twice.
        """
        ...

    def report(self, health: RecorderHealth) -> None:
        """Replaces what the recorder of a recording last said of itself. Any thread may, while another one writes."""
        ...

    def ask(self, *, at_ns: int, name: str, why: str, minutes: float) -> int:
        """Asks the recorders of a name for details; the id of the trigger. Needs no recording; any thread may."""
        ...

    def taken(self, trigger_id: int, at_ns: int) -> bool:
        """Marks a trigger as taken. False: somebody had taken it already, or it was pruned. Any thread may."""
        ...

    def begin_run(self, run: Run) -> int:
        """Stores a run of the emulator that begins; its id. Any thread may."""
        ...

    def tell_run(
        self, run_id: int, *, state: RunState, at_ns: int, outcome: Mapping[str, Any], ended: bool = False
    ) -> None:
        """Replaces what is known of how a run fares. Any thread may, while another one writes."""
        ...

    def prune(self, before_ns: int, *, unfinished_before_ns: int | None = None) -> dict[str, int]:
        """Removes what ended before a time, in many short transactions; returns deleted rows by table.

        Operations that still run, and calls left open, are measured by `unfinished_before_ns`, where it is given.

        Whole operations (all parts of a request id) whose last event was before it, with their calls and what was told
        of them; calls without an operation; calls left open; gaps; samples of queues, nodes and work in flight, churn;
        triggers; runs; phases that were over; layouts of recordings that end before it; and names that nothing uses any
        more.
        """
        ...


class Reader(Protocol):
    """Answers from what is committed. Threads may share it.

    Iterators read page by page as they go and hold nothing in between: they may be left half-read.
    """

    def recordings(self) -> list[RecordingInfo]:
        """All recordings, the oldest first."""
        ...

    def labels(self) -> dict[int, dict[str, str]]:
        """Labels by recording, in the order of their keys; recordings without any are left out."""
        ...

    def gaps(self, from_ns: int | None = None, to_ns: int | None = None) -> list[Gap]:
        """Gaps that touch the time from `from_ns` up to `to_ns`, by their beginning."""
        ...

    def gaps_by_recording(self, from_ns: int | None = None, to_ns: int | None = None) -> dict[int, list[Gap]]:
        """The same by the recording whose tap was blind; recordings without any are left out."""
        ...

    def processes(self) -> dict[int, Process]:
        """All processes by id."""
        ...

    def operations(self, filter: OperationFilter | None = None) -> Iterator[Operation]:
        """Parts of the operations that match, newest first by `started_ns`, then by id."""
        ...

    def operation_page(
        self,
        filter: OperationFilter,
        *,
        order: OperationOrder = OperationOrder.STARTED,
        ascending: bool = False,
        after: Place | None = None,
        limit: int,
    ) -> OperationPage:
        """Operations that match, `limit` of them from a place on. `limit` and `offset` of the filter are not looked at.

        By their start, no page looks at more than some thousand parts: it may have fewer operations, or none, though
        there are more behind the place that it reached. Other orders read all that match for every page. Statuses,
        durations and RPCs of operations of several parts may be met that do not match: their reader judges them.
        """
        ...

    def operation_counts(self, since_ns: int, until_ns: int) -> OperationCounts:
        """Operations that began in a time by kind and status; of the newest 20,000 parts where there are more."""
        ...

    def is_more(self, since_ns: int, until_ns: int, parts: int) -> bool:
        """Whether more than so many parts of operations began in a time."""
        ...

    def operation_steps(self, since_ns: int, until_ns: int, step_ns: int) -> list[OperationStep]:
        """Operations that began in each step of a time by kind and status; all are counted, however many."""
        ...

    def host_work(self, host: str, since_ns: int, until_ns: int, *, limit: int) -> HostWork:
        """Calls of a time that went to a host or came from it, by method, and the newest `limit` of their operations.

        Calls of no operation count for the methods alone. No more than the newest 200,000 calls are looked at.
        """
        ...

    def newest_of_kind(self, kind: str, limit: int) -> list[Operation]:
        """All parts of the operations that the `limit` newest parts of a kind belong to; newest first.

        Read by the index of kind and start, however many there are.
        """
        ...

    def calls(
        self,
        *,
        operation_ids: Collection[int] | None = None,
        cause_ids: Collection[int] | None = None,
        since_ns: int | None = None,
        until_ns: int | None = None,
        limit: int | None = None,
    ) -> Iterator[Call]:
        """Closed and open calls by the time of their publish (the first time known of them), then by id.

        With both kinds of ids a call needs to match one of them. `since_ns` is included, `until_ns` is not.
        """
        ...

    def request_ids(self, ids: Collection[int]) -> dict[int, str]:
        """Request ids of operations by Operation.id; unknown ids are left out."""
        ...

    def open_calls(self) -> list[Call]:
        """Calls that were still open at their last batch, by the first time known of them."""
        ...

    def calls_by_id(self, ids: Collection[int]) -> dict[int, Call]:
        """Closed and open calls by id; unknown ids are left out."""
        ...

    def accounts(self, call_ids: Collection[int]) -> dict[int, list[Account]]:
        """What processes told of calls, by Call.id of the first part; calls of which nobody told are left out."""
        ...

    def newest_accounts(self, limit: int, *, recording_id: int | None = None) -> dict[int, list[Account]]:
        """The same of the calls that began last, about `limit` accounts; of one recording."""
        ...

    def notices(self, operation_ids: Collection[int], limit: int = 1_000) -> list[Noted]:
        """Notifications of operations, by Operation.id, the oldest first; of more than `limit` the newest."""
        ...

    def progress(self, operation_ids: Collection[int], limit: int = 10_000) -> list[ProgressSample]:
        """How far the migrations of operations were, the oldest first; of more than `limit` the newest."""
        ...

    def progress_between(self, from_ns: int, to_ns: int, limit: int = 10_000) -> list[ProgressSample]:
        """How far all migrations were in a time, both ends included, in the same order."""
        ...

    def mark(self) -> Mark:
        """Where all that is stored now ends; for `closed_since`."""
        ...

    def closed_since(self, mark: Mark, most: int) -> Closed:
        """Calls that were closed since a mark, each once, however long they were open, and those that are open since;
        and the mark behind them.

        About `most` of them; where there are more, the next mark brings them.
        """
        ...

    def operations_by_id(self, ids: Collection[int]) -> list[Operation]:
        """Parts with these ids, in no order; unknown ids are left out."""
        ...

    def undelivered_calls(self, topics: Collection[str], since_ns: int, limit: int) -> tuple[list[Call], bool]:
        """Closed calls, casts and notifications to topics that were published since a time and never seen delivered
        or answered, the oldest first; and whether these are all, for no more than `limit` rows are looked at.
        """
        ...

    def call_signs(self, since_ns: int, until_ns: int, blind: Sequence[tuple[int, int]] = ()) -> CallSigns:
        """Closed calls of a time added up by where they went and who took them; the newest 200,000 at most.

        What was open during a `blind` span, from and to, does not count as without an answer.
        """
        ...

    def marked_calls(
        self, since_ns: int, until_ns: int, *, flags: int = 0, outcomes: Collection[int] = (), limit: int
    ) -> list[Call]:
        """Closed calls of a time with one of some flags or outcomes, the newest first."""
        ...

    def operation_kinds(self, ids: Collection[int]) -> dict[int, str]:
        """Kinds by Operation.id, "" while unknown; the surest part of a request id tells. Unknown ids are left out."""
        ...

    def method_totals(
        self,
        *,
        by: Literal["request", "cause"] = "request",
        kind: str | None = None,
        background: bool | None = None,
    ) -> list[MethodTotal]:
        """Totals by operation kind, call kind and method, in this order.

        `by` says which operation a call counts for: the one whose request id it carries, or the one that made it
        happen. Without `kind` and `background`, the calls of no operation are in it too.
        """
        ...

    def recording_totals(self, recording_id: int) -> RecordingTotals:
        """How many operations and RPCs one recording began."""
        ...

    def traffic(self, from_ns: int, to_ns: int) -> Traffic:
        """Calls, casts and fanouts that began in a time, added up by method, topic, and the programs at both ends.

        Of more than 40,000 calls those of short times spread evenly over it are looked at, and stand for the others.
        """
        ...

    def method_traffic(self, method: str, from_ns: int, to_ns: int) -> MethodTraffic:
        """The same of one method, call by call, in the same windows; about 10,000 of them where there are more."""
        ...

    def publish_counts(self, from_ns: int, to_ns: int, step_ns: int) -> PublishCounts:
        """Messages by the process that published them, in steps of a time whose end is not in it.

        Of more than 60,000 calls those of a short time in each step are looked at.
        """
        ...

    def queue_polls(self, until_ns: int | None = None) -> list[QueuePoll]:
        """The newest poll of each vhost of each recording, in the two hours before the recording's last one.

        With `until_ns` as it was then: what was looked at later does not count, that time does.
        """
        ...

    def queues(self, from_ns: int, to_ns: int, *, starting: str = "") -> list[QueueSample]:
        """The newest sample of each queue from one time up to another, both included; only names that begin so.

        A queue is stored when it changes and at least every hour (`rpcscope.sampling`), so what was at a time is
        found by looking two hours back from it. One that is gone has the state "gone".
        """
        ...

    def queue_samples(self, from_ns: int, to_ns: int) -> Iterator[tuple[int, QueueSample]]:
        """All samples of queues from one time up to another, which is not included: the recording of each, and it.

        By recording, then time.
        """
        ...

    def queue_history(self, queue: str, from_ns: int, to_ns: int) -> list[QueueSample]:
        """Samples of one queue in a time, both ends included, the oldest first."""
        ...

    def families(self, from_ns: int, to_ns: int) -> list[FamilySample]:
        """Samples of all families in a time, both ends included, the oldest first."""
        ...

    def poll_steps(self, from_ns: int, to_ns: int, step_ns: int) -> list[PollStep]:
        """Looks at the queues of each vhost in steps of a time, both ends included, by vhost and time."""
        ...

    def family_names(self, from_ns: int, to_ns: int) -> list[str]:
        """Families that were sampled in a time, both ends included, the deepest first."""
        ...

    def family_steps(self, from_ns: int, to_ns: int, step_ns: int, families: Collection[str]) -> list[QueueStep]:
        """Some families in steps of a time, both ends included; by recording, vhost, family and time."""
        ...

    def family_sums(self, from_ns: int, to_ns: int, step_ns: int, without: Collection[str]) -> list[QueueStep]:
        """The families but these together, under the name "", in steps of a time; by recording, vhost and time."""
        ...

    def queue_steps(self, from_ns: int, to_ns: int, step_ns: int, queues: Collection[str]) -> list[QueueStep]:
        """Some queues likewise. A queue has no step while nothing about it changed: its last sample holds."""
        ...

    def deepest_queues(self, from_ns: int, to_ns: int, starting: str, limit: int) -> list[str]:
        """Queues whose names begin so, by the most that lay in them in a time; those always empty are left out."""
        ...

    def abandoned_queues(self, from_ns: int, to_ns: int, limit: int) -> list[Abandoned]:
        """Queues whose newest sample of a time has no consumer, the deepest first."""
        ...

    def queue_types(self, from_ns: int, to_ns: int) -> list[QueueTypes]:
        """Queues that were sampled in a time, both ends included, counted by vhost, type and durability."""
        ...

    def churn_steps(
        self, from_ns: int, to_ns: int, step_ns: int, *, starting: str = "", vhost: str = ""
    ) -> list[ChurnStep]:
        """What came and went in steps of a time, both ends included; with `starting` of queues that begin so, each.

        Of one vhost with `vhost`, and of those events that name none.
        """
        ...

    def node_states(self, until_ns: int | None = None) -> list[NodeState]:
        """The newest state of each node of each recording, likewise."""
        ...

    def churn(self, from_ns: int, to_ns: int, limit: int = 1_000) -> list[ChurnEvent]:
        """What came and went in a time, both ends included, the newest first."""
        ...

    def in_flight(self, from_ns: int, to_ns: int) -> dict[int, list[InFlightSample]]:
        """Samples of work in flight of a time, both ends included, by recording, the oldest first.

        What does not change is stored again every `rpcscope.in_hand.REPEAT_NS`; what was at a time is found by
        looking back that long.
        """
        ...

    def in_flight_samples(self, from_ns: int, to_ns: int) -> Iterator[tuple[int, InFlightSample]]:
        """The same as a stream by recording, then time: the recording of each, and it; `to_ns` is not included."""
        ...

    def phases(self, from_ns: int, to_ns: int) -> dict[int, list[TapPhase]]:
        """Phases of taps of a time, both ends included, by recording, the oldest first.

        The phase that a recording was in when the time began is the first. Recordings without phases are left out.
        """
        ...

    def triggers(self, since_id: int = 0) -> list[Trigger]:
        """Triggers with an id above one, in the order in which they were asked, also those that are taken."""
        ...

    def layouts(self) -> dict[int, list[Layout]]:
        """The newest layout of each vhost by recording."""
        ...

    def runs(self, limit: int, before_id: int | None = None) -> list[Run]:
        """Runs of the emulator, the newest first; with `before_id` those that began before that one."""
        ...

    def run(self, run_id: int) -> Run | None:
        """One run; None when there is none, or it was pruned."""
        ...

    def recorded_kinds(self, recording_id: int, from_ns: int, to_ns: int) -> list[RecordedKind]:
        """Operations of a recording that began in a time, by kind and status; counts by cause."""
        ...

    def recorded_durations(self, recording_id: int, from_ns: int, to_ns: int) -> dict[str, list[int]]:
        """Durations in ns of those that are done and of no timer, by kind, in no order; of the newest 50,000."""
        ...

    def recorded_methods(self, recording_id: int, from_ns: int, to_ns: int) -> list[RecordedMethod]:
        """Closed calls, casts and fanouts that they caused, timers left out, by method; reads all of the recording."""
        ...

    def health(self) -> list[RecorderHealth]:
        """What each recorder said last of itself, by recording; recordings that never said anything are left out."""
        ...

    def gap_totals(self) -> list[GapTotal]:
        """Gaps added up by recording and cause, in this order."""
        ...

    def counts(self) -> dict[str, int]:
        """Rows of each table."""
        ...

    def status(self) -> StoreStatus:
        """Revision, size and rows."""
        ...
