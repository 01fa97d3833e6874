"""Time entries: durations, the timer, statistics and invoices made of them."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import sqlalchemy as sa

from host import Change, Context, Duplicate, Invalid, NotFound

Row = dict[str, Any]
CENT = Decimal("0.01")
SECOND = timedelta(seconds=1)
MINUTE, HOUR = 60_000_000, 3_600_000_000  # in microseconds, as durations are stored
RUNNING = "something is running already: stop it first"


def prepare(ctx: Context, change: Change) -> None:
    """Compute the duration in whole seconds; what has ended is no timer any more."""
    end = change.get("end_time")
    change.values["duration"] = None if end is None else (end - change.get("start_time")) // SECOND * SECOND
    if end is not None:
        change.values["is_timer"] = False


# --- the timer --------------------------------------------------------------------------------------------------------


def start_timer(ctx: Context, data: Row) -> Row:
    """Begin an entry now. One owner has one started timer: a unique index decides between two that start at once."""
    entries = ctx.records("time_entry")
    if entries.count(end_time=None):
        raise Invalid.at("", "check", RUNNING)
    values: Row = {name: data[name] for name in ("description", "is_billable", "hourly_rate") if name in data}
    project = data.get("project_id") or data.get("projectId")
    try:
        return entries.create({**values, "project": project, "start_time": ctx.now, "is_timer": True})
    except Duplicate:
        raise Invalid.at("", "check", RUNNING) from None


def stop(ctx: Context, entry: Row, data: Row) -> Row:
    """End an entry, now or when the caller says."""
    if entry["end_time"] is not None:
        raise Invalid.at("", "check", "this entry is not running")
    return ctx.records("time_entry").update(entry["id"], {"end_time": data.get("end_time") or ctx.now})


def active_timer(ctx: Context, data: Row) -> Row | None:
    """The entry that is running; the latest, where the timer's sister surface has started several."""
    running = ctx.records("time_entry").find_all(end_time=None, sort="-start_time", limit=1)
    return running[0] if running else None


# --- statistics -------------------------------------------------------------------------------------------------------


def summary(ctx: Context, data: Row) -> Row:
    """Totals of the entries in a period, in one query."""
    entries, projects = ctx.table("time_entry"), ctx.table("project")
    billable = entries.c.is_billable.is_(True)
    spent = sa.type_coerce(entries.c.duration, sa.BigInteger)
    rate = sa.type_coerce(
        sa.func.coalesce(entries.c.hourly_rate, projects.c.hourly_rate, 0), sa.types.NullType()
    )
    statement = (
        sa.select(
            sa.func.count(entries.c.end_time),
            sa.func.count().filter(entries.c.end_time.is_(None)),
            sa.func.coalesce(sa.func.sum(spent), 0),
            sa.func.coalesce(sa.func.sum(spent).filter(billable), 0),
            sa.func.coalesce(sa.func.sum(spent * rate).filter(billable), 0),
        )
        .join_from(entries, projects, entries.c.project_id == projects.c.id, isouter=True)
        .where(*_period(entries, data), *ctx.records("time_entry").visible())
    )
    row: Any = ctx.execute(statement).one()
    finished, running, total, billed, worth = row
    return {
        "total_entries": finished,
        "running_entries": running,
        "total_minutes": _in_units(total, MINUTE),
        "billable_minutes": _in_units(billed, MINUTE),
        "non_billable_minutes": _in_units(total, MINUTE) - _in_units(billed, MINUTE),
        "total_hours": _in_units(total, HOUR),
        "billable_hours": _in_units(billed, HOUR),
        "billable_amount": _in_units(worth, HOUR),
    }


def _period(entries: sa.Table, data: Row) -> list[Any]:
    conditions = []
    if (start := data.get("startDate")) is not None:
        conditions.append(entries.c.start_time >= start)
    if (end := data.get("endDate")) is not None:
        conditions.append(entries.c.start_time <= _end_of(end))
    if project := data.get("projectId"):
        conditions.append(entries.c.project_id == project)
    return conditions


def _end_of(moment: datetime) -> datetime:
    """A bare day comes as its midnight and means the whole of it."""
    return moment + timedelta(days=1, microseconds=-1) if moment.time() == time() else moment


def _in_units(number: Any, unit: int) -> Decimal:
    return (Decimal(str(number)) / unit).quantize(CENT, ROUND_HALF_UP)


# --- invoices ---------------------------------------------------------------------------------------------------------


def generate_invoice(ctx: Context, data: Row) -> Row:
    """A draft invoice with one line for each entry, at the rate of the entry or else of its project."""
    wanted = tuple(dict.fromkeys(data["entryIds"]))
    entries = ctx.records("time_entry").find_all(ctx.table("time_entry").c.id.in_(wanted), sort="start_time")
    if len(entries) != len(wanted):
        raise NotFound("there is no such time entry")
    for entry in entries:
        _check_billable(entry)
    rates = _project_rates(ctx, entries)
    return ctx.records("invoice").create(
        {
            "client": data["clientId"],
            "due_date": data["dueDate"],
            "items": [_line(entry, rates) for entry in entries],
            "tax": data.get("tax"),
            "notes": data.get("notes"),
        }
    )


def _check_billable(entry: Row) -> None:
    if entry["duration"] is None:
        raise Invalid.at("/entryIds", "check", "an entry is still running: stop it first")
    if not entry["is_billable"]:
        raise Invalid.at("/entryIds", "check", "an entry is not billable")


def _project_rates(ctx: Context, entries: list[Row]) -> dict[str, Decimal | None]:
    keys = {entry["project"] for entry in entries if entry["project"]}
    projects = ctx.records("project").find_all(ctx.table("project").c.id.in_(keys)) if keys else []
    return {project["id"]: project["hourly_rate"] for project in projects}


def _line(entry: Row, rates: dict[str, Decimal | None]) -> Row:
    own = entry["hourly_rate"]
    hours = Decimal(entry["duration"] // SECOND) / 3600
    return {
        "description": entry["description"][:1000] or "Time",
        "quantity": hours.quantize(Decimal("0.000001"), ROUND_HALF_UP),
        "rate": own if own is not None else rates.get(entry["project"]) or Decimal(0),
    }
