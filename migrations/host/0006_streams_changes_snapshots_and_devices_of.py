"""Streams, changes, snapshots and devices of logs."""

import sqlalchemy as sa
from alembic import op

from host.fields import columns

revision = "0006_f0d694"
down_revision = "0005_4ef223"

# Refused without --allow-destructive.
downgrade_destructive = {
    "drop table host_stream": "SELECT count(*) FROM host_stream",
    "drop table host_snapshot": "SELECT count(*) FROM host_snapshot",
    "drop table host_device": "SELECT count(*) FROM host_device",
    "drop table host_change": "SELECT count(*) FROM host_change",
}


def upgrade() -> None:
    op.create_table(
        "host_change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event", columns.Uid(), nullable=False),
        sa.Column("resource", sa.String(120), nullable=False),
        sa.Column("aggregate", columns.Uid(), nullable=False),
        sa.Column("kind", sa.String(7), nullable=False),
        sa.Column("data", columns.Json(), nullable=False),
        sa.Column("at", columns.Instant(), nullable=False),
        sa.Column("received", columns.Instant(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("digest", sa.String(64), nullable=True),
        sa.Column("owner_id", columns.Uid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_host_change"),
        sa.UniqueConstraint("owner_id", "event", name="uq_host_change_owner_id_event"),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["host_account.id"], name="fk_host_change_owner_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint("kind IN ('created', 'updated', 'deleted', 'undo')", name="ck_host_change_kind"),
    )
    op.create_index("ix_host_change_owner_id_id", "host_change", ["owner_id", "id"], unique=False)
    op.create_index(
        "ix_host_change_owner_id_received", "host_change", ["owner_id", "received"], unique=False
    )
    op.create_index(
        "ix_host_change_owner_id_resource_aggregate_at",
        "host_change",
        ["owner_id", "resource", "aggregate", "at"],
        unique=False,
    )
    op.create_table(
        "host_device",
        sa.Column("log", sa.String(120), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("client", sa.String(128), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("pulled_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("log", "owner", "client", name="pk_host_device"),
    )
    op.create_table(
        "host_snapshot",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("log", sa.String(120), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("type", sa.String(120), nullable=False),
        sa.Column("aggregate", columns.Uid(), nullable=False),
        sa.Column("at", columns.Instant(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("state", columns.Json(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_host_snapshot"),
    )
    op.create_index(
        "ix_host_snapshot_log_owner_type_aggregate_at",
        "host_snapshot",
        ["log", "owner", "type", "aggregate", "at"],
        unique=False,
    )
    op.create_table(
        "host_stream",
        sa.Column("log", sa.String(120), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("received", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("log", "owner", name="pk_host_stream"),
    )


def downgrade() -> None:
    op.drop_table("host_stream")
    op.drop_table("host_snapshot")
    op.drop_table("host_device")
    op.drop_table("host_change")
