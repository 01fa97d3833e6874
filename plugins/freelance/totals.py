"""Counts and sums over invoices as SQL columns, for the statistics of invoices and of clients."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

UNPAID = ("sent", "pending")  # both mean: the client has it and has not paid


def invoice_totals(table: sa.Table) -> list[Any]:
    """The columns of `invoice_summary`; sums are decimals, and 0 where there is nothing to add."""
    paid, pending = table.c.status == "paid", table.c.status.in_(UNPAID)
    return [
        sa.func.count().label("total_invoices"),
        sa.func.count().filter(paid).label("paid_count"),
        sa.func.count().filter(pending).label("pending_count"),
        sa.func.count().filter(table.c.status == "overdue").label("overdue_count"),
        added(table.c.total, paid).label("total_paid"),
        added(table.c.total, pending).label("total_pending"),
        added(table.c.total).label("total_amount"),
    ]


def added(column: Any, condition: Any = None) -> Any:
    """The sum of a decimal column over the rows that fulfil a condition."""
    total = sa.func.sum(column)
    return sa.func.coalesce(total if condition is None else total.filter(condition), 0)
