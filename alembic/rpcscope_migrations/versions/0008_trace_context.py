"""Which span of oslo.messaging's own tracing sent a message, and each delivery of it after the first."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import MEDIUMBLOB

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("call", sa.Column("trace_context", sa.String(255), nullable=True))
    op.add_column("call", sa.Column("more_copies", sa.LargeBinary().with_variant(MEDIUMBLOB(), "mysql"), nullable=True))
