"""Operations are found by their global request id, too."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_index("ix_operation_part_global_request_id", "operation_part", ["global_request_id"])
