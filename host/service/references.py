"""References in a write: every key in a body is looked up under the rule of the resource it points to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from host.compiler.expressions import Facts, referred
from host.compiler.models import ACCOUNT, Attribute, Model
from host.errors import FieldError, Invalid
from host.service.context import Context
from host.service.identities import check_row
from host.service.parents import is_given


def check_references(
    ctx: Context, model: Model, values: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> None:  # fmt: skip
    """Raise Invalid for each relation to a row that does not exist, is hidden from the actor, or has another owner."""
    errors = []
    row = {**(before or {}), **values}
    for name in dict.fromkeys((*values, *_following(model, values, before))):
        attribute, value = model.attributes[name], row.get(name)
        if attribute.relation is None or value is None or _is_own(ctx, model, attribute):
            continue
        shared = {shared: row.get(shared) for shared in shared_by(model, attribute)}
        if ctx.under and not shared and is_given(ctx, attribute, value):
            continue
        if not _is_known(ctx, model, attribute, value, shared):
            target = ctx.runtime.registry.models[attribute.relation.to]
            alike = f" with the same {' and '.join(shared)}" if attribute.relation.same else ""
            check_row(ctx, target, value)
            errors.append(FieldError(f"/{name}", "reference", f"there is no such {target.spoken}{alike}"))
    if errors:
        raise Invalid("the input refers to what is not there", errors)


def _is_own(ctx: Context, model: Model, attribute: Attribute) -> bool:
    """Whether it is the actor's own key, which needs no look-up where every account has its row."""
    if attribute is not model.owner or ctx.actor.is_system:
        return False
    has_row = ctx.actor.account.get("mirrored") is not False
    return has_row or (attribute.relation is not None and attribute.relation.to == ACCOUNT)


def shared_by(model: Model, attribute: Attribute) -> tuple[str, ...]:
    """The attributes of which the row and the one that it refers to must have the same values."""
    relation = attribute.relation
    assert relation is not None
    owner = (model.owner.name,) if relation.same_owner and model.owner is not None else ()
    return tuple(dict.fromkeys((*owner, *relation.same)))


def _following(
    model: Model, values: Mapping[str, Any], before: Mapping[str, Any] | None
) -> Iterator[str]:  # fmt: skip
    """Relations that are not written themselves, and that what is written has to go on agreeing with."""
    for attribute in model.attributes.values() if before is not None else ():
        if attribute.relation is not None and not values.keys().isdisjoint(attribute.relation.same):
            yield attribute.name


def counterpart(model: Model, target: Model, name: str) -> str:
    """The attribute over there that a shared one is compared with: owners with owners, others by their names."""
    is_owner = model.owner is not None and name == model.owner.name and target.owner is not None
    return target.owner.name if is_owner and target.owner is not None else name


def _is_known(
    ctx: Context, model: Model, attribute: Attribute, value: Any, shared: Mapping[str, Any]
) -> bool:
    """Whether the row is there; who writes many rows that refer to few does not look it up each time."""
    known = ctx.transaction.known
    if known is None:
        return _exists(ctx, model, attribute, value, shared)
    assert attribute.relation is not None
    there = known.setdefault(attribute.relation.to, set())
    place = (ctx.actor, ctx.facts, model.name, attribute.name, value, *shared.items())
    if place not in there and _exists(ctx, model, attribute, value, shared):
        there.add(place)
    return place in there


def _exists(ctx: Context, model: Model, attribute: Attribute, value: Any, shared: Mapping[str, Any]) -> bool:
    statement = ctx.runtime.plans.statement(
        (model, "reference", attribute.name, ctx.facts), lambda: _statement(ctx, model, attribute, ctx.facts)
    )
    parameters = {**ctx.values, "referred": value, **{f"same_{name}": it for name, it in shared.items()}}
    ctx.transaction.flush()
    return statement.run(ctx.transaction.driver, parameters).fetchone() is not None


def _statement(ctx: Context, model: Model, attribute: Attribute, facts: Facts) -> Any:
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
    for name in shared_by(model, attribute):
        there = scope.column(counterpart(model, target, name))
        conditions.append(there == sa.bindparam(f"same_{name}", type_=there.type))
    return sa.select(sa.literal_column("1")).select_from(target.table).where(*conditions)
