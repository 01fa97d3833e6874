"""What an event of a row that is made of a log has changed: the outbox refers to the log instead of repeating it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from host.compiler.models import Model
from host.service.log_folding import Happened, events_of, fold, happened, row_of, selected
from host.service.logs import CompiledLogged, Subject

if TYPE_CHECKING:
    from host.service.context import Context


def changes_of_entry(ctx: Context, model: Model, entry: str) -> dict[str, list[Any]]:
    """The changes that an event in the log has made to its row, in Python's own values; none where it is gone."""
    logged = ctx.runtime.logs.logged.get(model.name)
    found = _entry(ctx, logged, entry) if logged is not None else None
    if logged is None or found is None:
        return {}
    subject, told = found
    until = [it for it in events_of(ctx, subject) if it.sequence <= told.sequence]
    before = row_of(ctx, subject, fold(logged, [it for it in until if it.sequence < told.sequence])) or {}
    after = row_of(ctx, subject, fold(logged, until)) or {}
    names = dict.fromkeys([*before, *after])
    return {
        name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)
    }


def _entry(ctx: Context, logged: CompiledLogged, entry: str) -> tuple[Subject, Happened] | None:
    """An event in the log by its id, and the row that it is about."""
    log = logged.log
    owner, number = log.owner.column, log.column("id")
    assert owner is not None
    statement = ctx.runtime.plans.statement(
        (log.model, "entry"),
        lambda: sa.select(owner, *selected(log)).where(number == sa.bindparam("entry", type_=number.type)),
    )
    row = statement.run(ctx.transaction.driver, {"entry": entry}).fetchone()
    if row is None:
        return None
    told = happened(ctx, log, row[1:])
    return Subject(logged, row[0], told.key), told
