"""The Reader of SQL databases."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Literal

from sqlalchemy import select

from rpcscope.model import (
    Account,
    Call,
    ChurnEvent,
    FamilySample,
    Gap,
    InFlightSample,
    Layout,
    NodeState,
    Noted,
    Operation,
    Process,
    ProgressSample,
    QueuePoll,
    QueueSample,
    TapPhase,
)
from rpcscope.store import (
    account_query,
    call_query,
    follow_query,
    notice_query,
    operation_query,
    operation_steps,
    rate_query,
    run_query,
    run_rows,
    sample_query,
    total_query,
    waiting_query,
)
from rpcscope.store.churn_query import churn_steps
from rpcscope.store.database import Database
from rpcscope.store.depth_query import DepthQuery
from rpcscope.store.depth_rows import Abandoned, ChurnStep, PollStep, QueueStep
from rpcscope.store.flight_query import FlightQuery
from rpcscope.store.follow_rows import Closed, Mark
from rpcscope.store.gap_query import gaps_by_recording
from rpcscope.store.health_rows import gap_totals, health_by_recording
from rpcscope.store.host_query import host_work
from rpcscope.store.kind_query import newest_of_kind
from rpcscope.store.labels import labels_by_recording
from rpcscope.store.method_query import method_traffic
from rpcscope.store.migrate import database_status, table_counts
from rpcscope.store.names import NameReader
from rpcscope.store.operation_counts import operation_counts
from rpcscope.store.operation_rank import by_value
from rpcscope.store.operation_rows import PROCESS_NAMES, process_of
from rpcscope.store.operation_search import by_start
from rpcscope.store.places import HostWork, OperationCounts, OperationOrder, OperationPage, OperationStep, Place
from rpcscope.store.protocol import (
    GapTotal,
    MethodTotal,
    OperationFilter,
    PublishCounts,
    RecorderHealth,
    RecordingInfo,
    RecordingTotals,
    StoreStatus,
    Trigger,
)
from rpcscope.store.queue_query import QueueQuery
from rpcscope.store.recording_rows import counters_of, recording_of
from rpcscope.store.run_query import RecordedKind, RecordedMethod
from rpcscope.store.run_rows import Run
from rpcscope.store.schema import process, recording
from rpcscope.store.sign_query import call_signs, marked_calls
from rpcscope.store.sign_rows import CallSigns
from rpcscope.store.traffic import MethodTraffic, Traffic
from rpcscope.store.traffic_query import traffic
from rpcscope.store.type_query import queue_types
from rpcscope.store.type_rows import QueueTypes


class SqlReader:
    """See `protocol.Reader`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._names = NameReader(database)
        self._queues = QueueQuery(database, self._names)
        self._depth = DepthQuery(database, self._names)
        self._flight = FlightQuery(database, self._names)

    def recordings(self) -> list[RecordingInfo]:
        """All recordings, the oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(recording).order_by(recording.c.id)).all()
        return [
            RecordingInfo(
                recording=recording_of(row), counters=counters_of(row), last_ns=row.last_ns, position=row.position
            )
            for row in rows
        ]

    def labels(self) -> dict[int, dict[str, str]]:
        """Labels by recording."""
        return labels_by_recording(self._database)

    def gaps(self, from_ns: int | None = None, to_ns: int | None = None) -> list[Gap]:
        """Gaps that touch a time, by their beginning."""
        found = [one for gaps in self.gaps_by_recording(from_ns, to_ns).values() for one in gaps]
        return sorted(found, key=lambda one: one.from_ns)

    def gaps_by_recording(self, from_ns: int | None = None, to_ns: int | None = None) -> dict[int, list[Gap]]:
        """The same by the recording whose tap was blind."""
        return gaps_by_recording(self._database, from_ns, to_ns)

    def processes(self) -> dict[int, Process]:
        """All processes by id."""
        with self._database.reading() as connection:
            rows = connection.execute(select(process).order_by(process.c.id)).all()
        names = self._names.load({getattr(row, column) for row in rows for column in PROCESS_NAMES})
        return {row.id: process_of(row, names) for row in rows}

    def operations(self, filter: OperationFilter | None = None) -> Iterator[Operation]:
        """Parts of the operations that match, newest first."""
        return operation_query.operations(self._database, self._names, filter or OperationFilter())

    def operation_page(
        self,
        filter: OperationFilter,
        *,
        order: OperationOrder = OperationOrder.STARTED,
        ascending: bool = False,
        after: Place | None = None,
        limit: int,
    ) -> OperationPage:
        """Operations that match, so many of them from a place on."""
        if order is OperationOrder.STARTED:
            return by_start(self._database, self._names, filter, after, limit, ascending=ascending)
        return by_value(self._database, self._names, filter, order, after, limit, ascending=ascending)

    def operation_counts(self, since_ns: int, until_ns: int) -> OperationCounts:
        """Operations that began in a time by kind and status."""
        return operation_counts(self._database, self._names, since_ns, until_ns)

    def is_more(self, since_ns: int, until_ns: int, parts: int) -> bool:
        """Whether more than so many parts of operations began in a time."""
        return operation_steps.is_more(self._database, since_ns, until_ns, parts)

    def operation_steps(self, since_ns: int, until_ns: int, step_ns: int) -> list[OperationStep]:
        """Operations that began in each step of a time by kind and status."""
        return operation_steps.operation_steps(self._database, self._names, since_ns, until_ns, step_ns)

    def host_work(self, host: str, since_ns: int, until_ns: int, *, limit: int) -> HostWork:
        """Calls of a time that went to a host or came from it."""
        return host_work(self._database, self._names, host, since_ns, until_ns, limit)

    def newest_of_kind(self, kind: str, limit: int) -> list[Operation]:
        """Parts of the operations that the newest parts of a kind belong to, newest first."""
        return newest_of_kind(self._database, self._names, kind, limit)

    def request_ids(self, ids: Collection[int]) -> dict[int, str]:
        """Request ids of operations by Operation.id."""
        return operation_query.request_ids(self._database, ids)

    def calls(
        self,
        *,
        operation_ids: Collection[int] | None = None,
        cause_ids: Collection[int] | None = None,
        since_ns: int | None = None,
        until_ns: int | None = None,
        limit: int | None = None,
    ) -> Iterator[Call]:
        """Closed and open calls by the first time known of them."""
        wanted = call_query.CallFilter(
            operation_ids=operation_ids, cause_ids=cause_ids, since_ns=since_ns, until_ns=until_ns, limit=limit
        )
        return call_query.calls(self._database, self._names, wanted)

    def open_calls(self) -> list[Call]:
        """Calls that were still open at their last batch."""
        return call_query.open_calls(self._database, call_query.CallFilter())

    def calls_by_id(self, ids: Collection[int]) -> dict[int, Call]:
        """Closed and open calls by id."""
        return account_query.calls_by_id(self._database, self._names, ids)

    def accounts(self, call_ids: Collection[int]) -> dict[int, list[Account]]:
        """What processes told of calls, by Call.id of the first part."""
        return account_query.accounts(self._database, self._names, call_ids)

    def newest_accounts(self, limit: int, *, recording_id: int | None = None) -> dict[int, list[Account]]:
        """The same of the calls that began last."""
        return account_query.newest_accounts(self._database, self._names, limit, recording_id)

    def notices(self, operation_ids: Collection[int], limit: int = 1_000) -> list[Noted]:
        """Notifications of operations."""
        return notice_query.notices(self._database, operation_ids, limit)

    def progress(self, operation_ids: Collection[int], limit: int = 10_000) -> list[ProgressSample]:
        """How far the migrations of operations were."""
        return notice_query.progress(self._database, operation_ids, limit)

    def progress_between(self, from_ns: int, to_ns: int, limit: int = 10_000) -> list[ProgressSample]:
        """How far all migrations were in a time."""
        return notice_query.progress_between(self._database, from_ns, to_ns, limit)

    def mark(self) -> Mark:
        """Where all that is stored now ends."""
        return follow_query.mark_now(self._database)

    def closed_since(self, mark: Mark, most: int) -> Closed:
        """Calls that were closed since a mark, and the mark behind them."""
        return follow_query.closed_since(self._database, self._names, mark, most)

    def operations_by_id(self, ids: Collection[int]) -> list[Operation]:
        """Parts with these ids."""
        return follow_query.operations_by_id(self._database, self._names, ids)

    def undelivered_calls(self, topics: Collection[str], since_ns: int, limit: int) -> tuple[list[Call], bool]:
        """Closed calls to topics that were never seen delivered, and whether these are all."""
        return waiting_query.undelivered(self._database, self._names, topics, since_ns, limit)

    def call_signs(self, since_ns: int, until_ns: int, blind: Sequence[tuple[int, int]] = ()) -> CallSigns:
        """Closed calls of a time added up by where they went and who took them."""
        return call_signs(self._database, self._names, since_ns, until_ns, blind)

    def marked_calls(
        self, since_ns: int, until_ns: int, *, flags: int = 0, outcomes: Collection[int] = (), limit: int
    ) -> list[Call]:
        """Closed calls with one of some flags or outcomes, the newest first."""
        return marked_calls(self._database, self._names, since_ns, until_ns, flags, outcomes, limit)

    def operation_kinds(self, ids: Collection[int]) -> dict[int, str]:
        """Kinds of operations by Operation.id."""
        return waiting_query.operation_kinds(self._database, self._names, ids)

    def method_totals(
        self,
        *,
        by: Literal["request", "cause"] = "request",
        kind: str | None = None,
        background: bool | None = None,
    ) -> list[MethodTotal]:
        """Totals by operation kind, call kind and method."""
        return total_query.method_totals(self._database, self._names, total_query.TotalFilter(by, kind, background))

    def recording_totals(self, recording_id: int) -> RecordingTotals:
        """How many operations and RPCs one recording began."""
        return total_query.recording_totals(self._database, recording_id)

    def traffic(self, from_ns: int, to_ns: int) -> Traffic:
        """Calls, casts and fanouts of a time by method, who sent them and who took them."""
        return traffic(self._database, self._names, from_ns, to_ns)

    def method_traffic(self, method: str, from_ns: int, to_ns: int) -> MethodTraffic:
        """Calls of one method in a time."""
        return method_traffic(self._database, self._names, method, from_ns, to_ns)

    def publish_counts(self, from_ns: int, to_ns: int, step_ns: int) -> PublishCounts:
        """Messages by the process that published them, in steps of a time."""
        return rate_query.publish_counts(self._database, from_ns, to_ns, step_ns)

    def queue_polls(self, until_ns: int | None = None) -> list[QueuePoll]:
        """The newest poll of each vhost of each recording."""
        return self._queues.polls(until_ns)

    def queues(self, from_ns: int, to_ns: int, *, starting: str = "") -> list[QueueSample]:
        """The newest sample of each queue in a time."""
        return self._queues.queues(from_ns, to_ns, starting)

    def queue_samples(self, from_ns: int, to_ns: int) -> Iterator[tuple[int, QueueSample]]:
        """All samples of queues of a time, each with its recording."""
        return sample_query.queue_samples(self._database, self._names, from_ns, to_ns)

    def queue_history(self, queue: str, from_ns: int, to_ns: int) -> list[QueueSample]:
        """Samples of one queue in a time."""
        return self._queues.history(queue, from_ns, to_ns)

    def families(self, from_ns: int, to_ns: int) -> list[FamilySample]:
        """Samples of families in a time."""
        return self._queues.families(from_ns, to_ns)

    def poll_steps(self, from_ns: int, to_ns: int, step_ns: int) -> list[PollStep]:
        """Looks at the queues of each vhost in steps of a time."""
        return self._depth.polls(from_ns, to_ns, step_ns)

    def family_names(self, from_ns: int, to_ns: int) -> list[str]:
        """Families that were sampled in a time, the deepest first."""
        return self._depth.families(from_ns, to_ns)

    def family_steps(self, from_ns: int, to_ns: int, step_ns: int, families: Collection[str]) -> list[QueueStep]:
        """Some families in steps of a time."""
        return self._depth.family_steps(from_ns, to_ns, step_ns, families)

    def family_sums(self, from_ns: int, to_ns: int, step_ns: int, without: Collection[str]) -> list[QueueStep]:
        """All other families together in steps of a time."""
        return self._depth.family_sums(from_ns, to_ns, step_ns, without)

    def queue_steps(self, from_ns: int, to_ns: int, step_ns: int, queues: Collection[str]) -> list[QueueStep]:
        """Some queues in steps of a time."""
        return self._depth.queue_steps(from_ns, to_ns, step_ns, queues)

    def deepest_queues(self, from_ns: int, to_ns: int, starting: str, limit: int) -> list[str]:
        """Queues by the most that lay in them in a time."""
        return self._depth.deepest(from_ns, to_ns, starting, limit)

    def abandoned_queues(self, from_ns: int, to_ns: int, limit: int) -> list[Abandoned]:
        """Queues whose newest sample of a time has no consumer."""
        return self._depth.abandoned(from_ns, to_ns, limit)

    def queue_types(self, from_ns: int, to_ns: int) -> list[QueueTypes]:
        """Queues that were sampled in a time, by type and durability."""
        return queue_types(self._database, self._names, from_ns, to_ns)

    def churn_steps(
        self, from_ns: int, to_ns: int, step_ns: int, *, starting: str = "", vhost: str = ""
    ) -> list[ChurnStep]:
        """What came and went in steps of a time."""
        return churn_steps(self._database, self._names, from_ns, to_ns, step_ns, starting=starting, vhost=vhost)

    def node_states(self, until_ns: int | None = None) -> list[NodeState]:
        """The newest state of each node."""
        return self._queues.nodes(until_ns)

    def churn(self, from_ns: int, to_ns: int, limit: int = 1_000) -> list[ChurnEvent]:
        """What came and went in a time."""
        return self._queues.churn(from_ns, to_ns, limit)

    def in_flight(self, from_ns: int, to_ns: int) -> dict[int, list[InFlightSample]]:
        """Samples of work in flight of a time by recording."""
        return self._flight.in_flight(from_ns, to_ns)

    def in_flight_samples(self, from_ns: int, to_ns: int) -> Iterator[tuple[int, InFlightSample]]:
        """All samples of work in flight of a time, each with its recording."""
        return sample_query.in_flight_samples(self._database, self._names, from_ns, to_ns)

    def phases(self, from_ns: int, to_ns: int) -> dict[int, list[TapPhase]]:
        """Phases of taps of a time by recording, the one it began in first."""
        return self._flight.phases(from_ns, to_ns)

    def triggers(self, since_id: int = 0) -> list[Trigger]:
        """Triggers with an id above one."""
        return self._flight.triggers(since_id)

    def layouts(self) -> dict[int, list[Layout]]:
        """The newest layout of each vhost by recording."""
        return self._flight.layouts()

    def runs(self, limit: int, before_id: int | None = None) -> list[Run]:
        """Runs of the emulator, the newest first."""
        return run_rows.runs(self._database, limit, before_id)

    def run(self, run_id: int) -> Run | None:
        """One run."""
        return run_rows.run_by_id(self._database, run_id)

    def recorded_kinds(self, recording_id: int, from_ns: int, to_ns: int) -> list[RecordedKind]:
        """Operations of a recording that began in a time, by kind and status."""
        return run_query.recorded_kinds(self._database, self._names, recording_id, from_ns, to_ns)

    def recorded_durations(self, recording_id: int, from_ns: int, to_ns: int) -> dict[str, list[int]]:
        """How long they took, by kind."""
        return run_query.recorded_durations(self._database, self._names, recording_id, from_ns, to_ns)

    def recorded_methods(self, recording_id: int, from_ns: int, to_ns: int) -> list[RecordedMethod]:
        """RPCs that they caused, by method."""
        return run_query.recorded_methods(self._database, self._names, recording_id, from_ns, to_ns)

    def health(self) -> list[RecorderHealth]:
        """What each recorder said last of itself."""
        return health_by_recording(self._database)

    def gap_totals(self) -> list[GapTotal]:
        """Gaps added up by recording and cause."""
        return gap_totals(self._database)

    def counts(self) -> dict[str, int]:
        """Rows of each table."""
        with self._database.reading() as connection:
            return table_counts(connection)

    def status(self) -> StoreStatus:
        """Revision, size and rows."""
        return database_status(self._database)
