"""References in a write: every key in a body is looked up under the rule of the resource it points to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from host.compiler.expressions import Facts, referred
from host.compiler.models import Attribute, Model
from host.errors import FieldError, Invalid
from host.service.context import Context
from host.service.parents import is_given


def check_references(
    ctx: Context, model: Model, values: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> None:  # fmt: skip
    """Raise Invalid for each relation to a row that does not exist, is hidden from the actor, or has another owner."""
    errors = []
    for name, value in values.items():
        attribute = model.attributes[name]
        is_own = attribute is model.owner and not ctx.actor.is_system  # the actor's own key needs no look-up
        if attribute.relation is None or value is None or is_own:
            continue
        if ctx.under and not attribute.relation.same_owner and is_given(ctx, attribute, value):
            continue
        owner = _owner_value(model, values, before) if attribute.relation.same_owner else None
        if not _exists(ctx, model, attribute, value, owner):
            target = ctx.runtime.registry.models[attribute.relation.to]
            errors.append(FieldError(f"/{name}", "reference", f"there is no such {target.spoken}"))
    if errors:
        raise Invalid("the input refers to what is not there", errors)


def _owner_value(model: Model, values: Mapping[str, Any], before: Mapping[str, Any] | None) -> Any:
    owner = model.owner
    assert owner is not None  # the linker requires it for `same_owner`
    return values.get(owner.name, (before or {}).get(owner.name))


def _exists(ctx: Context, model: Model, attribute: Attribute, value: Any, owner: Any) -> bool:
    relation = attribute.relation
    assert relation is not None
    statement = ctx.runtime.plans.statement(
        (model, "reference", attribute.name, ctx.facts), lambda: _statement(ctx, attribute, ctx.facts)
    )
    parameters = {**ctx.values, "referred": value, "owner_value": owner}
    ctx.transaction.flush()
    return statement.run(ctx.transaction.driver, parameters).fetchone() is not None


def _statement(ctx: Context, attribute: Attribute, facts: Facts) -> Any:
    relation = attribute.relation
    assert relation is not None
    policy = ctx.runtime.policy
    target = ctx.runtime.registry.models[relation.to]
    scope = policy.scope(target, facts)
    column = referred(attribute, scope)
    conditions = [
        column == sa.bindparam("referred", type_=column.type),
        *policy.visible(target, "get", facts),
    ]
    if relation.same_owner and target.owner is not None:
        owner = scope.column(target.owner.name)
        conditions.append(owner == sa.bindparam("owner_value", type_=owner.type))
    return sa.select(sa.literal_column("1")).select_from(target.table).where(*conditions)
