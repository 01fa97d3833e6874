"""Events, jobs, schedules, logs and webhooks."""

import sqlalchemy as sa
from alembic import op

from host.fields import columns

revision = "0003_cd21d5"
down_revision = "0002_681064"

# Refused without --allow-destructive.
downgrade_destructive = {
    "drop table host_webhook": "SELECT count(*) FROM host_webhook",
    "drop table host_stream": "SELECT count(*) FROM host_stream",
    "drop table host_snapshot": "SELECT count(*) FROM host_snapshot",
    "drop table host_schedule": "SELECT count(*) FROM host_schedule",
    "drop table host_process": "SELECT count(*) FROM host_process",
    "drop table host_outbox": "SELECT count(*) FROM host_outbox",
    "drop table host_job_step": "SELECT count(*) FROM host_job_step",
    "drop table host_job_failure": "SELECT count(*) FROM host_job_failure",
    "drop table host_job": "SELECT count(*) FROM host_job",
    "drop table host_firing": "SELECT count(*) FROM host_firing",
    "drop table host_event": "SELECT count(*) FROM host_event",
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
        sa.UniqueConstraint("event", "owner_id", name="uq_host_change_event_owner_id"),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["host_account.id"], name="fk_host_change_owner_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint("kind IN ('created', 'updated', 'deleted', 'undo')", name="ck_host_change_kind"),
    )
    op.create_index("ix_host_change_owner_id_id", "host_change", ["owner_id", "id"], unique=False)
    op.create_index("ix_host_change_owner_id_received", "host_change", ["owner_id", "received"], unique=False)
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
        sa.Column("name", sa.String(300), nullable=False),
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
        sa.Column("order_number", sa.BigInteger(), nullable=False),
        sa.Column("cancel_wanted", sa.Boolean(), nullable=False),
        sa.Column("actor", columns.Uid(), nullable=True),
        sa.Column("run_as", sa.String(36), nullable=False),
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
    op.create_index(
        "ix_host_job_actor_id",
        "host_job",
        ["actor", "id"],
        unique=False,
        sqlite_where=sa.text("actor IS NOT NULL"),
        postgresql_where=sa.text("actor IS NOT NULL"),
    )
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
    op.create_index(
        "ix_host_job_name_id",
        "host_job",
        ["name", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'dead'"),
        postgresql_where=sa.text("state = 'dead'"),
    )
    op.create_index(
        "ix_host_job_order_key_order_number_id",
        "host_job",
        ["order_key", "order_number", "id"],
        unique=False,
        sqlite_where=sa.text("order_key IS NOT NULL AND state IN ('queued', 'dispatched', 'running')"),
        postgresql_where=sa.text("order_key IS NOT NULL AND state IN ('queued', 'dispatched', 'running')"),
    )
    op.create_index(
        "ix_host_job_queue_priority_run_at_id_name",
        "host_job",
        ["queue", sa.text("priority DESC"), "run_at", "id", "name"],
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
        sa.Column("cause", columns.Json(), nullable=True),
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
        "host_outbox",
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("pruned_at", columns.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_host_outbox"),
    )
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
    op.create_table(
        "host_schedule",
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("plan", sa.String(200), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("next_at", columns.Instant(), nullable=False),
        sa.Column("fired_at", columns.Instant(), nullable=True),
        sa.Column("lag", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_host_schedule"),
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
        "ix_host_snapshot_log_owner_type_aggregate_sequence",
        "host_snapshot",
        ["log", "owner", "type", "aggregate", "sequence"],
        unique=False,
    )
    op.create_table(
        "host_stream",
        sa.Column("log", sa.String(120), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("log", "owner", name="pk_host_stream"),
    )
    op.create_table(
        "host_webhook",
        sa.Column("name", sa.String(300), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("failed_at", columns.Instant(), nullable=True),
        sa.Column("disabled_at", columns.Instant(), nullable=True),
        sa.Column("reason", sa.String(500), nullable=True),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("missed", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", columns.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_host_webhook"),
    )


def downgrade() -> None:
    op.drop_table("host_webhook")
    op.drop_table("host_stream")
    op.drop_table("host_snapshot")
    op.drop_table("host_schedule")
    op.drop_table("host_process")
    op.drop_table("host_outbox")
    op.drop_table("host_job_step")
    op.drop_table("host_job_failure")
    op.drop_table("host_job")
    op.drop_table("host_firing")
    op.drop_table("host_event")
    op.drop_table("host_device")
    op.drop_table("host_change")
