# ruff: noqa: E501
"""Sessions, recovery, keys, files, idempotency and audit."""

import sqlalchemy as sa
from alembic import op

from host.fields import columns

revision = "0002_681064"
down_revision = "0001_58d51d"

# Refused without --allow-destructive if a row is at stake.
destructive_with_rows = {
    "change host_account.avatar from VARCHAR(500) to VARCHAR(100)": "SELECT count(*) FROM host_account WHERE length(avatar) > 100",
}

# Refused without --allow-destructive.
downgrade_destructive = {
    "drop column host_account.mirrored": "SELECT count(*) FROM host_account WHERE mirrored IS NOT NULL",
    "drop table host_session": "SELECT count(*) FROM host_session",
    "drop table host_one_time_link": "SELECT count(*) FROM host_one_time_link",
    "drop table host_known_origin": "SELECT count(*) FROM host_known_origin",
    "drop table host_idempotency": "SELECT count(*) FROM host_idempotency",
    "drop table host_file": "SELECT count(*) FROM host_file",
    "drop table host_external_identity": "SELECT count(*) FROM host_external_identity",
    "drop table host_audit_entry": "SELECT count(*) FROM host_audit_entry",
    "drop table host_attempt": "SELECT count(*) FROM host_attempt",
    "drop table host_api_key": "SELECT count(*) FROM host_api_key",
}


def upgrade() -> None:
    op.create_table(
        "host_api_key",
        sa.Column("id", columns.Uid(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("scopes", columns.Json(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("expires_at", columns.Instant(), nullable=True),
        sa.Column("last_used_at", columns.Instant(), nullable=True),
        sa.Column("revoked_at", columns.Instant(), nullable=True),
        sa.Column("account_id", columns.Uid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_host_api_key"),
        sa.UniqueConstraint("prefix", name="uq_host_api_key_prefix"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["host_account.id"], name="fk_host_api_key_account_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_host_api_key_account_id", "host_api_key", ["account_id"], unique=False)
    op.create_index("ix_host_api_key_account_id_id", "host_api_key", ["account_id", "id"], unique=False)
    op.create_table(
        "host_attempt",
        sa.Column("subject", sa.String(160), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("blocked_until", columns.Instant(), nullable=False),
        sa.Column("expires_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name="pk_host_attempt"),
    )
    op.create_index("ix_host_attempt_expires_at", "host_attempt", ["expires_at"], unique=False)
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
    op.create_table(
        "host_external_identity",
        sa.Column("id", columns.Uid(), nullable=False),
        sa.Column("provider", sa.String(50), nullable=False),
        sa.Column("issuer", sa.String(500), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("email", sa.String(254), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("account_id", columns.Uid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_host_external_identity"),
        sa.UniqueConstraint("issuer", "subject", name="uq_host_external_identity_issuer_subject"),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["host_account.id"],
            name="fk_host_external_identity_account_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_host_external_identity_account_id", "host_external_identity", ["account_id"], unique=False
    )
    op.create_index(
        "ix_host_external_identity_account_id_id",
        "host_external_identity",
        ["account_id", "id"],
        unique=False,
    )
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
    op.create_table(
        "host_known_origin",
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("origin", sa.String(64), nullable=False),
        sa.Column("seen_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("account", "origin", name="pk_host_known_origin"),
    )
    op.create_table(
        "host_one_time_link",
        sa.Column("id", columns.Uid(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(30), nullable=False),
        sa.Column("detail", sa.String(254), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("expires_at", columns.Instant(), nullable=False),
        sa.Column("used_at", columns.Instant(), nullable=True),
        sa.Column("account_id", columns.Uid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_host_one_time_link"),
        sa.UniqueConstraint("digest", name="uq_host_one_time_link_digest"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["host_account.id"], name="fk_host_one_time_link_account_id", ondelete="CASCADE"
        ),
    )
    op.create_index(
        "ix_host_one_time_link_account_id_purpose",
        "host_one_time_link",
        ["account_id", "purpose"],
        unique=False,
    )
    op.create_index("ix_host_one_time_link_detail", "host_one_time_link", ["detail"], unique=False)
    op.create_index("ix_host_one_time_link_expires_at", "host_one_time_link", ["expires_at"], unique=False)
    op.create_table(
        "host_session",
        sa.Column("id", columns.Uid(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("user_agent", sa.String(200), nullable=True),
        sa.Column("address", sa.String(45), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("used_at", columns.Instant(), nullable=False),
        sa.Column("expires_at", columns.Instant(), nullable=False),
        sa.Column("revoked_at", columns.Instant(), nullable=True),
        sa.Column("refresh_digest", sa.String(64), nullable=True),
        sa.Column("refresh_retired", columns.Json(), nullable=True),
        sa.Column("account_id", columns.Uid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_host_session"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["host_account.id"], name="fk_host_session_account_id", ondelete="CASCADE"
        ),
    )
    op.create_index(
        "ix_host_session_account_id_expires_at", "host_session", ["account_id", "expires_at"], unique=False
    )
    op.create_index("ix_host_session_account_id_id", "host_session", ["account_id", "id"], unique=False)
    op.create_index("ix_host_session_expires_at", "host_session", ["expires_at"], unique=False)
    op.execute("UPDATE host_account SET avatar = substr(avatar, 1, 100) WHERE length(avatar) > 100")
    with op.batch_alter_table("host_account") as batch:
        batch.alter_column(
            "avatar",
            existing_type=sa.String(500),
            type_=sa.String(100),
            postgresql_using="avatar::VARCHAR(100)",
        )
        batch.add_column(sa.Column("mirrored", sa.Boolean(), nullable=True))
    op.execute(
        sa.update(sa.table("host_account", sa.column("mirrored", sa.Boolean())))
        .where(sa.column("mirrored").is_(None))
        .values({"mirrored": False}),
    )
    with op.batch_alter_table("host_account") as batch:
        batch.alter_column("mirrored", existing_type=sa.Boolean(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("host_account") as batch:
        batch.alter_column(
            "avatar",
            existing_type=sa.String(100),
            type_=sa.String(500),
            postgresql_using="avatar::VARCHAR(500)",
        )
        batch.drop_column("mirrored")
    op.drop_table("host_session")
    op.drop_table("host_one_time_link")
    op.drop_table("host_known_origin")
    op.drop_table("host_idempotency")
    op.drop_table("host_file")
    op.drop_table("host_external_identity")
    op.drop_table("host_audit_entry")
    op.drop_table("host_attempt")
    op.drop_table("host_api_key")
