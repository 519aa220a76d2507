"""The tables of the store: SQLAlchemy metadata that every query uses and every migration must arrive at.

Rows of `call`, `operation_part` and `process` carry the ids of the model (`recording.id << 40 | n`). Times are
integer nanoseconds since the epoch, UTC; sizes are bytes; 0 as the id of a name is the empty text.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.mysql import MEDIUMBLOB, MEDIUMTEXT

TEXT_LENGTH = 255
LABEL_LENGTH = 64
TALLY = ("calls", "casts", "fanouts", "replies", "heartbeats", "notifications", "copies", "bytes")

# A plain BLOB of MariaDB ends at 64 kB.
BLOB = LargeBinary().with_variant(MEDIUMBLOB(), "mysql")
LONG_TEXT = Text().with_variant(MEDIUMTEXT(), "mysql")
# INTEGER makes SQLite use the id as the row's own number, instead of a second tree beside it.
ID = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()


def _id(name: str = "id") -> Column[int]:
    return Column(name, ID, primary_key=True, autoincrement=False)


def _big(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _int(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, Integer, nullable=nullable)


def _small(name: str) -> Column[int]:
    return Column(name, SmallInteger, nullable=False)


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, String(TEXT_LENGTH), nullable=nullable)


def _blob(name: str) -> Column[bytes]:
    return Column(name, BLOB, nullable=False)


def _long(name: str) -> Column[str]:
    return Column(name, LONG_TEXT, nullable=False)


def _table(
    name: str, *parts: Column[int] | Column[str] | Column[bytes] | Column[bool] | Index | UniqueConstraint
) -> Table:
    # Ids of numbered tables are never given twice, so that readers may remember what a name's id means.
    return Table(
        name,
        metadata,
        *parts,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        sqlite_autoincrement=name in {"name", "recording", "gap", "churn_event", "tap_phase", "flight_trigger", "run"},
    )


rpcscope_meta = _table(
    "rpcscope_meta",
    Column("key", String(64), primary_key=True),
    _text("value"),
)

name = _table(
    "name",
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("hash", String(32), nullable=False),
    _text("text"),
    _big("epoch"),  # the epoch of names in which a writer last looked it up; see prune.py
    UniqueConstraint("hash", name="uq_name_hash"),
)

recording = _table(
    "recording",
    Column("id", ID, primary_key=True, autoincrement=True),
    _text("source"),
    _text("scope"),
    _text("digest", nullable=True),  # NULL for taps, so that digests are unique
    _text("label"),
    _text("tap_mode"),
    Column("conditions", Text, nullable=False),
    _big("started_ns"),
    _big("ended_ns", nullable=True),
    _big("last_ns"),
    _big("position"),
    _big("batches"),  # batches written; tells whether a batch in doubt is stored
    *(_big(counter) for counter in ("seen", "decoded", "rejected", "duplicates")),
    *(_big(counter) for counter in ("markers", "messages", "copies", "evicted")),
    UniqueConstraint("digest", name="uq_recording_digest"),
)

recording_label = _table(
    "recording_label",
    _id("recording_id"),
    Column("key", String(LABEL_LENGTH), primary_key=True),
    _text("value"),
)

process = _table(
    "process",
    _id(),
    _text("key"),
    _big("program_id"),
    _big("pid"),
    _text("peer"),
    _big("host_id"),
    _big("role_id"),
    _big("seen_ns"),
    _big("gone_ns", nullable=True),
)

# No index on unique_id or msg_id: an index on random ids makes inserts several times slower.
call = _table(
    "call",
    _id(),
    _small("kind"),
    _small("outcome"),
    _int("flags"),
    _text("unique_id"),
    _text("msg_id"),
    _big("operation_id"),
    _big("cause_id"),
    _big("parent_id"),
    _text("parent_unique_id"),
    _small("parent_source"),
    _big("method_id"),
    _big("namespace_id"),
    _big("version_id"),
    _big("exchange_id"),
    _big("topic_id"),
    _big("server_id"),
    _big("from_process"),
    _big("to_process"),
    _big("first_ns"),  # the first time known of it: published, else what was seen first; calls are ordered by it
    _big("published_ns", nullable=True),
    _big("delivered_ns", nullable=True),
    _big("replied_ns", nullable=True),
    _big("reply_delivered_ns", nullable=True),
    _big("last_ns"),
    _big("expiration_ms", nullable=True),
    _small("clock"),
    *(_int(count) for count in ("publishes", "replies", "heartbeats", "copies")),
    _big("request_bytes"),
    _big("reply_bytes"),
    _int("routed"),
    _big("failure_id"),
    _text("trace_context", nullable=True),
    Column("more_copies", BLOB, nullable=True),  # msgpack list of [at_ns, process]
    Index("ix_call_operation_id", "operation_id"),
    Index("ix_call_cause_id", "cause_id"),
    Index("ix_call_first_ns", "first_ns"),
)

# What processes told of their sides of calls: a row for each side, process and source.
INSIDE_TIMES = ("sent", "confirmed", "taken", "received", "started", "ended", "replied")

call_account = _table(
    "call_account",
    _id("call_id"),
    Column("side", SmallInteger, primary_key=True, autoincrement=False),
    _id("process_id"),
    Column("source", String(16), primary_key=True),
    _big("host_id"),
    _big("at_ns"),
    *(_big(f"{word}_ns", nullable=True) for word in INSIDE_TIMES),
    _small("outcome"),
    _big("failure_id"),
    _big("request_bytes", nullable=True),
    _big("reply_bytes", nullable=True),
    _big("timeout_ms", nullable=True),
    _int("retries"),
    _int("reconnects"),
    _big("pool_wait_ns", nullable=True),
    _text("trace_id", nullable=True),
    _text("span_id", nullable=True),
    _text("parent_span_id", nullable=True),
)

# What notifications tell, and how far migrations say that they are: few rows, so their texts are beside them.
SIZES = ("memory_total", "memory_processed", "memory_remaining", "disk_total", "disk_processed", "disk_remaining")

notice = _table(
    "notice",
    _id("call_id"),
    *(_big(number) for number in ("operation_id", "at_ns")),
    *(_text(word) for word in ("unique_id", "instance")),
    *(_text(word) for word in ("event", "publisher", "host", "state", "task_state", "failure")),
    _int("percent", nullable=True),
    Index("ix_notice_operation_id", "operation_id"),
)

migration_progress = _table(
    "migration_progress",
    _id("call_id"),
    *(_big(number) for number in ("operation_id", "at_ns")),
    *(_text(word) for word in ("unique_id", "instance", "migration", "status")),
    *(_big(size, nullable=True) for size in SIZES),
    Index("ix_migration_progress_operation_id", "operation_id"),
    Index("ix_migration_progress_at_ns", "at_ns"),
)

open_message = _table(
    "open_message",
    _id(),
    _text("msg_id"),
    _big("operation_id"),
    _big("cause_id"),
    _big("since"),  # first_ns of the call
    _blob("blob"),  # the whole Call, in msgpack
)

operation_part = _table(
    "operation_part",
    _id(),
    _text("request_id"),
    _text("global_request_id"),
    _big("kind_id"),
    _int("kind_rank"),
    Column("background", Boolean, nullable=False),
    _small("status"),
    _big("error_id"),
    _blob("instances"),  # msgpack list of texts, in their order
    _big("source_host_id"),
    _big("dest_host_id"),
    _text("project_id"),
    _big("started_ns"),
    _big("last_ns"),
    _big("finished_ns", nullable=True),
    Column("complete", Boolean, nullable=False),
    *(_big(f"r_{word}") for word in TALLY),
    *(_big(f"c_{word}") for word in TALLY),
    _big("owed_call"),
    _big("owed_method_id"),
    _big("owed_process"),
    _big("owed_host_id"),
    _big("owed_since_ns", nullable=True),
    Index("ix_operation_part_request_id", "request_id"),
    Index("ix_operation_part_global_request_id", "global_request_id"),
    Index("ix_operation_part_kind_started", "kind_id", "started_ns"),
    Index("ix_operation_part_started_ns", "started_ns"),
)

operation_instance = _table(
    "operation_instance",
    _id("operation_id"),
    Column("instance", String(TEXT_LENGTH), primary_key=True),
    Index("ix_operation_instance_instance", "instance"),
)

gap = _table(
    "gap",
    Column("id", ID, primary_key=True, autoincrement=True),
    _big("recording_id"),
    _big("from_ns"),
    _big("to_ns"),
    _small("cause"),
    _big("estimate", nullable=True),
    Column("note", Text, nullable=False),
)

# What a recorder says of itself every few seconds; its newest word replaces the one before.
recorder_health = _table(
    "recorder_health",
    _id("recording_id"),
    _text("host"),
    _big("at_ns"),
    _big("since_ns"),
    _big("pid"),
    _big("stored_ns"),
    _big("events_milli"),  # events in 1,000 seconds
    _big("backlog"),
    _big("cpu_milli"),  # thousandths of a core
    _big("lag_ns", nullable=True),
    _big("rss_bytes", nullable=True),
    _big("nodes_traced", nullable=True),
    _big("nodes", nullable=True),
)

tap_fingerprint = _table(
    "tap_fingerprint",
    _id("recording_id"),
    _id("position"),  # events of the recording with a fingerprint, up to the end of this row
    _blob("fingerprints"),
)

# What is sampled has the time in its key, behind the recording: rows are appended, read and removed in this order.
RATES = ("publish", "deliver", "ack")

queue_poll = _table(
    "queue_poll",
    _id("recording_id"),
    _id("at_ns"),
    _id("vhost_id"),
    _big("source_id"),
    _int("queues"),
    _big("took_ns"),
    _big("own_cpu_ns"),
    _big("interval_ns"),
    Column("complete", Boolean, nullable=False),
)

queue_sample = _table(
    "queue_sample",
    _id("recording_id"),
    _id("at_ns"),
    _id("vhost_id"),
    _id("queue_id"),
    _big("ready", nullable=True),
    _big("unacked", nullable=True),
    _int("consumers", nullable=True),
    _big("memory", nullable=True),
    *(_big(f"{word}_milli", nullable=True) for word in RATES),  # messages in 1,000 seconds
    _big("type_id"),
    _big("node_id"),
    Column("durable", Boolean, nullable=True),
    _big("state_id"),
)

queue_family_sample = _table(
    "queue_family_sample",
    _id("recording_id"),
    _id("at_ns"),
    _id("vhost_id"),
    _id("family_id"),
    _int("queues"),
    _int("consumerless"),
    _big("ready", nullable=True),
    _big("unacked", nullable=True),
    _big("consumers", nullable=True),
    _big("memory", nullable=True),
    *(_big(f"{word}_milli", nullable=True) for word in RATES),
)

node_state = _table(
    "node_state",
    _id("recording_id"),
    _id("at_ns"),
    _id("node_id"),
    Column("running", Boolean, nullable=False),
    _big("mem_used", nullable=True),
    _big("mem_limit", nullable=True),
    Column("mem_alarm", Boolean, nullable=True),
    _big("disk_free", nullable=True),
    _big("disk_limit", nullable=True),
    Column("disk_alarm", Boolean, nullable=True),
    Column("partitions", Text, nullable=False),  # names of nodes, by spaces
    _int("blocked", nullable=True),
)

churn_event = _table(
    "churn_event",
    Column("id", ID, primary_key=True, autoincrement=True),
    _big("recording_id"),
    _big("at_ns"),
    _small("event"),
    _big("vhost_id"),
    _big("queue_id"),
    _text("connection"),
    _text("client_name"),
    Index("ix_churn_event_at_ns", "at_ns"),
)

in_flight_sample = _table(
    "in_flight_sample",
    _id("recording_id"),
    _id("at_ns"),
    _id("process_id"),
    _id("queue_id"),
    _id("method_id"),
    _big("requests"),
    _big("oldest_ns"),
)

tap_phase = _table(
    "tap_phase",
    Column("id", ID, primary_key=True, autoincrement=True),
    _big("recording_id"),
    _big("at_ns"),
    _text("mode"),
    _text("why"),
)

# Details that somebody asked the recorders for.
flight_trigger = _table(
    "flight_trigger",
    Column("id", ID, primary_key=True, autoincrement=True),
    _big("at_ns"),
    _text("name"),
    _text("why"),
    _big("minutes_milli"),  # thousandths of a minute
    _big("taken_ns", nullable=True),
)

layout = _table(
    "layout",
    _id("recording_id"),
    _id("vhost_id"),
    _big("at_ns"),
    _blob("blob"),
)

# Runs of the emulator; what they put on the bus is what is recorded of their vhost.
run = _table(
    "run",
    Column("id", ID, primary_key=True, autoincrement=True),
    _text("label"),
    _text("what"),
    _text("vhost"),
    _small("state"),
    _big("started_ns"),
    _big("heard_ns"),
    _big("ended_ns", nullable=True),
    _long("asked"),  # JSON, as the two below
    _long("expected"),
    _long("outcome"),
)
