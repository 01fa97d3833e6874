"""What a user's contacts owe altogether: noted in every event that is made here."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from host import Context


def after(ctx: Context, row: dict[str, Any]) -> dict[str, int]:
    """The total after a change."""
    table = ctx.table("transaction")
    owed = table.c.direction == "owed"
    total = sa.func.coalesce(sa.func.sum(sa.case((owed, -table.c.amount), else_=table.c.amount)), 0)
    found = ctx.execute(sa.select(total).where(table.c.user_id == row["owner"], table.c.deleted_at.is_(None)))
    return {"total_debt": int(found.scalar_one())}
