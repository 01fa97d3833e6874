"""Making a row what its events say, past the service: where an event belongs before others, was taken back, or is rebuilt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from host.compiler.models import Model
from host.service.context import Context
from host.service.log_folding import row_of, state_of
from host.service.logs import Subject
from host.service.search import keep_words

Values = dict[str, Any]


def settle(ctx: Context, subject: Subject) -> tuple[Values | None, Values | None]:
    """Write the row that its events make. Answers the native row as it was and as it is; nothing is told to the journal."""
    before = stored_row(ctx, subject.logged.model, subject.key)
    after = row_of(ctx, subject, state_of(ctx, subject))
    write(ctx, subject.logged.model, subject.key, before, after)
    return before, after


def stored_row(ctx: Context, model: Model, key: Any) -> Values | None:
    """The native stored values of a row, also of one that is marked as deleted; held until the end."""
    key_column = model.keys[0].column
    assert key_column is not None
    reader = ctx.runtime.plans.kept(
        ("settling", model.name), model, lambda: ctx.runtime.plans.reader(model, ctx.as_system().facts)
    )

    def make() -> Any:
        chosen = sa.select(*reader.columns).select_from(reader.joined(model.table))
        return chosen.where(key_column == sa.bindparam("key_0", type_=key_column.type)).with_for_update(
            of=model.table
        )

    ctx.transaction.flush()
    statement = ctx.runtime.plans.statement((model, "settling"), make)
    rows = reader.build(statement.run(ctx.transaction.driver, {**ctx.values, "key_0": key}).fetchall())
    return {it.name: rows[0][it.name] for it in model.stored()} if rows else None


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> Values:
    """What of the stored row has to change."""
    return {name: value for name, value in after.items() if before.get(name) != value}


def write(ctx: Context, model: Model, key: Any, before: Values | None, after: Values | None) -> None:
    """Make the stored row `before` into `after`."""
    key_column = model.keys[0].column
    assert key_column is not None
    if after is None:
        if before is not None:
            ctx.execute(model.table.delete().where(key_column == key))
        return
    if before is None:
        ctx.execute(model.table.insert().values(_columns(model, after)))
    elif changed := differing(before, after):
        ctx.execute(model.table.update().where(key_column == key).values(_columns(model, changed)))
    if model.search is not None:
        keep_words(ctx, model, (key,), after)


def _columns(model: Model, values: Mapping[str, Any]) -> Values:
    return {
        column.name: value
        for name, value in values.items()
        if (column := model.attributes[name].column) is not None
    }
