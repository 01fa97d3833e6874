"""Jobs, schedules and events."""

import sqlalchemy as sa
from alembic import op

from host.fields import columns

revision = "0003_d6f992"
down_revision = "0002_681064"

# Refused without --allow-destructive.
downgrade_destructive = {
    "drop table host_schedule": "SELECT count(*) FROM host_schedule",
    "drop table host_job_step": "SELECT count(*) FROM host_job_step",
    "drop table host_job_failure": "SELECT count(*) FROM host_job_failure",
    "drop table host_job": "SELECT count(*) FROM host_job",
    "drop table host_firing": "SELECT count(*) FROM host_firing",
    "drop table host_event": "SELECT count(*) FROM host_event",
}


def upgrade() -> None:
    op.create_table(
        "host_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(150), nullable=False),
        sa.Column("resource", sa.String(120), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("actor", sa.String(36), nullable=True),
        sa.Column("request_id", sa.String(128), nullable=True),
        sa.Column("trace", sa.String(64), nullable=True),
        sa.Column("at", columns.Instant(), nullable=False),
        sa.Column("changes", columns.Json(), nullable=True),
        sa.Column("data", columns.Json(), nullable=True),
        sa.Column("entry", sa.String(40), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_host_event"),
        sa.UniqueConstraint("position", name="uq_host_event_position"),
    )
    op.create_index("ix_host_event_at", "host_event", ["at"], unique=False)
    op.create_index(
        "ix_host_event_id",
        "host_event",
        ["id"],
        unique=False,
        sqlite_where=sa.text("position IS NULL"),
        postgresql_where=sa.text("position IS NULL"),
    )
    op.create_index("ix_host_event_resource_key_id", "host_event", ["resource", "key", "id"], unique=False)
    op.create_table(
        "host_firing",
        sa.Column("schedule", sa.String(120), nullable=False),
        sa.Column("planned_at", columns.Instant(), nullable=False),
        sa.Column("fired_at", columns.Instant(), nullable=False),
        sa.Column("job", sa.String(36), nullable=True),
        sa.PrimaryKeyConstraint("schedule", "planned_at", name="pk_host_firing"),
    )
    op.create_index("ix_host_firing_fired_at", "host_firing", ["fired_at"], unique=False)
    op.create_table(
        "host_job",
        sa.Column("id", columns.Uid(), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("queue", sa.String(48), nullable=False),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("data", columns.Json(), nullable=True),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("run_at", columns.Instant(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("crashes", sa.BigInteger(), nullable=False),
        sa.Column("leased_until", columns.Instant(), nullable=True),
        sa.Column("worker", sa.String(120), nullable=True),
        sa.Column("unique_key", sa.String(64), nullable=True),
        sa.Column("order_key", sa.String(64), nullable=True),
        sa.Column("actor", columns.Uid(), nullable=True),
        sa.Column("run_as", columns.Uid(), nullable=True),
        sa.Column("request_id", sa.String(128), nullable=True),
        sa.Column("trace", sa.String(64), nullable=True),
        sa.Column("progress", sa.BigInteger(), nullable=True),
        sa.Column("message", sa.String(500), nullable=True),
        sa.Column("result", columns.Json(), nullable=True),
        sa.Column("error", columns.Json(), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("started_at", columns.Instant(), nullable=True),
        sa.Column("finished_at", columns.Instant(), nullable=True),
        sa.Column("keep_until", columns.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_host_job"),
        sa.CheckConstraint(
            "state IN ('queued', 'dispatched', 'running', 'done', 'dead', 'cancelled')",
            name="ck_host_job_state",
        ),
    )
    op.create_index("ix_host_job_actor_id", "host_job", ["actor", "id"], unique=False)
    op.create_index(
        "ix_host_job_keep_until",
        "host_job",
        ["keep_until"],
        unique=False,
        sqlite_where=sa.text("keep_until IS NOT NULL"),
        postgresql_where=sa.text("keep_until IS NOT NULL"),
    )
    op.create_index(
        "ix_host_job_leased_until",
        "host_job",
        ["leased_until"],
        unique=False,
        sqlite_where=sa.text("state IN ('dispatched', 'running')"),
        postgresql_where=sa.text("state IN ('dispatched', 'running')"),
    )
    op.create_index("ix_host_job_name_state", "host_job", ["name", "state"], unique=False)
    op.create_index(
        "ix_host_job_order_key_id",
        "host_job",
        ["order_key", "id"],
        unique=False,
        sqlite_where=sa.text("order_key IS NOT NULL AND state IN ('queued', 'dispatched', 'running')"),
        postgresql_where=sa.text("order_key IS NOT NULL AND state IN ('queued', 'dispatched', 'running')"),
    )
    op.create_index(
        "ix_host_job_queue_priority_run_at_id",
        "host_job",
        ["queue", sa.text("priority DESC"), "run_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "uq_host_job_unique_key",
        "host_job",
        ["unique_key"],
        unique=True,
        sqlite_where=sa.text("unique_key IS NOT NULL AND state IN ('queued', 'dispatched', 'running')"),
        postgresql_where=sa.text("unique_key IS NOT NULL AND state IN ('queued', 'dispatched', 'running')"),
    )
    op.create_table(
        "host_job_failure",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("started_at", columns.Instant(), nullable=True),
        sa.Column("at", columns.Instant(), nullable=False),
        sa.Column("worker", sa.String(120), nullable=True),
        sa.Column("error", columns.Json(), nullable=True),
        sa.Column("job_id", columns.Uid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_host_job_failure"),
        sa.ForeignKeyConstraint(
            ["job_id"], ["host_job.id"], name="fk_host_job_failure_job_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_host_job_failure_job_id", "host_job_failure", ["job_id"], unique=False)
    op.create_table(
        "host_job_step",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("result", columns.Json(), nullable=True),
        sa.Column("at", columns.Instant(), nullable=False),
        sa.Column("job_id", columns.Uid(), nullable=False),
        sa.PrimaryKeyConstraint("name", "job_id", name="pk_host_job_step"),
        sa.ForeignKeyConstraint(
            ["job_id"], ["host_job.id"], name="fk_host_job_step_job_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_host_job_step_job_id", "host_job_step", ["job_id"], unique=False)
    op.create_table(
        "host_schedule",
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("next_at", columns.Instant(), nullable=False),
        sa.Column("fired_at", columns.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_host_schedule"),
    )


def downgrade() -> None:
    op.drop_table("host_schedule")
    op.drop_table("host_job_step")
    op.drop_table("host_job_failure")
    op.drop_table("host_job")
    op.drop_table("host_firing")
    op.drop_table("host_event")
