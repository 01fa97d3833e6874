# ruff: noqa: E501
"""Events are found by their ids."""

from alembic import op

revision = "0002_3a37f4"
down_revision = "0001_9b17d1"

# Cannot run while such rows exist.
impossible_with_rows = {
    "add uq_ledger_events_event_id_user_id, which these rows contradict": "SELECT count(*) FROM (SELECT 1 FROM ledger_events WHERE event_id IS NOT NULL AND user_id IS NOT NULL GROUP BY event_id, user_id HAVING count(*) > 1) AS duplicates",
}

# Cannot run while such rows exist.
downgrade_impossible_with_rows = {
    "add uq_ledger_events_user_id_event_id, which these rows contradict": "SELECT count(*) FROM (SELECT 1 FROM ledger_events WHERE user_id IS NOT NULL AND event_id IS NOT NULL GROUP BY user_id, event_id HAVING count(*) > 1) AS duplicates",
}


def upgrade() -> None:
    with op.batch_alter_table("ledger_events") as batch:
        batch.drop_constraint("uq_ledger_events_user_id_event_id", type_="unique")
        batch.create_unique_constraint("uq_ledger_events_event_id_user_id", ["event_id", "user_id"])


def downgrade() -> None:
    with op.batch_alter_table("ledger_events") as batch:
        batch.drop_constraint("uq_ledger_events_event_id_user_id", type_="unique")
        batch.create_unique_constraint("uq_ledger_events_user_id_event_id", ["user_id", "event_id"])
