"""What becomes of the rows that refer to a row that goes.

The database's foreign keys do this for rows that are really deleted; where either side is only marked as deleted, where the
foreign key was made by another system, and where the journal has to know, the service does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from host.compiler.models import Attribute, Model
from host.errors import Referenced
from host.service.context import Context

Remove = Callable[[Context, Model, tuple[Any, ...], dict[str, Any]], None]


def clear_referrers(ctx: Context, model: Model, row: dict[str, Any], remove: Remove) -> None:
    """Apply `on_delete` of every relation that points at the row and that the database will not take care of."""
    for referrer, attribute in ctx.runtime.registry.referrers[model.name]:
        relation = attribute.relation
        assert relation is not None and attribute.column is not None
        if not _is_ours(ctx, model, referrer, relation.on_delete):
            continue
        name = relation.by if relation.by not in (None, "id") else model.keys[0].name
        rows = _rows(ctx, referrer, attribute, row[name or ""])
        if rows and relation.on_delete == "restrict":
            raise Referenced(f"a {referrer.spoken} still refers to this {model.spoken}")
        for keys in rows:
            if relation.on_delete == "cascade":
                before = ctx.runtime.plans.checked(referrer, ctx.facts, ()).fetch(
                    ctx.transaction.driver, keys, ctx.values
                )
                remove(ctx, referrer, keys, before.row() if before is not None else {})
            elif relation.on_delete == "set_null":
                conditions = [key.column == value for key, value in zip(referrer.keys, keys, strict=True)]
                ctx.execute(referrer.table.update().where(*conditions).values({attribute.column.name: None}))
                was, now = {attribute.name: row[name or ""]}, {attribute.name: None}
                ctx.runtime.journal.updated(ctx, referrer, keys, was, now, {})


def _is_ours(ctx: Context, model: Model, referrer: Model, on_delete: str) -> bool:
    """Whether the database will not do it: it knows no marks, and it tells the journal of nothing."""
    if model.deleted is not None or referrer.deleted is not None:
        return True
    journal = ctx.runtime.journal
    return (
        bool(journal.watches)
        if on_delete == "cascade"
        else on_delete == "set_null" and journal.is_watching(referrer)
    )


def _rows(ctx: Context, referrer: Model, attribute: Attribute, value: Any) -> list[tuple[Any, ...]]:
    scope = ctx.runtime.policy.scope(referrer, ctx.facts)
    conditions = [scope.column(attribute.name) == value]
    if referrer.deleted is not None:
        conditions.append(scope.column(referrer.deleted.name).is_(None))
    found = ctx.execute(sa.select(*(scope.column(key.name) for key in referrer.keys)).where(*conditions))
    return [tuple(row) for row in found]
