"""Longer names of subscribers."""

import sqlalchemy as sa
from alembic import op

revision = "0012_caf47b"
down_revision = "0011_08df80"

# Refused without --allow-destructive if a row is at stake.
downgrade_destructive_with_rows = {
    "change host_job.name from VARCHAR(300) to VARCHAR(120)": "SELECT count(*) FROM host_job WHERE length(name) > 120",
    "change host_webhook.name from VARCHAR(300) to VARCHAR(250)": "SELECT count(*) FROM host_webhook WHERE length(name) > 250",
}


def upgrade() -> None:
    with op.batch_alter_table("host_job") as batch:
        batch.alter_column(
            "name", existing_type=sa.String(120), type_=sa.String(300), postgresql_using="name::VARCHAR(300)"
        )
    with op.batch_alter_table("host_webhook") as batch:
        batch.alter_column(
            "name", existing_type=sa.String(250), type_=sa.String(300), postgresql_using="name::VARCHAR(300)"
        )


def downgrade() -> None:
    op.execute("UPDATE host_job SET name = substr(name, 1, 120) WHERE length(name) > 120")
    with op.batch_alter_table("host_job") as batch:
        batch.alter_column(
            "name", existing_type=sa.String(300), type_=sa.String(120), postgresql_using="name::VARCHAR(120)"
        )
    op.execute("UPDATE host_webhook SET name = substr(name, 1, 250) WHERE length(name) > 250")
    with op.batch_alter_table("host_webhook") as batch:
        batch.alter_column(
            "name", existing_type=sa.String(300), type_=sa.String(250), postgresql_using="name::VARCHAR(250)"
        )
