"""Create the tables of the ledger."""

import sqlalchemy as sa
from alembic import op

from host.fields import columns
from host.migrations import search

revision = "0001_4b34b2"
down_revision = None

# Refused without --allow-destructive.
downgrade_destructive = {
    "drop table ledger_user_settings": "SELECT count(*) FROM ledger_user_settings",
    "drop table ledger_transaction_images_projection": "SELECT count(*) FROM ledger_transaction_images_projection",
    "drop table ledger_reminders_projection": "SELECT count(*) FROM ledger_reminders_projection",
    "drop table ledger_transactions_projection": "SELECT count(*) FROM ledger_transactions_projection",
    "drop table ledger_events": "SELECT count(*) FROM ledger_events",
    "drop table ledger_contacts_projection": "SELECT count(*) FROM ledger_contacts_projection",
}


def upgrade() -> None:
    op.create_table(
        "ledger_contacts_projection",
        sa.Column("id", columns.Uid(), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("username", sa.String(100), nullable=True),
        sa.Column("email", sa.String(255), nullable=True),
        sa.Column("phone", sa.String(50), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("linked_contact_uri", sa.String(500), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("updated_at", columns.Instant(), nullable=False),
        sa.Column("deleted_at", columns.Instant(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("user_id", columns.Uid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_contacts_projection"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["host_account.id"], name="fk_ledger_contacts_projection_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index(
        "ix_ledger_contacts_projection_user_id_name",
        "ledger_contacts_projection",
        ["user_id", "name"],
        unique=False,
    )
    op.create_index(
        "ix_ledger_contacts_projection_user_id_name_id",
        "ledger_contacts_projection",
        ["user_id", "name", "id"],
        unique=False,
    )
    op.create_table(
        "ledger_contacts_projection_search_f18f8b14",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("row", columns.Uid(), nullable=False),
        sa.Column("words", columns.Words(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_ledger_contacts_projection_search_f18f8b14"),
        sa.UniqueConstraint("row", name="uq_ledger_contacts_projection_search_f18f8b14_row"),
        sa.ForeignKeyConstraint(
            ["row"],
            ["ledger_contacts_projection.id"],
            name="fk_ledger_contacts_projection_search_f18f8b14_row",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "ledger_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", columns.Uid(), nullable=False),
        sa.Column("aggregate_type", sa.String(11), nullable=False),
        sa.Column("aggregate_id", columns.Uid(), nullable=False),
        sa.Column("event_type", sa.String(7), nullable=False),
        sa.Column("event_data", columns.Json(), nullable=False),
        sa.Column("timestamp", columns.Instant(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("event_version", sa.BigInteger(), nullable=True),
        sa.Column("digest", sa.String(64), nullable=True),
        sa.Column("user_id", columns.Uid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_events"),
        sa.UniqueConstraint("event_id", "user_id", name="uq_ledger_events_event_id_user_id"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["host_account.id"], name="fk_ledger_events_user_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "aggregate_type IN ('contact', 'transaction')", name="ck_ledger_events_aggregate_type"
        ),
        sa.CheckConstraint(
            "event_type IN ('CREATED', 'UPDATED', 'DELETED', 'UNDO')", name="ck_ledger_events_event_type"
        ),
    )
    op.create_index(
        "ix_ledger_events_user_id_aggregate_type_aggregate_id_timestamp",
        "ledger_events",
        ["user_id", "aggregate_type", "aggregate_id", "timestamp"],
        unique=False,
    )
    op.create_index(
        "ix_ledger_events_user_id_created_at", "ledger_events", ["user_id", "created_at"], unique=False
    )
    op.create_index("ix_ledger_events_user_id_id", "ledger_events", ["user_id", "id"], unique=False)
    op.create_table(
        "ledger_transactions_projection",
        sa.Column("id", columns.Uid(), nullable=False),
        sa.Column("type", sa.String(5), nullable=False),
        sa.Column("direction", sa.String(4), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("transaction_date", columns.Day(), nullable=False),
        sa.Column("due_date", columns.Day(), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("updated_at", columns.Instant(), nullable=False),
        sa.Column("deleted_at", columns.Instant(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", columns.Uid(), nullable=False),
        sa.Column("user_id", columns.Uid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_transactions_projection"),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["ledger_contacts_projection.id"],
            name="fk_ledger_transactions_projection_contact_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["host_account.id"],
            name="fk_ledger_transactions_projection_user_id",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "direction IN ('owed', 'lent')", name="ck_ledger_transactions_projection_direction"
        ),
        sa.CheckConstraint("type IN ('money', 'item')", name="ck_ledger_transactions_projection_type"),
    )
    op.create_index(
        "ix_ledger_transactions_projection_contact_id",
        "ledger_transactions_projection",
        ["contact_id"],
        unique=False,
    )
    op.create_index(
        "ix_ledger_transactions_projection_user_id_transaction__8572600c",
        "ledger_transactions_projection",
        ["user_id", "transaction_date", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_ledger_transactions_projection_user_id_transaction_date",
        "ledger_transactions_projection",
        ["user_id", "transaction_date"],
        unique=False,
    )
    op.create_table(
        "ledger_reminders_projection",
        sa.Column("id", columns.Uid(), nullable=False),
        sa.Column("reminder_type", sa.String(50), nullable=False),
        sa.Column("scheduled_at", columns.Instant(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("status", sa.String(13), nullable=False),
        sa.Column("sent_at", columns.Instant(), nullable=True),
        sa.Column("reason", sa.String(200), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("updated_at", columns.Instant(), nullable=False),
        sa.Column("deleted_at", columns.Instant(), nullable=True),
        sa.Column("transaction_id", columns.Uid(), nullable=True),
        sa.Column("user_id", columns.Uid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_reminders_projection"),
        sa.ForeignKeyConstraint(
            ["transaction_id"],
            ["ledger_transactions_projection.id"],
            name="fk_ledger_reminders_projection_transaction_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["host_account.id"],
            name="fk_ledger_reminders_projection_user_id",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'sent', 'undeliverable')", name="ck_ledger_reminders_projection_status"
        ),
    )
    op.create_index(
        "ix_ledger_reminders_projection_status_scheduled_at",
        "ledger_reminders_projection",
        ["status", "scheduled_at"],
        unique=False,
    )
    op.create_index(
        "ix_ledger_reminders_projection_transaction_id",
        "ledger_reminders_projection",
        ["transaction_id"],
        unique=False,
    )
    op.create_index(
        "ix_ledger_reminders_projection_user_id_scheduled_at",
        "ledger_reminders_projection",
        ["user_id", "scheduled_at"],
        unique=False,
    )
    op.create_index(
        "ix_ledger_reminders_projection_user_id_scheduled_at_id",
        "ledger_reminders_projection",
        ["user_id", "scheduled_at", "id"],
        unique=False,
    )
    op.create_table(
        "ledger_transaction_images_projection",
        sa.Column("id", columns.Uid(), nullable=False),
        sa.Column("image_url", sa.String(2000), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("deleted_at", columns.Instant(), nullable=True),
        sa.Column("transaction_id", columns.Uid(), nullable=False),
        sa.Column("user_id", columns.Uid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_transaction_images_projection"),
        sa.ForeignKeyConstraint(
            ["transaction_id"],
            ["ledger_transactions_projection.id"],
            name="fk_ledger_transaction_images_projection_transaction_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["host_account.id"],
            name="fk_ledger_transaction_images_projection_user_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_ledger_transaction_images_projection_transaction_id",
        "ledger_transaction_images_projection",
        ["transaction_id"],
        unique=False,
    )
    op.create_index(
        "ix_ledger_transaction_images_projection_user_id_created_at_id",
        "ledger_transaction_images_projection",
        ["user_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "ledger_transactions_projection_search_c7bc02ae",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("row", columns.Uid(), nullable=False),
        sa.Column("words", columns.Words(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_ledger_transactions_projection_search_c7bc02ae"),
        sa.UniqueConstraint("row", name="uq_ledger_transactions_projection_search_c7bc02ae_row"),
        sa.ForeignKeyConstraint(
            ["row"],
            ["ledger_transactions_projection.id"],
            name="fk_ledger_transactions_projection_search_c7bc02ae_row",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "ledger_user_settings",
        sa.Column("id", columns.Uid(), nullable=False),
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("value", columns.Json(), nullable=False),
        sa.Column("user_id", columns.Uid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_user_settings"),
        sa.UniqueConstraint("user_id", "name", name="uq_ledger_user_settings_user_id_name"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["host_account.id"], name="fk_ledger_user_settings_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index(
        "ix_ledger_user_settings_user_id_id", "ledger_user_settings", ["user_id", "id"], unique=False
    )
    search.index(
        "ledger_contacts_projection_search_f18f8b14",
        "ledger_contacts_projection",
        {"row": "id"},
        {"name": "A", "username": "B", "email": "B", "phone": "C", "notes": "D"},
    )
    search.index(
        "ledger_transactions_projection_search_c7bc02ae",
        "ledger_transactions_projection",
        {"row": "id"},
        {"description": "A"},
    )


def downgrade() -> None:
    op.drop_table("ledger_user_settings")
    search.unindex("ledger_transactions_projection_search_c7bc02ae")
    op.drop_table("ledger_transactions_projection_search_c7bc02ae")
    op.drop_table("ledger_transaction_images_projection")
    op.drop_table("ledger_reminders_projection")
    op.drop_table("ledger_transactions_projection")
    op.drop_table("ledger_events")
    search.unindex("ledger_contacts_projection_search_f18f8b14")
    op.drop_table("ledger_contacts_projection_search_f18f8b14")
    op.drop_table("ledger_contacts_projection")
