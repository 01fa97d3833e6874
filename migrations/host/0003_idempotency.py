"""Idempotency."""

import sqlalchemy as sa
from alembic import op

from host.fields import columns

revision = "0003_b6786f"
down_revision = "0002_967abe"

# Refused without --allow-destructive.
downgrade_destructive = {
    "drop table host_idempotency": "SELECT count(*) FROM host_idempotency",
    "drop table host_file": "SELECT count(*) FROM host_file",
}


def upgrade() -> None:
    op.create_table(
        "host_file",
        sa.Column("path", sa.String(500), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(150), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("resource", sa.String(100), nullable=False),
        sa.Column("field", sa.String(48), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("account_id", columns.Uid(), nullable=True),
        sa.PrimaryKeyConstraint("path", name="pk_host_file"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["host_account.id"], name="fk_host_file_account_id", ondelete="SET NULL"
        ),
    )
    op.create_index("ix_host_file_account_id", "host_file", ["account_id"], unique=False)
    op.create_table(
        "host_idempotency",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("holder", sa.String(32), nullable=False),
        sa.Column("leased_until", columns.Instant(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("media", sa.String(255), nullable=True),
        sa.Column("headers", columns.Json(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("expires_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_host_idempotency"),
    )
    op.create_index("ix_host_idempotency_expires_at", "host_idempotency", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_table("host_idempotency")
    op.drop_table("host_file")
