"""The words of rpcscope as types: what a tap sees, what is decoded, what is stored.

Times are integer nanoseconds since the epoch, UTC. Sizes are bytes. Records are frozen; nothing
here imports more than the standard library, so that every room may use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Any, TypeVar, dataclass_transform

_T = TypeVar("_T")

# ---------------------------------------------------------------- what a tap hands on


class Clock(IntEnum):
    """Which clock a time came from."""

    TAP = 0  # stamped by the tap when it read the event
    BROKER = 1  # RabbitMQ's message interceptor (timestamp_in_ms, 3.12 and later)
    HOST = 2  # of the processes themselves: no tap on the bus saw the call


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One raw sighting by a tap: in memory, a line of a capture file, later a datagram."""

    at_ns: int  # when the tap read it
    exchange: str  # of the trace message: amq.rabbitmq.trace, or "" for a marker
    routing_key: str  # publish.<exchange> | deliver.<queue> | the tap queue's name for a marker
    headers: Mapping[str, Any]  # the trace message's headers, as the broker sent them
    body: bytes  # the application's message body
    size: int  # bytes of the body on the wire; more than len(body) once scrubbed
    redelivered: bool = False  # the broker gave this event to the tap before
    seq: int = 0  # position in its source, from 1; 0 when unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One AMQP connection as the management API shows it."""

    name: str  # the broker's "ip:port -> ip:port"
    client_name: str  # connection_name of the client: program:pid:uuid
    peer_host: str  # address of the client
    node: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """One consumer as the management API shows it."""

    connection: str  # the broker's name of its connection
    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """A snapshot of who is connected and who consumes what."""

    at_ns: int  # 0 when the snapshot has no time of its own
    connections: tuple[Connection, ...]
    consumers: tuple[Consumer, ...]
    complete: bool = True  # every connection of the vhost is in it


class GapCause(IntEnum):
    """Why a tap was blind."""

    DROPPED = 0  # the bounded tap queue dropped its head
    DISCONNECTED = 1  # no connection to the broker
    NOT_TRACED = 2  # tracing was off on a node
    STORE = 3  # the database did not take it
    INSIDE = 4  # a tap inside a service could not tell all; taps on the broker are not touched by it


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A time in which a tap may have missed messages."""

    from_ns: int
    to_ns: int
    cause: GapCause
    estimate: int | None = None  # messages missed, when the broker's counters tell; None: unknown
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TapPhase:
    """From this time on a tap sees what its mode sees, until its next phase."""

    at_ns: int
    mode: str  # publish | control | full | bindings | off
    why: str = ""  # start, trigger: ..., ceiling: ..., duty cycle


PEEK_CHANNEL = 2011
"""AMQP channel by which rpcscope looks into a queue: a delivery to it took nothing. Services use the lowest numbers."""

NOTICE_CHANNEL = 2012
"""AMQP channel that a notification tap writes into what it took, so that it is known by which way it came."""


# ---------------------------------------------------------------- what the queue tap hands on


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSample:
    """One queue at one time. None is unknown, never zero."""

    at_ns: int
    vhost: str
    queue: str
    ready: int | None = None  # messages that wait
    unacked: int | None = None  # given to a consumer, not yet acknowledged
    consumers: int | None = None
    memory: int | None = None  # bytes of its process, as of the last poll that asked for it
    publish_rate: float | None = None  # messages a second; stored to a thousandth
    deliver_rate: float | None = None
    ack_rate: float | None = None
    type: str = ""  # classic | quorum | stream; "" unknown
    node: str = ""  # where its leader is
    durable: bool | None = None
    state: str = ""  # as the broker says; "gone" once a complete poll did not show it any more


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePoll:
    """One look at all queues of a vhost: from where, at what cost."""

    at_ns: int
    vhost: str
    source: str  # prometheus | management
    queues: int  # seen
    took_ns: int  # wall time of all requests: an upper bound of the broker's CPU time
    own_cpu_ns: int  # ours: asking and reading
    interval_ns: int  # until the next look
    complete: bool  # every node of the cluster is known to be in it


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSamples:
    """A poll with what it saw; names are as the broker sent them."""

    poll: QueuePoll
    samples: tuple[QueueSample, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeState:
    """One node of the broker: what makes it refuse work. None is unknown."""

    at_ns: int
    node: str
    running: bool
    mem_used: int | None = None  # bytes
    mem_limit: int | None = None
    mem_alarm: bool | None = None
    disk_free: int | None = None
    disk_limit: int | None = None
    disk_alarm: bool | None = None
    partitions: tuple[str, ...] = ()  # nodes that it lost sight of
    blocked: int | None = None  # connections held back by an alarm


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One exchange."""

    name: str
    kind: str  # topic, fanout, direct
    durable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One binding of a named exchange. What every queue has on the default exchange is left out."""

    exchange: str
    destination: str
    to_queue: bool  # False: to another exchange
    routing_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueConsumer:
    """A process that consumes a queue."""

    queue: str
    process: str  # Process.key: peer:program:pid, or the connection's name while no more is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Exchanges, bindings and consumers of a vhost at one time; a tap hands on names as the broker sent them."""

    at_ns: int
    vhost: str
    exchanges: tuple[Exchange, ...]
    bindings: tuple[Binding, ...]
    consumers: tuple[QueueConsumer, ...] = ()  # of the newest Topology; a tap leaves them out


class Churn(IntEnum):
    """What came or went on the broker."""

    QUEUE_CREATED = 0
    QUEUE_DELETED = 1
    CONNECTION_CREATED = 2
    CONNECTION_CLOSED = 3
    CONSUMER_CREATED = 4
    CONSUMER_DELETED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ChurnEvent:
    """One queue, connection or consumer that came or went."""

    at_ns: int  # the broker's clock
    event: Churn
    vhost: str  # "" when the broker does not say
    queue: str = ""  # of a queue or a consumer
    connection: str = ""  # "ip:port -> ip:port" of a connection
    client_name: str = ""  # connection_name of the client: program:pid:uuid


QueueSighting = QueueSamples | NodeState | Layout | ChurnEvent
"""What the queue taps yield."""

# ---------------------------------------------------------------- what decode makes of it


class Event(IntEnum):
    """What the broker traced."""

    PUBLISH = 0
    DELIVER = 1


class MessageKind(IntEnum):
    """What a message is, from the wire alone."""

    REQUEST = 0  # of a call: has _msg_id and _reply_q
    CAST = 1  # no reply wanted
    FANOUT = 2  # a cast to every server of a topic
    REPLY = 3  # ends its call
    HEARTBEAT = 4  # a reply with ending: false (call monitor)
    NOTIFICATION = 5


RPCS = (MessageKind.REQUEST, MessageKind.CAST, MessageKind.FANOUT)


class Outcome(IntEnum):
    """How a call ended. Casts, fanouts and notifications have NONE, and calls of a tap that sees no replies."""

    NONE = 0
    OK = 1
    FAILED = 2  # the server raised
    TIMED_OUT = 3  # the caller's time (expiration) ran out before the reply
    UNANSWERED = 4  # no reply seen; timeout unknown or not reached when recording ended
    PENDING = 5  # still waiting


class Side(IntEnum):
    """Whose part of an RPC."""

    CLIENT = 0
    SERVER = 1


@dataclass_transform(frozen_default=True)
def _checked_frozen(cls: type[_T]) -> type[_T]:
    """Frozen for the type checker alone: setting each field by a call would take three times as long."""
    return dataclass(slots=True, unsafe_hash=True)(cls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a notification tells of a server. "" and None: it does not say. Every string has passed `rpcscope.safe`."""

    publisher: str = ""  # nova-compute:compute-1
    host: str = ""  # that the server is on
    state: str = ""  # building, active, error
    task_state: str = ""  # spawning
    percent: int | None = None  # of a live migration, or of a task of the hypervisor


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a migration says of how far its copy is, in bytes. "" and None: it does not say."""

    migration: str = ""  # its uuid
    status: str = ""  # preparing, running, completed
    memory_total: int | None = None
    memory_processed: int | None = None  # sent so far; more than the total once pages are sent again
    memory_remaining: int | None = None
    disk_total: int | None = None
    disk_processed: int | None = None
    disk_remaining: int | None = None


@_checked_frozen
class Message:
    """One sighting of an oslo.messaging message: its publish, or one delivery of it.

    Field names are the wire's without the underscore. Every string has passed
    `rpcscope.decode.safe`: nothing else of the message leaves decode.
    """

    event: Event
    kind: MessageKind
    at_ns: int
    clock: Clock
    size: int  # bytes of the body
    unique_id: str  # 32 hex digits; made from the body where the wire has none (v1 notifications)
    connection: str  # publisher's (PUBLISH) or consumer's (DELIVER): "ip:port -> ip:port"
    channel: int
    exchange: str  # "" is the default exchange
    topic: str  # routing key without its server part; "" for fanouts
    server: str  # server part of the routing key, mostly a host; "" when there is none
    queue: str  # DELIVER: the queue it came from; "" for PUBLISH
    routed: int  # PUBLISH: queues it was routed to; -1 when unknown
    broker_redelivered: bool  # DELIVER: the service got it a second time
    tap_redelivered: bool  # the tap got this event a second time
    method: str  # object_action(Instance.save) for conductor indirection; event_type; "" for replies
    namespace: str
    version: str
    msg_id: str  # "" for casts, fanouts, notifications
    reply_q: str  # REQUEST: where the caller waits
    expiration_ms: int | None  # the caller's RPC timeout
    monitor_s: int | None  # the caller's call-monitor timeout (wire: _timeout)
    request_id: str  # "" in replies
    global_request_id: str
    project_id: str
    trace_id: str  # of traceparent; "" without
    instances: tuple[str, ...]  # uuids of servers it is about
    instance_host: str  # where the server it is about was, as its object says; "" when it does not
    facts: frozenset[str]  # what the rules' facts found in args: "recreate", "event:compute_..."
    failure: str  # class name of the exception a reply or a notification carries; "" when it carries none
    span_id: str = ""  # of traceparent; "" without
    notice: Notice | None = None  # NOTIFICATION: what it tells of a server; `failure` is the class that it names
    progress: Progress | None = None  # of the migration that it saves


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What a process itself told of one RPC, on one of its two sides.

    "" and None: it does not say. Several may come for one side; each tells more. Times are that host's wall
    clock, ns. Every string has passed `rpcscope.safe`.
    """

    source: str  # driver | otlp
    side: Side
    kind: MessageKind  # REQUEST, CAST, FANOUT, or NOTIFICATION of the driver
    at_ns: int  # when the tap got it, by our clock
    program: str
    pid: int
    host: str
    instance: str = ""  # one life of a process, where it says no pid: service.instance.id of spans
    unique_id: str = ""
    msg_id: str = ""
    request_id: str = ""
    global_request_id: str = ""
    method: str = ""
    namespace: str = ""
    version: str = ""
    exchange: str = ""
    topic: str = ""
    server: str = ""
    instances: tuple[str, ...] = ()
    facts: frozenset[str] = frozenset()
    sent_ns: int | None = None  # client: before it asks the pool for a connection
    confirmed_ns: int | None = None  # client: the broker confirmed the publish
    taken_ns: int | None = None  # client: the reply came back to the caller, or its time was over
    received_ns: int | None = None  # server: the message came out of the consumer callback
    started_ns: int | None = None  # server: a thread of the pool began to dispatch it
    ended_ns: int | None = None  # server: dispatch returned or raised
    replied_ns: int | None = None  # server: the reply's publish was confirmed
    outcome: Outcome = Outcome.NONE
    failure: str = ""
    request_bytes: int | None = None
    reply_bytes: int | None = None
    timeout_ms: int | None = None
    retries: int = 0
    reconnects: int = 0
    pool_wait_ns: int | None = None  # waiting for a pooled connection
    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str = ""


Sighting = Observation | Topology | Gap | Inside
"""What a source yields."""

LiveSighting = Sighting | TapPhase | QueueSighting
"""What the source of a recorder yields that watches a live broker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """A tap's own numbered message, or the broker's trace of one."""

    number: int  # 0 for the broker's trace of a marker
    sent_ns: int
    at_ns: int


# ---------------------------------------------------------------- what correlate makes of it


class Flag(IntFlag):
    """What is remarkable about a call."""

    LATE_REPLY = 1  # a reply came after the caller's time was over
    REDELIVERED = 2  # a service got it a second time
    REPUBLISHED = 4  # the publisher sent it again (same unique id)
    UNROUTABLE = 8  # no queue took it
    EXPECTED_FAILURE = 16  # FAILED, and the rules say that this is normal
    NO_REQUEST = 32  # only its reply or its delivery was seen
    EVICTED = 64  # closed early, because too many were open
    UNSEEN = 128  # the tap looked away while it was open: what became of it is unknown


class ParentSource(IntEnum):
    """How the parent of a call is known."""

    NONE = 0  # it has none, or none was found
    TRACEPARENT = 1  # by the trace context in the message
    INFERRED = 2  # by the rules of docs/pipeline.md


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One delivery of a message."""

    at_ns: int
    process: int  # Process.id of who got it; 0: unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One RPC as a whole (or one notification, or a reply without its request).

    Parts of one call, seen by different recorders or over a restart, have the same `unique_id`.
    """

    id: int  # unique in a store; see `Recording`
    kind: MessageKind
    outcome: Outcome
    flags: int  # Flag
    unique_id: str
    msg_id: str
    operation_id: int  # Operation.id by request id; 0: none (a reply without its request)
    cause_id: int  # Operation.id by cause: the operation that made it happen
    parent_id: int  # Call.id of the request whose handling caused it; 0: none
    parent_unique_id: str
    parent_source: ParentSource
    method: str
    namespace: str
    version: str
    exchange: str
    topic: str
    server: str  # of the routing key
    from_process: int  # Process.id; 0: unknown
    to_process: int  # who worked on it: the first consumer that got it
    published_ns: int | None  # None: publish not seen
    delivered_ns: int | None  # first delivery
    replied_ns: int | None  # publish of the reply that ends it
    reply_delivered_ns: int | None
    last_ns: int  # last event seen of it
    expiration_ms: int | None
    clock: Clock
    publishes: int  # of the request itself; more than 1 when the publisher tried again
    replies: int
    heartbeats: int
    copies: int  # deliveries seen: of the request, its replies and heartbeats
    request_bytes: int  # of the publishes
    reply_bytes: int  # of replies and heartbeats published
    routed: int  # queues the publish was routed to; -1: unknown
    failure: str  # class name
    trace_context: str = ""  # of traceparent: trace id-span id, or trace id- where that is all; "" without
    more_copies: tuple[Copy, ...] = ()  # of a cast, fanout or notification after the first; no more than MOST_COPIES
    closed: bool = True  # False: something is still expected of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """All that one process told through one source of its side of one call.

    Times are its host's wall clock, ns, with the meaning that they have in `Inside`. None: not told.
    """

    call_id: int  # Call.id of the first part of the call
    side: Side
    process: int  # Process.id
    source: str  # driver | otlp
    host: str  # whose clock it is
    at_ns: int  # when the tap got the last of it, by our clock
    sent_ns: int | None = None
    confirmed_ns: int | None = None
    taken_ns: int | None = None
    received_ns: int | None = None
    started_ns: int | None = None
    ended_ns: int | None = None
    replied_ns: int | None = None
    outcome: Outcome = Outcome.NONE
    failure: str = ""
    request_bytes: int | None = None
    reply_bytes: int | None = None
    timeout_ms: int | None = None
    retries: int = 0
    reconnects: int = 0
    pool_wait_ns: int | None = None
    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str = ""

    @property
    def was_answered(self) -> bool:
        """It came to its end by a reply, as far as is told."""
        return self.outcome in (Outcome.OK, Outcome.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """A notification of an operation, with what it tells."""

    call_id: int  # Call.id
    operation_id: int  # Operation.id
    unique_id: str  # of the notification: several recordings may have seen it
    at_ns: int
    event: str  # instance.create.error
    instance: str  # uuid of the server; "" when it names none
    failure: str  # class of the exception
    notice: Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressSample:
    """How far a migration was at one time."""

    call_id: int  # Call.id of the message that says it
    operation_id: int
    unique_id: str  # of the message
    at_ns: int
    instance: str
    progress: Progress


MOST_COPIES = 64
"""Deliveries of one message that are kept one by one; all are counted."""


class Status(IntEnum):
    """Where an operation stands. Which of STUCK and RUNNING holds is decided when it is read."""

    UNKNOWN = 0  # no rule says how it ends, or its beginning was not seen
    RUNNING = 1
    DONE = 2
    FAILED = 3
    STUCK = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts of messages. `messages` = the six kinds added up."""

    calls: int = 0
    casts: int = 0
    fanouts: int = 0
    replies: int = 0
    heartbeats: int = 0
    notifications: int = 0
    copies: int = 0  # deliveries seen
    bytes: int = 0  # body bytes of the publishes

    @property
    def messages(self) -> int:
        """Publishes of every kind."""
        return self.calls + self.casts + self.fanouts + self.replies + self.heartbeats + self.notifications

    @property
    def rpcs(self) -> int:
        """Calls, casts and fanouts."""
        return self.calls + self.casts + self.fanouts


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What one recorder saw of one request id. Parts of an operation share the request id."""

    id: int
    request_id: str  # "" gathers replies whose request was never seen
    global_request_id: str
    kind: str  # nova's instance-action name, or periodic:..., startup:...; "" while unknown
    kind_rank: int  # how sure the kind is; the highest wins when parts are merged
    background: bool
    status: Status  # DONE, FAILED, RUNNING (something is owed) or UNKNOWN
    error: str  # class name of what made it fail
    instances: tuple[str, ...]
    source_host: str
    dest_host: str
    project_id: str
    started_ns: int
    last_ns: int  # last event of it
    finished_ns: int | None
    complete: bool  # its first message was seen
    by_request: Tally  # of messages that carry the request id, and their replies
    by_cause: Tally  # of messages that this operation made happen, whatever id they carry
    owed_call: int  # Call.id of the step it waits for; 0: none
    owed_method: str
    owed_process: int  # Process.id that has it in hand; 0: nobody took it from its queue
    owed_host: str  # host that owes it
    owed_since_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process on the bus."""

    id: int
    key: str  # peer:program:pid, or a connection's name while no more is known
    program: str  # basename of argv[0]: nova-compute, gunicorn; "" unknown
    pid: int  # 0 unknown
    peer: str  # address
    host: str  # as its queues say: compute.<host>; "" unknown
    role: str  # topic it consumes: conductor, compute; "" for a client
    seen_ns: int
    gone_ns: int | None  # a later snapshot did not show it any more


# ---------------------------------------------------------------- what is stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One run of a recorder or one imported file. Ids of its calls, operations and processes
    are `id << 40 | n`, so that recorders that share a store never meet."""

    id: int  # given by the store
    source: str  # "file", "firehose"
    scope: str  # what may continue it: the broker, vhost and queue of a tap; "file" for files
    digest: str  # sha256 of an imported file; "" for taps
    label: str  # file name or vhost
    tap_mode: str  # publish | control | full | bindings | ""
    conditions: str  # what the user said of it: release, driver, workers
    started_ns: int
    ended_ns: int | None  # last event, once it ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """seen = decoded + rejected + markers + topologies; decoded = messages' sightings + duplicates."""

    seen: int = 0
    decoded: int = 0
    rejected: int = 0
    duplicates: int = 0
    markers: int = 0
    messages: int = 0  # publishes counted
    copies: int = 0  # deliveries counted
    evicted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilySample:
    """The queues of one family at one time, added up. None: unknown of all of them."""

    at_ns: int
    vhost: str
    family: str  # reply_*, compute.*, scheduler_fanout_*
    queues: int
    consumerless: int  # queues that are known to have no consumer
    ready: int | None = None
    unacked: int | None = None
    consumers: int | None = None
    memory: int | None = None
    publish_rate: float | None = None
    deliver_rate: float | None = None
    ack_rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlightSample:
    """Requests of one method that one process has in hand, or that nobody took from one queue yet.

    Stored when a number changes; a count of 0 ends what was there before.
    """

    at_ns: int
    process: int  # Process.id; 0: nobody took them
    queue: str  # topic or topic.server while nobody took them; "" once a process has them
    method: str
    count: int
    oldest_ns: int  # when the oldest was delivered, or published while nobody took it; 0 with a count of 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one transaction writes. After it is committed the tap may acknowledge."""

    recording_id: int
    calls: tuple[Call, ...] = ()  # closed: appended
    open_calls: tuple[Call, ...] = ()  # still open: replace what was stored of them
    settled: tuple[int, ...] = ()  # ids of calls that were stored open and are no longer
    operations: tuple[Operation, ...] = ()  # inserted or replaced by id
    processes: tuple[Process, ...] = ()  # inserted or replaced by id
    gaps: tuple[Gap, ...] = ()
    fingerprints: bytes = b""  # 8 bytes for each event of the batch, for recognising redeliveries
    position: int = 0  # observations of the source that are now stored
    counters: Counters = field(default_factory=Counters)  # of the recording so far
    last_ns: int = 0
    ended: bool = False
    queue_polls: tuple[QueuePoll, ...] = ()
    queue_samples: tuple[QueueSample, ...] = ()  # of queues that changed
    family_samples: tuple[FamilySample, ...] = ()  # every family of every poll
    node_states: tuple[NodeState, ...] = ()
    churn: tuple[ChurnEvent, ...] = ()
    layouts: tuple[Layout, ...] = ()  # each replaces the one of its vhost
    phases: tuple[TapPhase, ...] = ()
    in_flight: tuple[InFlightSample, ...] = ()  # of what changed
    accounts: tuple[Account, ...] = ()  # of what changed: what they tell goes to what was stored of them
    notices: tuple[Noted, ...] = ()  # inserted or replaced by call id
    progress: tuple[ProgressSample, ...] = ()  # inserted or replaced by call id


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """What a recorder loads when it starts again."""

    recording: Recording
    position: int  # where the source goes on; 0 at the beginning
    counters: Counters
    open_calls: tuple[Call, ...]
    operations: tuple[Operation, ...]  # unfinished foreground operations, and those of open calls
    processes: tuple[Process, ...]
    fingerprints: bytes  # of the last events stored
    next_ids: int = 1  # first free n of `recording.id << 40 | n`
