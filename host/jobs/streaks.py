"""How webhooks fare: failures in a row are counted over all events, and after many of them nothing is sent any more.

A row of `host.webhook` is there once a request has failed. What is not sent while a webhook is disabled stays in the outbox;
the first event that was missed is noted, from which it is sent again when somebody enables the webhook.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from host.events.event import Event
from host.service.runtime import Runtime

WEBHOOK: Final = "host.webhook"
LONGEST_REASON: Final = 500


def note_missed(runtime: Runtime, name: str, event: Event) -> bool:
    """Whether the webhook is disabled; then the event is noted as not sent."""
    table = _table(runtime)
    disabled = table.c.disabled_at.is_not(None)
    chosen = sa.select(table.c.missed).where(table.c.name == name, disabled)
    with runtime.database.snapshot() as connection:
        row = connection.execute(chosen).first()
    if row is None:
        return False
    if row.missed is None or row.missed > (event.id or 0):
        earlier = sa.or_(table.c.missed.is_(None), table.c.missed > event.id)
        with runtime.database.writing() as connection:
            connection.execute(
                table.update().where(table.c.name == name, disabled, earlier).values(missed=event.id)
            )
    return True


def note_success(runtime: Runtime, name: str) -> None:
    """The streak is over, if there was one."""
    table = _table(runtime)
    failing = [table.c.name == name, table.c.failures > 0]
    with runtime.database.snapshot() as connection:
        if connection.execute(sa.select(table.c.name).where(*failing)).first() is None:
            return
    with runtime.database.writing() as connection:
        over = {"failures": 0, "failed_at": None, "reason": None, "changed_at": _now()}
        connection.execute(table.update().where(*failing).values(over))


def note_failure(runtime: Runtime, name: str, event: Event, status: int | None, reason: str) -> None:
    """One more in a row; at the bound the webhook is disabled."""
    table, now = _table(runtime), _now()
    with runtime.database.writing() as connection:
        failures = connection.execute(_failed(runtime, table, name, status, reason, now)).scalar_one()
        if failures >= runtime.events.webhook_failures:
            _disable(connection, table, name, event, now)


def disable(runtime: Runtime, name: str, event: Event, status: int | None, reason: str) -> None:
    """At once: the receiver has said that it wants no more."""
    table, now = _table(runtime), _now()
    with runtime.database.writing() as connection:
        connection.execute(_failed(runtime, table, name, status, reason, now))
        _disable(connection, table, name, event, now)


def enable(runtime: Runtime, name: str) -> int | None:
    """Send again from now on. Answers the number of the first event that was missed, if one was."""
    table = _table(runtime)
    with runtime.database.writing() as connection:
        missed = connection.execute(
            sa.select(table.c.missed).where(table.c.name == name).with_for_update()
        ).scalar()
        enabled = {
            "failures": 0,
            "failed_at": None,
            "disabled_at": None,
            "missed": None,
            "changed_at": _now(),
        }
        connection.execute(table.update().where(table.c.name == name).values(enabled))
    return missed


def _disable(connection: sa.Connection, table: sa.Table, name: str, event: Event, now: datetime) -> None:
    still = [table.c.name == name, table.c.disabled_at.is_(None)]
    connection.execute(table.update().where(*still).values(disabled_at=now, missed=event.id))


def _failed(
    runtime: Runtime, table: sa.Table, name: str, status: int | None, reason: str, now: datetime
) -> Any:  # fmt: skip
    insert = postgresql.insert if runtime.database.dialect == "postgresql" else sqlite.insert
    told = {"reason": reason[:LONGEST_REASON], "status": status, "changed_at": now}
    first = insert(table).values(name=name, failures=1, failed_at=now, **told)
    again = {**told, "failures": table.c.failures + 1, "failed_at": sa.func.coalesce(table.c.failed_at, now)}
    return first.on_conflict_do_update(index_elements=[table.c.name], set_=again).returning(table.c.failures)


def _table(runtime: Runtime) -> sa.Table:
    return runtime.registry.model(WEBHOOK).table


def _now() -> datetime:
    return datetime.now(UTC)
