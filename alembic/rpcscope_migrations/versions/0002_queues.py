"""Queues over time, nodes, and what comes and goes on a broker."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
RATES = ("publish_milli", "deliver_milli", "ack_milli")


def upgrade() -> None:
    _table(
        "queue_poll",
        *_ids("recording_id", "at_ns", "vhost_id"),
        *_big("source_id"),
        *_int("queues"),
        *_big("took_ns", "own_cpu_ns", "interval_ns"),
        sa.Column("complete", sa.Boolean, nullable=False),
    )
    _table(
        "queue_sample",
        *_ids("recording_id", "at_ns", "vhost_id", "queue_id"),
        *_maybe("ready", "unacked"),
        sa.Column("consumers", sa.Integer),
        *_maybe("memory", *RATES),
        *_big("type_id", "node_id"),
        sa.Column("durable", sa.Boolean),
        *_big("state_id"),
    )
    _table(
        "queue_family_sample",
        *_ids("recording_id", "at_ns", "vhost_id", "family_id"),
        *_int("queues", "consumerless"),
        *_maybe("ready", "unacked", "consumers", "memory", *RATES),
    )
    _nodes()
    _churn()


def _nodes() -> None:
    _table(
        "node_state",
        *_ids("recording_id", "at_ns", "node_id"),
        sa.Column("running", sa.Boolean, nullable=False),
        *_maybe("mem_used", "mem_limit"),
        sa.Column("mem_alarm", sa.Boolean),
        *_maybe("disk_free", "disk_limit"),
        sa.Column("disk_alarm", sa.Boolean),
        sa.Column("partitions", sa.Text, nullable=False),
        sa.Column("blocked", sa.Integer),
    )


def _churn() -> None:
    _table(
        "churn_event",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        *_big("recording_id", "at_ns"),
        sa.Column("event", sa.SmallInteger, nullable=False),
        *_big("vhost_id", "queue_id"),
        sa.Column("connection", sa.String(255), nullable=False),
        sa.Column("client_name", sa.String(255), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_churn_event_at_ns", "churn_event", ["at_ns"])


def _table(name: str, *parts: sa.Column[Any], **options: Any) -> None:
    mysql: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
    op.create_table(name, *parts, **mysql, **options)


def _ids(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, ID, primary_key=True, autoincrement=False) for name in names]


def _big(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _maybe(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger) for name in names]


def _int(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Integer, nullable=False) for name in names]
