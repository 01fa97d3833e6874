# ruff: noqa: E501
"""The order of events, and webhooks."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

from host.fields import columns

revision = "0007_14cc42"
down_revision = "0006_f0d694"

# Refused without --allow-destructive.
destructive = {
    "drop column host_stream.received": "SELECT count(*) FROM host_stream WHERE received IS NOT NULL",
}

# Cannot run while such rows exist.
impossible_with_rows = {
    "add required column host_stream.next: give it a default, or fill it in a revision of your own": "SELECT count(*) FROM host_stream",
}

# Refused without --allow-destructive.
downgrade_destructive = {
    "drop column host_stream.next": "SELECT count(*) FROM host_stream WHERE next IS NOT NULL",
    "drop table host_webhook": "SELECT count(*) FROM host_webhook",
    "drop table host_outbox": "SELECT count(*) FROM host_outbox",
}


def upgrade() -> None:
    op.create_table(
        "host_outbox",
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("pruned_at", columns.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_host_outbox"),
    )
    op.create_table(
        "host_webhook",
        sa.Column("name", sa.String(250), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("failed_at", columns.Instant(), nullable=True),
        sa.Column("disabled_at", columns.Instant(), nullable=True),
        sa.Column("reason", sa.String(500), nullable=True),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("missed", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", columns.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_host_webhook"),
    )
    op.drop_index("ix_host_event_at", table_name="host_event")
    op.drop_index("ix_host_event_id", table_name="host_event")
    with op.batch_alter_table("host_stream") as batch:
        batch.add_column(sa.Column("next", sa.BigInteger(), nullable=True))
        batch.alter_column("next", existing_type=sa.BigInteger(), nullable=False)
        batch.drop_column("received")


def downgrade() -> None:
    op.create_index("ix_host_event_at", "host_event", ["at"], unique=False)
    op.create_index(
        "ix_host_event_id",
        "host_event",
        ["id"],
        unique=False,
        sqlite_where=sa.text("position IS NULL"),
        postgresql_where=sa.text("position IS NULL"),
    )
    with op.batch_alter_table("host_stream") as batch:
        batch.add_column(sa.Column("received", columns.Instant(), nullable=True))
    op.execute(
        sa.update(sa.table("host_stream", sa.column("received", columns.Instant())))
        .where(sa.column("received").is_(None))
        .values({"received": datetime.fromisoformat("1970-01-01T00:00:00+00:00")}),
    )
    with op.batch_alter_table("host_stream") as batch:
        batch.alter_column("received", existing_type=columns.Instant(), nullable=False)
        batch.drop_column("next")
    op.drop_table("host_webhook")
    op.drop_table("host_outbox")
