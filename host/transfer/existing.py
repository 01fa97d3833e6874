"""Finding the row that a record of an import is about: by its key, else by the first unique values that it has all of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import sqlalchemy as sa

from host.compiler.models import Model
from host.compiler.tables import uniques
from host.compiler.wires import CompiledWire
from host.declaration.nodes import Unique
from host.service.context import Context


def find_existing(
    ctx: Context, wire: CompiledWire, values: Mapping[str, Any], identity: Mapping[str, Any]
) -> tuple[Any, ...] | None:  # fmt: skip
    """The key of the row that the actor can see and that has the record's key or unique values; None for a new row."""
    model = wire.model
    known = {**values, **_native(ctx, wire, identity)}
    owned = model.declared.mixins.owned
    if owned is not None and not ctx.actor.is_system:
        known.setdefault(owned.name, ctx.actor.key(owned.by))
    by_key = tuple(key.name for key in model.keys)
    if all(known.get(name) is not None for name in by_key):
        found = _find(ctx, model, Unique(fields=by_key), known)
        if found is not None:
            return found
    for unique in uniques(model):
        if unique.where is None and all(known.get(name) is not None for name in unique.fields):
            return _find(ctx, model, unique, known)
    return None


def _native(ctx: Context, wire: CompiledWire, identity: Mapping[str, Any]) -> dict[str, Any]:
    """Key values of a record that only look the row up. One that cannot be a key finds nothing."""
    found = {}
    for key in wire.model.keys:
        value = identity.get(wire.outer.get(key.name, key.name))
        if value is not None:
            with suppress(ValueError):
                found[key.name] = ctx.runtime.registry.kinds[key.field.type].parse(str(value), key.field)
    return found


def _find(ctx: Context, model: Model, unique: Unique, known: Mapping[str, Any]) -> tuple[Any, ...] | None:
    statement = ctx.runtime.plans.statement(
        (model, "existing", unique.fields, unique.lower, ctx.facts, ctx.under),
        lambda: _statement(ctx, model, unique),
    )
    ctx.transaction.flush()
    parameters = {**ctx.values, **{f"v_{name}": known[name] for name in unique.fields}}
    found: Sequence[Any] | None = statement.run(ctx.transaction.driver, parameters).fetchone()
    return tuple(found) if found is not None else None


def _statement(ctx: Context, model: Model, unique: Unique) -> Any:
    scope = ctx.runtime.policy.scope(model, ctx.facts)
    conditions = []
    for name in unique.fields:
        column = scope.column(name)
        value: Any = sa.bindparam(f"v_{name}", type_=column.type)
        is_folded = name in unique.lower
        conditions.append(sa.func.lower(column) == sa.func.lower(value) if is_folded else column == value)
    visible = ctx.runtime.policy.visible(model, "get", ctx.facts, parents=ctx.under)
    keys = [scope.column(key.name) for key in model.keys]
    return sa.select(*keys).select_from(model.table).where(*conditions, *visible)
