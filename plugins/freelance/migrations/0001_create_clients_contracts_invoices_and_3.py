"""Create clients, contracts, invoices and 3 more."""

import sqlalchemy as sa
from alembic import op

from host.fields import columns

revision = "0001_ce3dcb"
down_revision = None

# Refused without --allow-destructive.
downgrade_destructive = {
    "drop table time_entries": "SELECT count(*) FROM time_entries",
    "drop table resumes": "SELECT count(*) FROM resumes",
    "drop table projects": "SELECT count(*) FROM projects",
    "drop table invoices": "SELECT count(*) FROM invoices",
    "drop table contracts": "SELECT count(*) FROM contracts",
    "drop table clients": "SELECT count(*) FROM clients",
}


def upgrade() -> None:
    op.create_table(
        "clients",
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("email", sa.String(255), nullable=False),
        sa.Column("phone", sa.String(50), nullable=True),
        sa.Column("company", sa.String(200), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("updated_at", columns.Instant(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_clients"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["host_account.hex"], name="fk_clients_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_clients_user_id_created_at", "clients", ["user_id", "created_at"], unique=False)
    op.create_index(
        "ix_clients_user_id_created_at_id", "clients", ["user_id", "created_at", "id"], unique=False
    )
    op.create_table(
        "contracts",
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("type", sa.String(11), nullable=True),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("start_date", columns.Day(), nullable=False),
        sa.Column("end_date", columns.Day(), nullable=True),
        sa.Column("signed_date", columns.Day(), nullable=True),
        sa.Column("value", columns.Exact(15, 2), nullable=True),
        sa.Column("currency", sa.String(3), nullable=True),
        sa.Column("parties", columns.Json(), nullable=True),
        sa.Column("terms", columns.Json(), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("updated_at", columns.Instant(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.String(24), nullable=False),
        sa.Column("user_id", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_contracts"),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name="fk_contracts_client_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["host_account.hex"], name="fk_contracts_user_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'sent', 'signed', 'active', 'completed', 'terminated', 'cancelled')",
            name="ck_contracts_status",
        ),
        sa.CheckConstraint(
            "type IN ('freelance', 'employment', 'partnership', 'nda', 'service', 'rental', 'consulting')",
            name="ck_contracts_type",
        ),
    )
    op.create_index("ix_contracts_client_id", "contracts", ["client_id"], unique=False)
    op.create_index("ix_contracts_user_id_created_at", "contracts", ["user_id", "created_at"], unique=False)
    op.create_index(
        "ix_contracts_user_id_created_at_id", "contracts", ["user_id", "created_at", "id"], unique=False
    )
    op.create_index("ix_contracts_user_id_status", "contracts", ["user_id", "status"], unique=False)
    op.create_table(
        "invoices",
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("invoice_number", sa.String(20), nullable=False),
        sa.Column("date", columns.Day(), nullable=True),
        sa.Column("due_date", columns.Day(), nullable=False),
        sa.Column("items", columns.Json(), nullable=False),
        sa.Column("subtotal", columns.Exact(15, 2), nullable=True),
        sa.Column("tax", columns.Exact(15, 2), nullable=True),
        sa.Column("discount", columns.Exact(15, 2), nullable=True),
        sa.Column("total", columns.Exact(15, 2), nullable=True),
        sa.Column("currency", sa.String(3), nullable=True),
        sa.Column("status", sa.String(7), nullable=False),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("payment_terms", sa.String(500), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("updated_at", columns.Instant(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.String(24), nullable=False),
        sa.Column("user_id", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_invoices"),
        sa.UniqueConstraint("user_id", "invoice_number", name="uq_invoices_user_id_invoice_number"),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name="fk_invoices_client_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["host_account.hex"], name="fk_invoices_user_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint("total >= 0", name="ck_invoices_check_b7eff4e1"),
        sa.CheckConstraint(
            "status IN ('draft', 'sent', 'pending', 'paid', 'overdue')", name="ck_invoices_status"
        ),
    )
    op.create_index("ix_invoices_client_id", "invoices", ["client_id"], unique=False)
    op.create_index("ix_invoices_user_id_created_at", "invoices", ["user_id", "created_at"], unique=False)
    op.create_index(
        "ix_invoices_user_id_created_at_id", "invoices", ["user_id", "created_at", "id"], unique=False
    )
    op.create_index("ix_invoices_user_id_status", "invoices", ["user_id", "status"], unique=False)
    op.create_table(
        "projects",
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("status", sa.String(9), nullable=False),
        sa.Column("hourly_rate", columns.Exact(15, 2), nullable=True),
        sa.Column("budget", columns.Exact(15, 2), nullable=True),
        sa.Column("start_date", columns.Day(), nullable=True),
        sa.Column("end_date", columns.Day(), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("updated_at", columns.Instant(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.String(24), nullable=True),
        sa.Column("user_id", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_projects"),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name="fk_projects_client_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["host_account.hex"], name="fk_projects_user_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "status IN ('active', 'completed', 'onhold', 'cancelled', 'archived')", name="ck_projects_status"
        ),
    )
    op.create_index("ix_projects_client_id", "projects", ["client_id"], unique=False)
    op.create_index("ix_projects_user_id_created_at", "projects", ["user_id", "created_at"], unique=False)
    op.create_index(
        "ix_projects_user_id_created_at_id", "projects", ["user_id", "created_at", "id"], unique=False
    )
    op.create_table(
        "resumes",
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("personal_info", columns.Json(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("experience", columns.Json(), nullable=False),
        sa.Column("education", columns.Json(), nullable=False),
        sa.Column("skills", columns.Json(), nullable=False),
        sa.Column("certifications", columns.Json(), nullable=True),
        sa.Column("languages", columns.Json(), nullable=True),
        sa.Column("template", sa.String(50), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("updated_at", columns.Instant(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_resumes"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["host_account.hex"], name="fk_resumes_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_resumes_user_id_created_at", "resumes", ["user_id", "created_at"], unique=False)
    op.create_index(
        "ix_resumes_user_id_created_at_id", "resumes", ["user_id", "created_at", "id"], unique=False
    )
    op.create_table(
        "time_entries",
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("start_time", columns.Instant(), nullable=False),
        sa.Column("end_time", columns.Instant(), nullable=True),
        sa.Column("duration", columns.Span(), nullable=True),
        sa.Column("is_billable", sa.Boolean(), nullable=False),
        sa.Column("hourly_rate", columns.Exact(15, 2), nullable=True),
        sa.Column("is_timer", sa.Boolean(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("updated_at", columns.Instant(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("project_id", sa.String(24), nullable=True),
        sa.Column("user_id", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_time_entries"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_time_entries_project_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["host_account.hex"], name="fk_time_entries_user_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "end_time IS NULL OR end_time >= start_time", name="ck_time_entries_check_250b59f8"
        ),
    )
    op.create_index("ix_time_entries_project_id", "time_entries", ["project_id"], unique=False)
    op.create_index(
        "ix_time_entries_user_id_created_at", "time_entries", ["user_id", "created_at"], unique=False
    )
    op.create_index(
        "ix_time_entries_user_id_created_at_id", "time_entries", ["user_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_time_entries_user_id_start_time", "time_entries", ["user_id", "start_time"], unique=False
    )
    op.create_index(
        "uq_time_entries_user_id",
        "time_entries",
        ["user_id"],
        unique=True,
        sqlite_where=sa.text("is_timer"),
        postgresql_where=sa.text("is_timer"),
    )


def downgrade() -> None:
    op.drop_table("time_entries")
    op.drop_table("resumes")
    op.drop_table("projects")
    op.drop_table("invoices")
    op.drop_table("contracts")
    op.drop_table("clients")
