"""Contracts: the currency, duplication, statistics and the list of templates."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from host import Change, Context

from .templates import CONTRACTS, listed
from .totals import added

Row = dict[str, Any]
COPIED = ("client", "content", "type", "start_date", "end_date", "value", "currency", "parties", "terms")
STATUSES = ("draft", "sent", "signed", "active", "completed", "terminated", "cancelled")


def prepare(ctx: Context, change: Change) -> None:
    """Fill in the currency."""
    change.values["currency"] = (change.get("currency") or ctx.settings["default_currency"]).upper()


def duplicate(ctx: Context, contract: Row, data: Row) -> Row:
    """A new draft with the same content, not signed by anybody."""
    copied = {name: contract[name] for name in COPIED}
    return ctx.records("contract").create({**copied, "title": f"{contract['title'][:248]} (Copy)"})


def summary(ctx: Context, data: Row) -> Row:
    """Counts by status and sums, in one query."""
    table = ctx.table("contract")
    counts = [
        sa.func.count().filter(table.c.status == status).label(f"{status}_count") for status in STATUSES
    ]
    statement = sa.select(
        sa.func.count().label("total_contracts"),
        *counts,
        added(table.c.value).label("total_value"),
        added(table.c.value, table.c.status.in_(("signed", "active"))).label("active_value"),
    ).where(*ctx.records("contract").visible())
    return dict(ctx.execute(statement).mappings().one())


def templates(ctx: Context, data: Row) -> list[Row]:
    """The kinds of contract that clients offer."""
    return listed(CONTRACTS)
