"""What notifications tell of servers, and how far migrations are."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
SIZES = ("memory_total", "memory_processed", "memory_remaining", "disk_total", "disk_processed", "disk_remaining")


def upgrade() -> None:
    _told("notice", *_texts("event", "publisher", "host", "state", "task_state", "failure"), _percent())
    _told("migration_progress", *_texts("migration", "status"), *_sizes())
    op.create_index("ix_migration_progress_at_ns", "migration_progress", ["at_ns"])


def _told(name: str, *parts: sa.Column[Any]) -> None:
    op.create_table(
        name,
        sa.Column("call_id", ID, primary_key=True, autoincrement=False),
        *(sa.Column(word, sa.BigInteger(), nullable=False) for word in ("operation_id", "at_ns")),
        *_texts("unique_id", "instance"),
        *parts,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )
    op.create_index(f"ix_{name}_operation_id", name, ["operation_id"])


def _texts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.String(255), nullable=False) for name in names]


def _percent() -> sa.Column[Any]:
    return sa.Column("percent", sa.Integer(), nullable=True)


def _sizes() -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger(), nullable=True) for name in SIZES]
