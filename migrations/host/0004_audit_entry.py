# ruff: noqa: E501
"""Audit entry."""

import sqlalchemy as sa
from alembic import op

from host.fields import columns

revision = "0004_d1e8d7"
down_revision = "0003_b6786f"

# Refused without --allow-destructive if a row is at stake.
destructive_with_rows = {
    "change host_one_time_link.detail from VARCHAR(500) to VARCHAR(254)": "SELECT count(*) FROM host_one_time_link WHERE length(detail) > 254",
}

# Refused without --allow-destructive.
downgrade_destructive = {
    "drop table host_audit_entry": "SELECT count(*) FROM host_audit_entry",
}


def upgrade() -> None:
    op.create_table(
        "host_audit_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", columns.Instant(), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("operation", sa.String(150), nullable=False),
        sa.Column("resource", sa.String(120), nullable=True),
        sa.Column("key", sa.String(255), nullable=True),
        sa.Column("actor", sa.String(36), nullable=True),
        sa.Column("system", sa.Boolean(), nullable=False),
        sa.Column("api_key", sa.String(36), nullable=True),
        sa.Column("session", sa.String(36), nullable=True),
        sa.Column("address", sa.String(45), nullable=True),
        sa.Column("agent", sa.String(200), nullable=True),
        sa.Column("request_id", sa.String(128), nullable=True),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("changes", columns.Json(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_host_audit_entry"),
        sa.CheckConstraint("kind IN ('write', 'identity', 'denied')", name="ck_host_audit_entry_kind"),
    )
    op.create_index("ix_host_audit_entry_actor", "host_audit_entry", ["actor"], unique=False)
    op.create_index("ix_host_audit_entry_at", "host_audit_entry", ["at"], unique=False)
    op.create_index("ix_host_audit_entry_resource_key", "host_audit_entry", ["resource", "key"], unique=False)
    op.execute("UPDATE host_one_time_link SET detail = substr(detail, 1, 254) WHERE length(detail) > 254")
    with op.batch_alter_table("host_one_time_link") as batch:
        batch.alter_column(
            "detail",
            existing_type=sa.String(500),
            type_=sa.String(254),
            postgresql_using="detail::VARCHAR(254)",
        )
    op.create_index("ix_host_one_time_link_detail", "host_one_time_link", ["detail"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_host_one_time_link_detail", table_name="host_one_time_link")
    with op.batch_alter_table("host_one_time_link") as batch:
        batch.alter_column(
            "detail",
            existing_type=sa.String(254),
            type_=sa.String(500),
            postgresql_using="detail::VARCHAR(500)",
        )
    op.drop_table("host_audit_entry")
