# ruff: noqa: E501
"""Events are found by their ids."""

from alembic import op

revision = "0010_625c1f"
down_revision = "0009_6c027d"

# Cannot run while such rows exist.
impossible_with_rows = {
    "add uq_host_change_event_owner_id, which these rows contradict": "SELECT count(*) FROM (SELECT 1 FROM host_change WHERE event IS NOT NULL AND owner_id IS NOT NULL GROUP BY event, owner_id HAVING count(*) > 1) AS duplicates",
}

# Cannot run while such rows exist.
downgrade_impossible_with_rows = {
    "add uq_host_change_owner_id_event, which these rows contradict": "SELECT count(*) FROM (SELECT 1 FROM host_change WHERE owner_id IS NOT NULL AND event IS NOT NULL GROUP BY owner_id, event HAVING count(*) > 1) AS duplicates",
}


def upgrade() -> None:
    with op.batch_alter_table("host_change") as batch:
        batch.drop_constraint("uq_host_change_owner_id_event", type_="unique")
        batch.create_unique_constraint("uq_host_change_event_owner_id", ["event", "owner_id"])


def downgrade() -> None:
    with op.batch_alter_table("host_change") as batch:
        batch.drop_constraint("uq_host_change_event_owner_id", type_="unique")
        batch.create_unique_constraint("uq_host_change_owner_id_event", ["owner_id", "event"])
