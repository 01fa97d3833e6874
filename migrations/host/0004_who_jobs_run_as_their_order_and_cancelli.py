# ruff: noqa: E501
"""Who jobs run as, their order and cancelling."""

import sqlalchemy as sa
from alembic import op

from host.fields import columns

revision = "0004_d4b3bd"
down_revision = "0003_d6f992"

# Refused without --allow-destructive.
destructive = {
    "change host_job.run_as from UUID to VARCHAR(36)": "SELECT count(*) FROM host_job WHERE run_as IS NOT NULL",
}

# Cannot run while such rows exist.
impossible_with_rows = {
    "require host_job.run_as, which is empty in some rows: give it a default": "SELECT count(*) FROM host_job WHERE run_as IS NULL",
}

# Refused without --allow-destructive.
downgrade_destructive = {
    "change host_job.run_as from VARCHAR(36) to UUID": "SELECT count(*) FROM host_job WHERE run_as IS NOT NULL",
    "drop column host_job.cancel_wanted": "SELECT count(*) FROM host_job WHERE cancel_wanted IS NOT NULL",
    "drop column host_job.order_number": "SELECT count(*) FROM host_job WHERE order_number IS NOT NULL",
}


def upgrade() -> None:
    op.drop_index("ix_host_job_order_key_id", table_name="host_job")
    op.drop_index("ix_host_job_queue_priority_run_at_id", table_name="host_job")
    with op.batch_alter_table("host_job") as batch:
        batch.add_column(sa.Column("order_number", sa.BigInteger(), nullable=True))
    op.execute(
        sa.update(sa.table("host_job", sa.column("order_number", sa.BigInteger())))
        .where(sa.column("order_number").is_(None))
        .values({"order_number": 0}),
    )
    with op.batch_alter_table("host_job") as batch:
        batch.alter_column("order_number", existing_type=sa.BigInteger(), nullable=False)
        batch.add_column(sa.Column("cancel_wanted", sa.Boolean(), nullable=True))
    op.execute(
        sa.update(sa.table("host_job", sa.column("cancel_wanted", sa.Boolean())))
        .where(sa.column("cancel_wanted").is_(None))
        .values({"cancel_wanted": False}),
    )
    with op.batch_alter_table("host_job") as batch:
        batch.alter_column("cancel_wanted", existing_type=sa.Boolean(), nullable=False)
        batch.alter_column(
            "run_as", existing_type=columns.Uid(), type_=sa.String(36), postgresql_using="run_as::VARCHAR(36)"
        )
        batch.alter_column("run_as", existing_type=sa.String(36), nullable=False)
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


def downgrade() -> None:
    op.drop_index("ix_host_job_order_key_order_number_id", table_name="host_job")
    op.drop_index("ix_host_job_queue_priority_run_at_id_name", table_name="host_job")
    with op.batch_alter_table("host_job") as batch:
        batch.alter_column(
            "run_as", existing_type=sa.String(36), type_=columns.Uid(), postgresql_using="run_as::UUID"
        )
        batch.alter_column("run_as", existing_type=columns.Uid(), nullable=True)
        batch.drop_column("cancel_wanted")
        batch.drop_column("order_number")
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
