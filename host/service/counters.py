"""Numbers that the server counts: each value of `per` has its own counter, a row that its users queue for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from host.compiler.models import Attribute, Model
from host.service.context import Context

COUNTER = "host.counter"


def next_number(ctx: Context, model: Model, attribute: Attribute, values: Mapping[str, Any]) -> Any:
    """The next number in its declared format.

    The counter's row stays locked until the transaction ends, so two writers never get the same number and a rolled back
    one leaves no gap. Numbers that imported rows use already are passed over.
    """
    counter = attribute.field.counter
    assert counter is not None
    scope = values.get(counter.per) if counter.per is not None else None
    statement = ctx.runtime.plans.statement(("count",), lambda: _count_up(ctx))
    parameters = {"name": f"{model.name}.{attribute.name}", "scope": str(scope or ""), "start": counter.start}
    while True:
        number = statement.run(ctx.transaction.driver, parameters).fetchone()[0]
        value = counter.format.format(n=number) if attribute.field.type != "integer" else number
        if not _is_taken(ctx, model, attribute, scope, value):
            return value


def _count_up(ctx: Context) -> Any:
    table = ctx.runtime.registry.models[COUNTER].table
    insert = postgresql.insert if ctx.runtime.database.dialect == "postgresql" else sqlite.insert
    given = {
        "name": sa.bindparam("name"),
        "scope": sa.bindparam("scope"),
        "value": sa.bindparam("start", type_=sa.BigInteger()),
    }
    return (
        insert(table)
        .values(given)
        .on_conflict_do_update(
            index_elements=[table.c.name, table.c.scope], set_={"value": table.c.value + 1}
        )
        .returning(table.c.value)
    )


def _is_taken(ctx: Context, model: Model, attribute: Attribute, scope: Any, value: Any) -> bool:
    statement = ctx.runtime.plans.statement(
        (model, "counted", attribute.name), lambda: _with_number(model, attribute)
    )
    return statement.run(ctx.transaction.driver, {"number": value, "scope": scope}).fetchone() is not None


def _with_number(model: Model, attribute: Attribute) -> Any:
    column, per = attribute.column, attribute.field.counter.per if attribute.field.counter else None
    assert column is not None
    conditions = [column == sa.bindparam("number", type_=column.type)]
    within = model.attributes[per].column if per is not None else None
    if within is not None:
        conditions.append(within == sa.bindparam("scope", type_=within.type))
    return sa.select(sa.literal_column("1")).select_from(model.table).where(*conditions)
