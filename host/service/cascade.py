"""What becomes of the rows that refer to a row that goes.

The database's foreign keys do this where nothing but rows is at stake. Where either side is only marked as deleted, where the
database does not do it by itself (tables of another system), and where files, the journal or an account have to know, the
service does, a bounded number of rows at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from host.compiler.models import ACCOUNT, Attribute, Model
from host.errors import Referenced
from host.service.context import Context
from host.service.log_appending import opened_row

Remove = Callable[[Context, Model, tuple[Any, ...], dict[str, Any]], None]
AT_ONCE = 500  # rows that are held in memory


def clear_referrers(ctx: Context, model: Model, row: dict[str, Any], remove: Remove) -> None:
    """Apply `on_delete` of every relation that points at the row and that the database will not take care of."""
    going, own = ctx.transaction.removing, _key(model, row)
    is_first = own not in going  # rows may refer to each other in a circle
    going.add(own)
    try:
        _clear(ctx, model, row, remove)
    finally:
        if is_first:
            going.discard(own)


def _clear(ctx: Context, model: Model, row: dict[str, Any], remove: Remove) -> None:
    for referrer, attribute in _ours(ctx, model):
        relation = attribute.relation
        assert relation is not None and attribute.column is not None
        name = relation.by if relation.by not in (None, "id") else model.keys[0].name
        value = row[name or ""]
        if relation.on_delete == "cascade":
            _remove_all(ctx, referrer, attribute, value, remove)
        elif relation.on_delete == "set_null":
            _set_null(ctx, referrer, attribute, value)
        elif _fetch(ctx, referrer, attribute, value):
            raise Referenced(f"a {referrer.spoken} still refers to this {model.spoken}")
    if model.deleted is None:
        for column in ctx.runtime.registry.loose_links[model.name]:
            ctx.execute(column.table.delete().where(column == row[model.keys[0].name]))


def _ours(ctx: Context, model: Model) -> tuple[tuple[Model, Attribute], ...]:
    """The relations that the service has to take care of; decided once."""

    def make() -> tuple[tuple[Model, Attribute], ...]:
        found = ctx.runtime.registry.referrers[model.name]
        return tuple(pair for pair in found if _is_ours(ctx, model, *pair, frozenset()))

    return ctx.runtime.plans.kept(("cascade", model.name), model, make)


def _is_ours(
    ctx: Context, model: Model, referrer: Model, attribute: Attribute, above: frozenset[str]
) -> bool:
    relation = attribute.relation
    assert relation is not None
    if model.deleted is not None or referrer.deleted is not None or not _is_enforced(attribute):
        return True
    if relation.on_delete == "set_null":
        return ctx.runtime.journal.is_watching(referrer)
    return relation.on_delete == "cascade" and _has_work(ctx, referrer, above)


def _is_enforced(attribute: Attribute) -> bool:
    """Whether the database's foreign key does what the relation says."""
    assert attribute.column is not None
    return all(key.ondelete is not None for key in attribute.column.foreign_keys)


def _has_work(ctx: Context, model: Model, above: frozenset[str]) -> bool:
    """Whether more than its row goes with a row of the model."""
    registry, runtime = ctx.runtime.registry, ctx.runtime
    if model.name == ACCOUNT or model.files or runtime.journal.is_watching(model):
        return True
    if registry.loose_links[model.name] or model.name in above:
        return bool(registry.loose_links[model.name])
    inside = above | {model.name}
    return any(_is_ours(ctx, model, *pair, inside) for pair in registry.referrers[model.name])


def _remove_all(ctx: Context, referrer: Model, attribute: Attribute, value: Any, remove: Remove) -> None:
    """Remove every row that points at the value. Rows that point at each other are begun with once."""
    going = ctx.transaction.removing
    while rows := [
        row for row in _fetch(ctx, referrer, attribute, value) if _key(referrer, row) not in going
    ]:
        for row in rows:
            remove(ctx, referrer, _key(referrer, row)[1:], row)


def _set_null(ctx: Context, referrer: Model, attribute: Attribute, value: Any) -> None:
    column = attribute.column
    assert column is not None
    journal = ctx.runtime.journal
    update = referrer.table.update().values({column.name: None})
    while journal.is_watching(referrer) and (rows := _fetch(ctx, referrer, attribute, value)):
        for row in rows:
            keys = _key(referrer, row)[1:]
            is_row = [key.column == part for key, part in zip(referrer.keys, keys, strict=True)]
            its_own = opened_row(ctx, referrer, keys) if referrer.declared.logged is not None else ctx
            ctx.execute(update.where(*is_row).values(_touched(its_own, referrer)))
            journal.updated(its_own, referrer, keys, row, {attribute.name: None}, {})
    ctx.execute(update.where(column == value))


def _touched(ctx: Context, model: Model) -> dict[str, Any]:
    """What an event changes beside its values, of a row that is made of events."""
    mixins = model.declared.mixins
    if model.declared.logged is None:
        return {}
    touched: dict[str, Any] = {}
    if mixins.stamped is not None and mixins.stamped.updated is not None:
        touched[_column(model, mixins.stamped.updated).name] = ctx.stamp
    if mixins.versioned is not None:
        version = _column(model, mixins.versioned.name)
        touched[version.name] = version + 1
    return touched


def _column(model: Model, name: str) -> sa.Column[Any]:
    column = model.attributes[name].column
    assert column is not None
    return column


def _key(model: Model, row: dict[str, Any]) -> tuple[Any, ...]:
    return (model.name, *(row[key.name] for key in model.keys))


def _fetch(ctx: Context, referrer: Model, attribute: Attribute, value: Any) -> list[dict[str, Any]]:
    """Some of the rows that point at the value, native ones, held against other writers."""
    reader = ctx.runtime.plans.kept(
        ("referring", referrer.name),
        referrer,
        lambda: ctx.runtime.plans.reader(referrer, ctx.as_system().facts),
    )
    statement = ctx.runtime.plans.statement(
        (referrer, "referring", attribute.name), lambda: _referring(referrer, attribute, reader.columns)
    )
    ctx.transaction.flush()
    found = statement.run(ctx.transaction.driver, {**ctx.values, "referred": value})
    rows: list[dict[str, Any]] = reader.build(found.fetchall())
    return rows


def _referring(referrer: Model, attribute: Attribute, columns: Any) -> Any:
    column = attribute.column
    assert column is not None
    conditions = [column == sa.bindparam("referred", type_=column.type)]
    if referrer.deleted is not None and referrer.deleted.column is not None:
        conditions.append(referrer.deleted.column.is_(None))
    order = [key.column for key in referrer.keys if key.column is not None]
    chosen = sa.select(*columns).select_from(referrer.table).where(*conditions).order_by(*order)
    return chosen.limit(sa.literal_column(str(AT_ONCE))).with_for_update(of=referrer.table)
