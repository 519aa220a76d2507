"""How each recorder fares, as it last said so itself."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    measured = ("at_ns", "since_ns", "pid", "stored_ns", "events_milli", "backlog", "cpu_milli")
    unknown_at_times = ("lag_ns", "rss_bytes", "nodes_traced", "nodes")
    op.create_table(
        "recorder_health",
        sa.Column("recording_id", ID, primary_key=True, autoincrement=False),
        sa.Column("host", sa.String(255), nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in measured),
        *(sa.Column(name, sa.BigInteger) for name in unknown_at_times),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )
