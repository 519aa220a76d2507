"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import MEDIUMBLOB

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
BLOB = sa.LargeBinary().with_variant(MEDIUMBLOB(), "mysql")
TALLY = ("calls", "casts", "fanouts", "replies", "heartbeats", "notifications", "copies", "bytes")


def upgrade() -> None:
    _names()
    _recordings()
    _calls()
    _operations()


def _names() -> None:
    meta = _table("rpcscope_meta", sa.Column("key", sa.String(64), primary_key=True), _text("value"))
    op.bulk_insert(meta, [{"key": "program", "value": "rpcscope"}, {"key": "names_epoch", "value": "0"}])
    _table(
        "name",
        _number(),
        sa.Column("hash", sa.String(32), nullable=False),
        _text("text"),
        *_big("epoch"),
        sa.UniqueConstraint("hash", name="uq_name_hash"),
        sqlite_autoincrement=True,
    )


def _recordings() -> None:
    _table(
        "recording",
        _number(),
        _text("source"),
        _text("scope"),
        sa.Column("digest", sa.String(255)),
        _text("label"),
        _text("tap_mode"),
        sa.Column("conditions", sa.Text, nullable=False),
        *_big("started_ns"),
        *_maybe("ended_ns"),
        *_big("last_ns", "position", "batches"),
        *_big("seen", "decoded", "rejected", "duplicates", "markers", "messages", "copies", "evicted"),
        sa.UniqueConstraint("digest", name="uq_recording_digest"),
        sqlite_autoincrement=True,
    )
    _table(
        "gap",
        _number(),
        *_big("recording_id", "from_ns", "to_ns"),
        *_small("cause"),
        *_maybe("estimate"),
        sa.Column("note", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    _table("tap_fingerprint", _id("recording_id"), _id("position"), _blob("fingerprints"))
    _table(
        "process",
        _id(),
        _text("key"),
        *_big("program_id", "pid"),
        _text("peer"),
        *_big("host_id", "role_id", "seen_ns"),
        *_maybe("gone_ns"),
    )


def _calls() -> None:
    _table(
        "call",
        _id(),
        *_small("kind", "outcome"),
        *_int("flags"),
        _text("unique_id"),
        _text("msg_id"),
        *_big("operation_id", "cause_id", "parent_id"),
        _text("parent_unique_id"),
        *_small("parent_source"),
        *_big("method_id", "namespace_id", "version_id", "exchange_id", "topic_id", "server_id"),
        *_big("from_process", "to_process", "first_ns"),
        *_maybe("published_ns", "delivered_ns", "replied_ns", "reply_delivered_ns"),
        *_big("last_ns"),
        *_maybe("expiration_ms"),
        *_small("clock"),
        *_int("publishes", "replies", "heartbeats", "copies"),
        *_big("request_bytes", "reply_bytes"),
        *_int("routed"),
        *_big("failure_id"),
    )
    for column in ("operation_id", "cause_id", "first_ns"):
        op.create_index(f"ix_call_{column}", "call", [column])
    _table("open_message", _id(), _text("msg_id"), *_big("operation_id", "cause_id", "since"), _blob("blob"))


def _operations() -> None:
    _table(
        "operation_part",
        _id(),
        _text("request_id"),
        _text("global_request_id"),
        *_big("kind_id"),
        *_int("kind_rank"),
        sa.Column("background", sa.Boolean, nullable=False),
        *_small("status"),
        *_big("error_id"),
        _blob("instances"),
        *_big("source_host_id", "dest_host_id"),
        _text("project_id"),
        *_big("started_ns", "last_ns"),
        *_maybe("finished_ns"),
        sa.Column("complete", sa.Boolean, nullable=False),
        *_big(*(f"{by}_{word}" for by in "rc" for word in TALLY)),
        *_big("owed_call", "owed_method_id", "owed_process", "owed_host_id"),
        *_maybe("owed_since_ns"),
    )
    op.create_index("ix_operation_part_request_id", "operation_part", ["request_id"])
    op.create_index("ix_operation_part_kind_started", "operation_part", ["kind_id", "started_ns"])
    op.create_index("ix_operation_part_started_ns", "operation_part", ["started_ns"])
    _table("operation_instance", _id("operation_id"), sa.Column("instance", sa.String(255), primary_key=True))
    op.create_index("ix_operation_instance_instance", "operation_instance", ["instance"])


def _table(name: str, *parts: sa.Column[Any] | sa.UniqueConstraint, **options: Any) -> sa.Table:
    mysql: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
    return op.create_table(name, *parts, **mysql, **options)


def _number() -> sa.Column[Any]:
    return sa.Column("id", ID, primary_key=True, autoincrement=True)


def _id(name: str = "id") -> sa.Column[Any]:
    return sa.Column(name, ID, primary_key=True, autoincrement=False)


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.String(255), nullable=False)


def _blob(name: str) -> sa.Column[Any]:
    return sa.Column(name, BLOB, nullable=False)


def _big(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _maybe(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger) for name in names]


def _int(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Integer, nullable=False) for name in names]


def _small(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.SmallInteger, nullable=False) for name in names]
