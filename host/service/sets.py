"""Changing many rows to the same values with one statement, each noted as every write is: for plugins' jobs.

Only as the system, for whom no rule counts, and only where a row's change touches nothing but its row. `ctx.records` calls it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from host.compiler.models import ACCOUNT, Model
from host.compiler.statements import compile_statement
from host.database import violation_of
from host.service.context import Context
from host.service.violations import refusal

Values = Mapping[str, Any]
Row = dict[str, Any]


def update_all(ctx: Context, model: Model, conditions: Sequence[Any], values: Values, limit: int) -> int:
    """Set the values of so many of the rows that fulfil the conditions; answers how many there were."""
    _check(ctx, model, values)
    ctx.transaction.flush()
    rows = _held(ctx, model, conditions, limit)
    key = model.keys[0]
    assert key.column is not None
    stored = _stamped(ctx, model, values)
    if rows:
        changing = model.table.update().where(key.column.in_([row[key.name] for row in rows])).values(stored)
        try:
            ctx.execute(changing)
        except sa.exc.DBAPIError as error:
            violation = violation_of(error.orig) if error.orig is not None else None
            if violation is None:
                raise
            raise refusal(ctx, model, violation, deleting=False) from error
    for row in rows:
        changed = {name: value for name, value in values.items() if row.get(name) != value}
        if changed:
            ctx.runtime.journal.updated(ctx, model, (row[key.name],), row, changed, {})
    return len(rows)


def _check(ctx: Context, model: Model, values: Values) -> None:
    """A programming error, where this would leave out what `update` does."""
    if not ctx.facts.is_system:
        raise RuntimeError("only the system changes rows without asking for each: ctx.as_system()")
    declared, letters = model.declared, model.search.letters if model.search is not None else {}
    is_more_than_a_row = (
        model.name == ACCOUNT
        or len(model.keys) != 1
        or declared.log is not None
        or declared.logged is not None
        or not letters.keys().isdisjoint(values)
        or not set(model.files).isdisjoint(values)
        or not all(name in model.attributes and model.attributes[name].is_stored for name in values)
    )
    if is_more_than_a_row:
        raise RuntimeError(
            f"{', '.join(values)} of {model.name} cannot be set at once: use update() for each row"
        )


def _held(ctx: Context, model: Model, conditions: Sequence[Any], limit: int) -> list[Row]:
    """The rows as they are, held against other writers."""
    reader = ctx.runtime.plans.reader(model, ctx.facts)
    visible = ctx.runtime.policy.visible(model, "list", ctx.facts)
    order = [key.column for key in model.keys if key.column is not None]
    wanted = sa.select(*reader.columns).where(*visible, *conditions).order_by(*order).limit(limit)
    run = compile_statement(wanted.with_for_update(of=model.table), ctx.runtime.database.compiling)
    rows: list[Row] = reader.build(run.run(ctx.transaction.driver, ctx.values).fetchall())
    return rows


def _stamped(ctx: Context, model: Model, values: Values) -> dict[str, Any]:
    """The values by their columns, with what every change of a row sets."""
    stored = {model.attributes[name].column.name: value for name, value in values.items()}  # type: ignore[union-attr]  # stored ones have a column
    stamped = model.declared.mixins.stamped
    if stamped is not None and stamped.updated is not None:
        column = model.attributes[stamped.updated].column
        assert column is not None
        stored[column.name] = ctx.now
    if model.version is not None and model.version.column is not None:
        stored[model.version.column.name] = model.version.column + 1
    return stored
