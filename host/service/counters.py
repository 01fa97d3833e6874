"""Numbers that the server counts: each value of `per` has its own counter, a row that its users queue for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from host.compiler.models import Attribute, Model
from host.service.context import Context

COUNTER = "host.counter"
_NEXT = """INSERT INTO host_counter (name, scope, value) VALUES (:name, :scope, :start)
ON CONFLICT (name, scope) DO UPDATE SET value = host_counter.value + 1 RETURNING value"""


def next_number(ctx: Context, model: Model, attribute: Attribute, values: Mapping[str, Any]) -> Any:
    """The next number in its declared format.

    The counter's row stays locked until the transaction ends, so two writers never get the same number and a rolled back
    one leaves no gap. Numbers that imported rows use already are passed over.
    """
    counter = attribute.field.counter
    assert counter is not None
    scope = values.get(counter.per) if counter.per is not None else None
    while True:
        parameters = {"name": f"{model.name}.{attribute.name}", "scope": str(scope or ""), "start": counter.start}
        number = ctx.transaction.connection.execute(sa.text(_NEXT), parameters).scalar_one()
        value = counter.format.format(n=number) if attribute.field.type != "integer" else number
        if not _is_taken(ctx, model, attribute, counter.per, scope, value):
            return value


def _is_taken(ctx: Context, model: Model, attribute: Attribute, per: str | None, scope: Any, value: Any) -> bool:
    assert attribute.column is not None
    conditions = [attribute.column == value]
    if per is not None:
        column = model.attributes[per].column
        conditions.append(column == scope)  # type: ignore[arg-type]  # the linker requires a stored field
    found = ctx.transaction.connection.execute(sa.select(sa.literal(1)).select_from(model.table).where(*conditions))
    return found.first() is not None
