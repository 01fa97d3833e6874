"""Statistics of one client."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from host import Context

from .totals import invoice_totals


def stats(ctx: Context, client: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """What the client has ordered, been billed and paid, in one query."""
    invoices, projects = ctx.table("invoice"), ctx.table("project")
    statement = sa.select(
        *invoice_totals(invoices),
        _counted(ctx, "project", client).label("total_projects"),
        _counted(ctx, "project", client, projects.c.status == "active").label("active_projects"),
        _counted(ctx, "contract", client).label("total_contracts"),
        _tracked(ctx, client).label("tracked_seconds"),
    ).where(invoices.c.client_id == client["id"], *ctx.records("invoice").visible())
    return dict(ctx.execute(statement).mappings().one())


def _counted(ctx: Context, name: str, client: dict[str, Any], *conditions: Any) -> Any:
    table = ctx.table(name)
    counted = sa.select(sa.func.count()).select_from(table)
    wanted = (table.c.client_id == client["id"], *conditions, *ctx.records(name).visible())
    return counted.where(*wanted).scalar_subquery()


def _tracked(ctx: Context, client: dict[str, Any]) -> Any:
    entries, projects = ctx.table("time_entry"), ctx.table("project")
    microseconds = sa.func.coalesce(sa.func.sum(sa.type_coerce(entries.c.duration, sa.BigInteger)), 0)
    tracked = sa.select(sa.cast(microseconds / 1_000_000, sa.BigInteger)).join_from(
        entries, projects, entries.c.project_id == projects.c.id
    )
    wanted = (projects.c.client_id == client["id"], *ctx.records("time_entry").visible())
    return tracked.where(*wanted).scalar_subquery()
