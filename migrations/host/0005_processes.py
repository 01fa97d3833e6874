# ruff: noqa: E501
"""Processes."""

import sqlalchemy as sa
from alembic import op

from host.fields import columns

revision = "0005_4ef223"
down_revision = "0004_d4b3bd"

# Cannot run while such rows exist.
impossible_with_rows = {
    "add required column host_schedule.plan: give it a default, or fill it in a revision of your own": "SELECT count(*) FROM host_schedule",
}

# Refused without --allow-destructive.
downgrade_destructive = {
    "drop column host_schedule.lag": "SELECT count(*) FROM host_schedule WHERE lag IS NOT NULL",
    "drop column host_schedule.plan": "SELECT count(*) FROM host_schedule WHERE plan IS NOT NULL",
    "drop table host_process": "SELECT count(*) FROM host_process",
}


def upgrade() -> None:
    op.create_table(
        "host_process",
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(9), nullable=False),
        sa.Column("queues", columns.Json(), nullable=False),
        sa.Column("concurrency", sa.BigInteger(), nullable=False),
        sa.Column("started_at", columns.Instant(), nullable=False),
        sa.Column("seen_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_host_process"),
        sa.CheckConstraint("kind IN ('worker', 'scheduler')", name="ck_host_process_kind"),
    )
    with op.batch_alter_table("host_schedule") as batch:
        batch.add_column(sa.Column("plan", sa.String(200), nullable=True))
        batch.alter_column("plan", existing_type=sa.String(200), nullable=False)
        batch.add_column(sa.Column("lag", sa.Double(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("host_schedule") as batch:
        batch.drop_column("lag")
        batch.drop_column("plan")
    op.drop_table("host_process")
