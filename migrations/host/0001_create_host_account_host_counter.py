"""Create host_account, host_counter."""

import sqlalchemy as sa
from alembic import op

from host.fields import columns

revision = "0001_58d51d"
down_revision = None

# Refused without --allow-destructive.
downgrade_destructive = {
    "drop table host_counter": "SELECT count(*) FROM host_counter",
    "drop table host_account": "SELECT count(*) FROM host_account",
}


def upgrade() -> None:
    op.create_table(
        "host_account",
        sa.Column("id", columns.Uid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hex", sa.String(24), nullable=False),
        sa.Column("username", sa.String(150), nullable=True),
        sa.Column("email", sa.String(255), nullable=True),
        sa.Column("name", sa.String(200), nullable=True),
        sa.Column("first_name", sa.String(150), nullable=True),
        sa.Column("last_name", sa.String(150), nullable=True),
        sa.Column("avatar", sa.String(500), nullable=True),
        sa.Column("password", sa.String(255), nullable=True),
        sa.Column("role", sa.String(50), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("email_verified", sa.Boolean(), nullable=False),
        sa.Column("external_id", sa.String(255), nullable=True),
        sa.Column("token_version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("updated_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_host_account"),
        sa.UniqueConstraint("number", name="uq_host_account_number"),
        sa.UniqueConstraint("hex", name="uq_host_account_hex"),
        sa.UniqueConstraint("external_id", name="uq_host_account_external_id"),
        sa.CheckConstraint(
            "username IS NOT NULL OR email IS NOT NULL", name="ck_host_account_check_afae53db"
        ),
    )
    op.create_index("uq_host_account_email_lower", "host_account", [sa.text("lower(email)")], unique=True)
    op.create_index(
        "uq_host_account_username_lower", "host_account", [sa.text("lower(username)")], unique=True
    )
    op.create_table(
        "host_counter",
        sa.Column("name", sa.String(150), nullable=False),
        sa.Column("scope", sa.String(255), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "scope", name="pk_host_counter"),
    )


def downgrade() -> None:
    op.drop_table("host_counter")
    op.drop_table("host_account")
