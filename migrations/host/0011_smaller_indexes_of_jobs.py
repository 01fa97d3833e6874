"""Smaller indexes of jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0011_08df80"
down_revision = "0010_625c1f"


def upgrade() -> None:
    op.drop_index("ix_host_job_actor_id", table_name="host_job")
    op.drop_index("ix_host_job_name_state", table_name="host_job")
    op.create_index(
        "ix_host_job_actor_id",
        "host_job",
        ["actor", "id"],
        unique=False,
        sqlite_where=sa.text("actor IS NOT NULL"),
        postgresql_where=sa.text("actor IS NOT NULL"),
    )
    op.create_index(
        "ix_host_job_name_id",
        "host_job",
        ["name", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'dead'"),
        postgresql_where=sa.text("state = 'dead'"),
    )


def downgrade() -> None:
    op.drop_index("ix_host_job_actor_id", table_name="host_job")
    op.drop_index("ix_host_job_name_id", table_name="host_job")
    op.create_index("ix_host_job_actor_id", "host_job", ["actor", "id"], unique=False)
    op.create_index("ix_host_job_name_state", "host_job", ["name", "state"], unique=False)
