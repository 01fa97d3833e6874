"""The daily clean-up of this plugin's own tables; sign-ins and idempotency keys are the host's, which has its own."""

from __future__ import annotations

import logging
from datetime import timedelta

import sqlalchemy as sa

from host import Context

log = logging.getLogger("hostwright.ledger")


def clean_up(ctx: Context) -> dict[str, int]:
    """Remove old reminders for good, and old snapshots: what they save can always be read from the events."""
    removed = {"reminders": _reminders(ctx), "snapshots": _snapshots(ctx)}
    log.info(
        "cleaned up: %(reminders)d reminders, %(snapshots)d snapshots", removed, extra={"removed": removed}
    )
    return removed


def _reminders(ctx: Context) -> int:
    table = ctx.table("reminder")
    before = ctx.now - timedelta(days=ctx.settings["keep_sent_days"])
    is_done = sa.and_(table.c.status != "pending", table.c.updated_at < before)
    return ctx.execute(table.delete().where(sa.or_(is_done, table.c.deleted_at < before))).rowcount


def _snapshots(ctx: Context) -> int:
    table = ctx.table("host.snapshot")
    before = ctx.now - timedelta(days=ctx.settings["keep_snapshot_days"])
    return ctx.execute(table.delete().where(table.c.log == "ledger.event", table.c.at < before)).rowcount
