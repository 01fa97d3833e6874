"""Create investigation_user, investigation_investigation, investigation_entity and 6 more."""

import sqlalchemy as sa
from alembic import op

from host.fields import columns

revision = "0001_c7bc3d"
down_revision = None

# Refused without --allow-destructive.
downgrade_destructive = {
    "drop table investigation_link": "SELECT count(*) FROM investigation_link",
    "drop table investigation_investigationmember": "SELECT count(*) FROM investigation_investigationmember",
    "drop table investigation_entity_tags": "SELECT count(*) FROM investigation_entity_tags",
    "drop table investigation_tag": "SELECT count(*) FROM investigation_tag",
    "drop table investigation_comment": "SELECT count(*) FROM investigation_comment",
    "drop table investigation_attachment": "SELECT count(*) FROM investigation_attachment",
    "drop table investigation_entity": "SELECT count(*) FROM investigation_entity",
    "drop table investigation_investigation": "SELECT count(*) FROM investigation_investigation",
    "drop table investigation_user": "SELECT count(*) FROM investigation_user",
}


def upgrade() -> None:
    op.create_table(
        "investigation_user",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("username", sa.String(150), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("password", sa.String(128), nullable=False),
        sa.Column("first_name", sa.String(150), nullable=False),
        sa.Column("last_name", sa.String(150), nullable=False),
        sa.Column("avatar", sa.String(100), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_staff", sa.Boolean(), nullable=False),
        sa.Column("is_superuser", sa.Boolean(), nullable=False),
        sa.Column("last_login", columns.DjangoInstant(), nullable=True),
        sa.Column("date_joined", columns.DjangoInstant(), nullable=False),
        sa.Column("created_at", columns.DjangoInstant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_investigation_user"),
        sa.UniqueConstraint("username", name="uq_investigation_user_username"),
        sa.UniqueConstraint("email", name="uq_investigation_user_email"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "investigation_investigation",
        sa.Column("id", columns.DjangoUid(), nullable=False),
        sa.Column("code", sa.String(8), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", columns.DjangoInstant(), nullable=False),
        sa.Column("updated_at", columns.DjangoInstant(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_investigation_investigation"),
        sa.UniqueConstraint("code", name="uq_investigation_investigation_code"),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["investigation_user.id"], name="fk_investigation_investigation_created_by_id"
        ),
    )
    op.create_index(
        "ix_investigation_investigation_created_by_id_updated_at_id",
        "investigation_investigation",
        ["created_by_id", "updated_at", "id"],
        unique=False,
    )
    op.create_table(
        "investigation_entity",
        sa.Column("id", columns.DjangoUid(), nullable=False),
        sa.Column("entity_type", sa.String(8), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("role", sa.String(100), nullable=False),
        sa.Column("location", sa.String(200), nullable=False),
        sa.Column("address", sa.String(255), nullable=False),
        sa.Column("event_date", columns.DjangoInstant(), nullable=True),
        sa.Column("event_end_date", columns.DjangoInstant(), nullable=True),
        sa.Column("is_timeslot", sa.Boolean(), nullable=False),
        sa.Column("evidence_type", sa.String(8), nullable=False),
        sa.Column("photo", sa.String(100), nullable=True),
        sa.Column("created_at", columns.DjangoInstant(), nullable=False),
        sa.Column("updated_at", columns.DjangoInstant(), nullable=False),
        sa.Column("investigation_id", columns.DjangoUid(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_investigation_entity"),
        sa.ForeignKeyConstraint(
            ["investigation_id"],
            ["investigation_investigation.id"],
            name="fk_investigation_entity_investigation_id",
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["investigation_user.id"], name="fk_investigation_entity_created_by_id"
        ),
    )
    op.create_index(
        "ix_investigation_entity_created_by_id_created_at_id",
        "investigation_entity",
        ["created_by_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_investigation_entity_investigation_id_created_at",
        "investigation_entity",
        ["investigation_id", sa.text("created_at DESC")],
        unique=False,
    )
    op.create_table(
        "investigation_attachment",
        sa.Column("id", columns.DjangoUid(), nullable=False),
        sa.Column("file", sa.String(100), nullable=False),
        sa.Column("filename", sa.String(255), nullable=False),
        sa.Column("file_type", sa.String(50), nullable=False),
        sa.Column("uploaded_at", columns.DjangoInstant(), nullable=False),
        sa.Column("entity_id", columns.DjangoUid(), nullable=False),
        sa.Column("uploaded_by_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_investigation_attachment"),
        sa.ForeignKeyConstraint(
            ["entity_id"], ["investigation_entity.id"], name="fk_investigation_attachment_entity_id"
        ),
        sa.ForeignKeyConstraint(
            ["uploaded_by_id"], ["investigation_user.id"], name="fk_investigation_attachment_uploaded_by_id"
        ),
    )
    op.create_index(
        "ix_investigation_attachment_entity_id", "investigation_attachment", ["entity_id"], unique=False
    )
    op.create_index(
        "ix_investigation_attachment_uploaded_by_id_uploaded_at_id",
        "investigation_attachment",
        ["uploaded_by_id", "uploaded_at", "id"],
        unique=False,
    )
    op.create_table(
        "investigation_comment",
        sa.Column("id", columns.DjangoUid(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at", columns.DjangoInstant(), nullable=False),
        sa.Column("updated_at", columns.DjangoInstant(), nullable=False),
        sa.Column("entity_id", columns.DjangoUid(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_investigation_comment"),
        sa.ForeignKeyConstraint(
            ["entity_id"], ["investigation_entity.id"], name="fk_investigation_comment_entity_id"
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["investigation_user.id"], name="fk_investigation_comment_author_id"
        ),
    )
    op.create_index(
        "ix_investigation_comment_author_id_created_at_id",
        "investigation_comment",
        ["author_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_investigation_comment_entity_id", "investigation_comment", ["entity_id"], unique=False
    )
    op.create_table(
        "investigation_tag",
        sa.Column("id", columns.DjangoUid(), nullable=False),
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("color", sa.String(7), nullable=True),
        sa.Column("investigation_id", columns.DjangoUid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_investigation_tag"),
        sa.UniqueConstraint("investigation_id", "name", name="uq_investigation_tag_investigation_id_name"),
        sa.ForeignKeyConstraint(
            ["investigation_id"],
            ["investigation_investigation.id"],
            name="fk_investigation_tag_investigation_id",
        ),
    )
    op.create_index(
        "uq_investigation_tag_investigation_id_name_lower",
        "investigation_tag",
        [
            "investigation_id",
            sa.text(
                {"postgresql": "lower(name)", "sqlite": "name COLLATE NOCASE"}[op.get_context().dialect.name]
            ),
        ],
        unique=True,
    )
    op.create_table(
        "investigation_entity_tags",
        sa.Column("entity_id", columns.DjangoUid(), nullable=False),
        sa.Column("tag_id", columns.DjangoUid(), nullable=False),
        sa.PrimaryKeyConstraint("entity_id", "tag_id", name="pk_investigation_entity_tags"),
        sa.ForeignKeyConstraint(
            ["entity_id"], ["investigation_entity.id"], name="fk_investigation_entity_tags_entity_id"
        ),
        sa.ForeignKeyConstraint(
            ["tag_id"], ["investigation_tag.id"], name="fk_investigation_entity_tags_tag_id"
        ),
    )
    op.create_index(
        "ix_investigation_entity_tags_tag_id", "investigation_entity_tags", ["tag_id"], unique=False
    )
    op.create_table(
        "investigation_investigationmember",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.String(6), nullable=False),
        sa.Column("last_seen", columns.DjangoInstant(), nullable=True),
        sa.Column("joined_at", columns.DjangoInstant(), nullable=False),
        sa.Column("investigation_id", columns.DjangoUid(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_investigation_investigationmember"),
        sa.UniqueConstraint(
            "investigation_id",
            "user_id",
            name="uq_investigation_investigationmember_investigation_id_user_id",
        ),
        sa.ForeignKeyConstraint(
            ["investigation_id"],
            ["investigation_investigation.id"],
            name="fk_investigation_investigationmember_investigation_id",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["investigation_user.id"], name="fk_investigation_investigationmember_user_id"
        ),
    )
    op.create_index(
        "ix_investigation_investigationmember_investigation_id",
        "investigation_investigationmember",
        ["investigation_id"],
        unique=False,
    )
    op.create_index(
        "ix_investigation_investigationmember_user_id",
        "investigation_investigationmember",
        ["user_id"],
        unique=False,
    )
    op.create_table(
        "investigation_link",
        sa.Column("id", columns.DjangoUid(), nullable=False),
        sa.Column("title", sa.String(100), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created_at", columns.DjangoInstant(), nullable=False),
        sa.Column("investigation_id", columns.DjangoUid(), nullable=False),
        sa.Column("from_entity_id", columns.DjangoUid(), nullable=False),
        sa.Column("to_entity_id", columns.DjangoUid(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_investigation_link"),
        sa.UniqueConstraint(
            "investigation_id",
            "from_entity_id",
            "to_entity_id",
            name="uq_investigation_link_investigation_id_from_entity_id__2dabd863",
        ),
        sa.ForeignKeyConstraint(
            ["investigation_id"],
            ["investigation_investigation.id"],
            name="fk_investigation_link_investigation_id",
        ),
        sa.ForeignKeyConstraint(
            ["from_entity_id"], ["investigation_entity.id"], name="fk_investigation_link_from_entity_id"
        ),
        sa.ForeignKeyConstraint(
            ["to_entity_id"], ["investigation_entity.id"], name="fk_investigation_link_to_entity_id"
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["investigation_user.id"], name="fk_investigation_link_created_by_id"
        ),
        sa.CheckConstraint("from_entity_id != to_entity_id", name="ck_investigation_link_check_ce5370ad"),
    )
    op.create_index(
        "ix_investigation_link_created_by_id_created_at_id",
        "investigation_link",
        ["created_by_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_investigation_link_from_entity_id", "investigation_link", ["from_entity_id"], unique=False
    )
    op.create_index(
        "ix_investigation_link_to_entity_id", "investigation_link", ["to_entity_id"], unique=False
    )
    op.create_index(
        "uq_investigation_link_investigation_id_from_entity_id__fe656faa",
        "investigation_link",
        [
            "investigation_id",
            sa.text("(CASE WHEN (from_entity_id < to_entity_id) THEN from_entity_id ELSE to_entity_id END)"),
            sa.text("(CASE WHEN (to_entity_id < from_entity_id) THEN to_entity_id ELSE from_entity_id END)"),
        ],
        unique=True,
    )


def downgrade() -> None:
    op.drop_table("investigation_link")
    op.drop_table("investigation_investigationmember")
    op.drop_table("investigation_entity_tags")
    op.drop_table("investigation_tag")
    op.drop_table("investigation_comment")
    op.drop_table("investigation_attachment")
    op.drop_table("investigation_entity")
    op.drop_table("investigation_investigation")
    op.drop_table("investigation_user")
