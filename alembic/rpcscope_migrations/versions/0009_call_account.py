"""What processes themselves told of their sides of calls."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "call_account",
        _key("call_id", ID),
        _key("side", sa.SmallInteger()),
        _key("process_id", ID),
        _key("source", sa.String(16)),
        *(_number(name) for name in ("host_id", "at_ns")),
        *(
            _number(f"{word}_ns", nullable=True)
            for word in ("sent", "confirmed", "taken", "received", "started", "ended", "replied")
        ),
        sa.Column("outcome", sa.SmallInteger(), nullable=False),
        _number("failure_id"),
        *(_number(name, nullable=True) for name in ("request_bytes", "reply_bytes", "timeout_ms")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("retries", "reconnects")),
        _number("pool_wait_ns", nullable=True),
        *(sa.Column(name, sa.String(255), nullable=True) for name in ("trace_id", "span_id", "parent_span_id")),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def _key(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def _number(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)
