"""What administrators see of everybody's ledger. Who may is said by the endpoints."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from host import Context

Row = dict[str, Any]


def events(ctx: Context, data: Row) -> list[Row]:
    """Events, the newest first."""
    table = ctx.table("event")
    asked = {
        "event_type": table.c.event_type,
        "aggregate_type": table.c.aggregate_type,
        "user_id": table.c.user_id,
    }
    conditions = [column == data[name] for name, column in asked.items() if data.get(name)]
    rows = _sliced(ctx, "event", data, *conditions, sort="-id")
    return [{**row, "id": row["event_id"], "user_id": row["owner"]} for row in rows]


def latest_events(ctx: Context, data: Row) -> list[Row]:
    """The newest events."""
    return events(ctx, {**data, "offset": 0})


def contacts(ctx: Context, data: Row) -> list[Row]:
    """Contacts by name."""
    return [{**row, "user_id": row["owner"]} for row in _sliced(ctx, "contact", data, sort="name")]


def transactions(ctx: Context, data: Row) -> list[Row]:
    """Transactions, the newest first."""
    rows = _sliced(ctx, "transaction", data, sort="-transaction_date,-created_at")
    return [{**row, "user_id": row["owner"], "contact_id": row["contact"]} for row in rows]


def total_debt(ctx: Context, data: Row) -> Row:
    """What is lent and owed, in one query."""
    table = ctx.table("transaction")
    found = ctx.execute(
        sa.select(table.c.currency, *(_sum(table, way) for way in ("lent", "owed")))
        .where(*ctx.as_system().records("transaction").visible())
        .group_by(table.c.currency)
        .order_by(table.c.currency)
    )
    debts = [
        {"currency": currency, "lent": int(lent), "owed": int(owed), "total": int(lent) - int(owed)}
        for currency, lent, owed in found
    ]
    return {"total_debt": sum(debt["total"] for debt in debts), "by_currency": debts}


def projections(ctx: Context, data: Row) -> Row:
    """How many rows there are on each side, in two queries."""
    table, system = ctx.table("event"), ctx.as_system()
    counted = sa.select(
        sa.func.count(), sa.func.count(table.c.user_id.distinct()), sa.func.max(table.c.created_at)
    )
    total, users, last = ctx.execute(counted).one()
    return {
        "events": total, "users": users, "last_event_at": last,
        "contacts": system.records("contact").count(), "transactions": system.records("transaction").count(),
    }  # fmt: skip


def rebuild(ctx: Context, data: Row) -> Row:
    """Have contacts and transactions made anew; one job at a time, whoever asks."""
    job = ctx.jobs.enqueue("host.rebuild_log", {"log": "ledger.event"})
    return {"message": "The projections are being rebuilt", "job": job}


def login_logs(ctx: Context, data: Row) -> list[Row]:
    """Sign-ins out of the host's audit log, the newest first."""
    table = ctx.table("host.audit_entry")
    tried = (table.c.kind == "identity", sa.or_(table.c.operation == "sign_in", table.c.status == 401))
    return [_attempt(row) for row in _sliced(ctx, "host.audit_entry", data, *tried, sort="-id")]


def _attempt(row: Row) -> Row:
    is_failure = row["status"] == 401
    return {
        "id": row["id"], "user_id": row["key"] or row["actor"], "ip_address": row["address"], "user_agent": row["agent"],
        "success": not is_failure, "failure_reason": "the name or the password is wrong" if is_failure else None,
        "created_at": row["at"],
    }  # fmt: skip


def _sliced(ctx: Context, name: str, data: Row, *conditions: Any, sort: str) -> list[Row]:
    before = data["offset"]
    found = ctx.as_system().records(name).find_all(*conditions, sort=sort, limit=before + data["limit"])
    return found[before:]


def _sum(table: sa.Table, direction: str) -> Any:
    added = sa.func.sum(table.c.amount).filter(table.c.direction == direction)
    return sa.func.coalesce(added, 0)
