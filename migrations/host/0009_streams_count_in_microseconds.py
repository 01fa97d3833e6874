"""Streams count in microseconds."""

from alembic import op

revision = "0009_6c027d"
down_revision = "0008_2294b1"


def upgrade() -> None:
    op.drop_index("ix_host_snapshot_log_owner_type_aggregate_at", table_name="host_snapshot")
    op.create_index(
        "ix_host_snapshot_log_owner_type_aggregate_sequence",
        "host_snapshot",
        ["log", "owner", "type", "aggregate", "sequence"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index("ix_host_snapshot_log_owner_type_aggregate_sequence", table_name="host_snapshot")
    op.create_index(
        "ix_host_snapshot_log_owner_type_aggregate_at",
        "host_snapshot",
        ["log", "owner", "type", "aggregate", "at"],
        unique=False,
    )
