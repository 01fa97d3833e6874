# ruff: noqa: E501
"""Avatar."""

import sqlalchemy as sa
from alembic import op

revision = "0005_104855"
down_revision = "0004_d1e8d7"

# Refused without --allow-destructive if a row is at stake.
destructive_with_rows = {
    "change host_account.avatar from VARCHAR(500) to VARCHAR(100)": "SELECT count(*) FROM host_account WHERE length(avatar) > 100",
}

# Refused without --allow-destructive.
downgrade_destructive = {
    "drop column host_account.mirrored": "SELECT count(*) FROM host_account WHERE mirrored IS NOT NULL",
    "drop column host_one_time_link.version": "SELECT count(*) FROM host_one_time_link WHERE version IS NOT NULL",
}


def upgrade() -> None:
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
    with op.batch_alter_table("host_one_time_link") as batch:
        batch.add_column(sa.Column("version", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("host_account") as batch:
        batch.alter_column(
            "avatar",
            existing_type=sa.String(100),
            type_=sa.String(500),
            postgresql_using="avatar::VARCHAR(500)",
        )
        batch.drop_column("mirrored")
    with op.batch_alter_table("host_one_time_link") as batch:
        batch.drop_column("version")
