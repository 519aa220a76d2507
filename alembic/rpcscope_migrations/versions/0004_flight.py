"""Work in flight, the phases of a tap, who asked for details, and the newest layout of each vhost."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import MEDIUMBLOB

revision = "0004"
down_revision = "0003"

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
BLOB = sa.LargeBinary().with_variant(MEDIUMBLOB(), "mysql")


def upgrade() -> None:
    _table(
        "in_flight_sample",
        *_ids("recording_id", "at_ns", "process_id", "queue_id", "method_id"),
        *_big("requests", "oldest_ns"),
    )
    _table("tap_phase", _number(), *_big("recording_id", "at_ns"), *_texts("mode", "why"), sqlite_autoincrement=True)
    _table(
        "flight_trigger",
        _number(),
        *_big("at_ns"),
        *_texts("name", "why"),
        *_big("minutes_milli"),
        sa.Column("taken_ns", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    _table("layout", *_ids("recording_id", "vhost_id"), *_big("at_ns"), sa.Column("blob", BLOB, nullable=False))


def _table(name: str, *parts: sa.Column[Any], **options: Any) -> None:
    mysql: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
    op.create_table(name, *parts, **mysql, **options)


def _number() -> sa.Column[Any]:
    return sa.Column("id", ID, primary_key=True, autoincrement=True)


def _ids(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, ID, primary_key=True, autoincrement=False) for name in names]


def _big(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _texts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.String(255), nullable=False) for name in names]
