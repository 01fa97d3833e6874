"""What happens by itself: invoices that nobody has paid in time become overdue every night."""

from __future__ import annotations

import logging
from datetime import date
from functools import partial
from typing import Any

from host import Context

AT_ONCE = 500
log = logging.getLogger("hostwright.freelance")


def mark_overdue(ctx: Context) -> dict[str, Any]:
    """Sent invoices whose due date has passed are overdue, of every owner: a batch in each step, each row with its event."""
    today, marked = ctx.now.date(), 0
    while True:
        found = ctx.step(f"after {marked}", partial(_mark, today))
        marked += found
        if found < AT_ONCE:
            log.info("%d invoices are overdue since today", marked, extra={"marked": marked})
            return {"marked": marked}


def _mark(today: date, ctx: Context) -> int:
    invoice = ctx.table("invoice").c
    late = (invoice.status == "sent", invoice.due_date < today)
    return ctx.records("invoice").update_all(*late, values={"status": "overdue"}, limit=AT_ONCE)
