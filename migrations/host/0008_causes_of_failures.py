"""Causes of failures."""

import sqlalchemy as sa
from alembic import op

from host.fields import columns

revision = "0008_2294b1"
down_revision = "0007_14cc42"

# Refused without --allow-destructive.
downgrade_destructive = {
    "drop column host_job_failure.cause": "SELECT count(*) FROM host_job_failure WHERE cause IS NOT NULL",
}


def upgrade() -> None:
    with op.batch_alter_table("host_job_failure") as batch:
        batch.add_column(sa.Column("cause", columns.Json(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("host_job_failure") as batch:
        batch.drop_column("cause")
