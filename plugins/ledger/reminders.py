"""Reminders: what happens to one that is changed, and how the due ones are mailed.

Marking a reminder and wanting its mail are one transaction: either both are there after a crash, or neither. The mail is a
job, which is carried out at least once; its message id is the reminder's, so that a mail that came twice is told as one.
"""

from __future__ import annotations

import logging
from typing import Any

from host import Change, Context, Invalid

Row = dict[str, Any]
log = logging.getLogger("hostwright.ledger")


def prepare(ctx: Context, change: Change) -> None:
    """One that is set for another time waits again."""
    before = change.before or {}
    if change.operation == "update" and change.get("scheduled_at") != before["scheduled_at"]:
        change.values.update(status="pending", sent_at=None, reason=None)


def send_due(ctx: Context) -> dict[str, int]:
    """Have the reminders mailed that are due, the longest overdue first; answers how many."""
    table = ctx.table("reminder")
    due = (table.c.status == "pending", table.c.scheduled_at <= ctx.now)
    found = ctx.records("reminder").find_all(*due, sort="scheduled_at", limit=ctx.settings["reminder_batch"])
    marked = [_handed_on(ctx, row["id"]) for row in found] if ctx.mail.is_on else []
    told = {
        "sent": marked.count("sent"), "undeliverable": marked.count("undeliverable"),
        "waiting": ctx.records("reminder").count(*due),
    }  # fmt: skip
    log.info(
        "reminders: %(sent)d sent, %(undeliverable)d undeliverable, %(waiting)d waiting",
        told,
        extra={"reminders": told},
    )
    return told


def _handed_on(ctx: Context, key: str) -> str | None:
    """Mark one reminder, and have it mailed; what it has become."""
    row = ctx.records("reminder").lock(key)
    if row["status"] != "pending":
        return None  # of another run, which was quicker
    reason = _mailed(ctx, row)
    status = "sent" if reason is None else "undeliverable"
    sent_at = ctx.now if reason is None else None
    ctx.records("reminder").update(key, {"status": status, "sent_at": sent_at, "reason": reason})
    return status


def _mailed(ctx: Context, row: Row) -> str | None:
    """Have one reminder mailed, or say why it cannot be."""
    account = ctx.records("host.account").get(row["owner"])
    if not account["active"]:
        return "the account is not active"
    if not account["email"]:
        return "the account has no e-mail address"
    # The time is part of the id: one that is set for another time is another mail.
    moment = int(row["scheduled_at"].timestamp())
    try:
        ctx.mail.send(account["email"], "reminder", _told(ctx, row), mail_id=f"reminder-{row['id']}-{moment}")
    except Invalid as error:  # such as letters that no subject can hold: others must not wait for it
        return error.detail
    return None


def _told(ctx: Context, row: Row) -> Row:
    """What the mail says."""
    message = row["message"] or "Here is the reminder that you asked for."
    return {
        "subject": row["reminder_type"].replace("_", " "), "message": message,
        "scheduled_at": f"{row['scheduled_at']:%Y-%m-%d %H:%M}", "transaction": _transaction(ctx, row["transaction"]),
    }  # fmt: skip


def _transaction(ctx: Context, key: str | None) -> Row | None:
    found = ctx.records("transaction").find(key) if key is not None else None
    if found is None:
        return None
    contact = ctx.records("contact").get(found["contact"])
    names = ("direction", "amount", "currency", "description", "due_date")
    return {
        **{name: found[name] for name in names},
        "date": found["transaction_date"],
        "contact": contact["name"],
    }
