"""Standing below parents: the keys that a nested path fixes are looked up once, each under its own resource's `get` rule.

`web` calls `below` before it does anything with rows; every statement about rows then has the parents' conditions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from host.access import as_sql, facts_of
from host.actor import SYSTEM
from host.compiler.expressions import Facts, Scope, referred, to_sql
from host.compiler.models import Attribute, Model
from host.compiler.parents import Parent
from host.compiler.parents import below as _below
from host.declaration.expressions import Column
from host.errors import FieldError, Invalid, NotFound
from host.service.context import Context
from host.service.runtime import Runtime

Values = dict[str, Any]


def below(ctx: Context, parents: tuple[Parent, ...], keys: Mapping[str, Any]) -> Context:
    """The context of rows below these parents. NotFound where one is not there for this actor, or not below another."""
    placed = replace(ctx, under=parents, parents=keys)
    missing = _missing(placed, ctx.facts)
    if missing is not None:
        model = ctx.runtime.registry.models[missing.target]
        raise NotFound(f"there is no such {model.spoken}")
    return placed


def is_hidden(
    ctx: Context, model: Model, keys: tuple[Any, ...], parents: tuple[Parent, ...], at: Mapping[str, Any]
) -> bool:  # fmt: skip
    """Whether what was not found is there for others: a parent, or the row below it. `keys` are empty for a collection."""
    placed = replace(ctx, under=parents, parents=at)
    if parents and _missing(placed, ctx.facts) is not None:
        return _missing(placed, facts_of(SYSTEM)) is None
    if not keys:
        return False
    plan = ctx.runtime.plans.checked(model, ctx.facts, ("get",), parents)
    with ctx.runtime.database.reading() as connection:
        found = plan.fetch(connection, keys, placed.values)
    return found is not None and not found.verdicts[0]


def keys_of(
    runtime: Runtime, model: Model, by: Attribute, value: Any, parents: tuple[Parent, ...], at: Mapping[str, Any]
) -> tuple[Any, ...] | None:  # fmt: skip
    """The key of the row below these parents whose `by` has this value; no rule is asked. None where there is none."""
    statement = runtime.plans.statement(
        (model, "keys_of", by.name, parents), lambda: _keys_statement(runtime, model, by, parents)
    )
    values = {"by": value, **{parent.bind: at[parent.parameter] for parent in parents}}
    with runtime.database.reading() as connection:
        found = statement.run(connection, values).fetchone()
    if found is None:
        return None
    return tuple(_native(runtime, key, raw) for key, raw in zip(model.keys, found, strict=True))


def _native(runtime: Runtime, key: Attribute, raw: Any) -> Any:
    assert key.column is not None  # keys are stored
    dialect = runtime.database.compiling
    process = key.column.type.dialect_impl(dialect).result_processor(dialect, None)
    return process(raw) if process is not None else raw


def _keys_statement(runtime: Runtime, model: Model, by: Attribute, parents: tuple[Parent, ...]) -> Any:
    scope = runtime.policy.scope(model, facts_of(SYSTEM))
    column = scope.column(by.name)
    told = [column == sa.bindparam("by", type_=column.type), *_below(parents, scope)]
    if model.deleted is not None:
        told.append(scope.column(model.deleted.name).is_(None))
    return sa.select(*(scope.column(key.name) for key in model.keys)).where(*map(as_sql, told))


def given(ctx: Context) -> Values:
    """What the path fixes of a new row itself."""
    return {parent.steps[0]: ctx.parents[parent.parameter] for parent in ctx.under if len(parent.steps) == 1}


def is_given(ctx: Context, attribute: Attribute, value: Any) -> bool:
    """Whether the value of a relation is a parent that has been looked up already."""
    return any(it.relation is attribute and ctx.parents[it.parameter] == value for it in ctx.under)


def check_below(ctx: Context, model: Model, keys: tuple[Any, ...]) -> None:
    """Invalid where a stored row leads to parents that the path does not name."""
    further = tuple(parent for parent in ctx.under if len(parent.steps) > 1)
    if not further:
        return
    plan = ctx.runtime.plans.checked(model, ctx.facts, (), further)
    if plan.fetch(ctx.transaction.driver, keys, ctx.values) is None:
        detail = f"this leads out of the {' and '.join(parent.steps[-1] for parent in further)} of the path"
        raise Invalid(detail, [FieldError(f"/{parent.steps[0]}", "reference", detail) for parent in further])


def _missing(ctx: Context, facts: Facts) -> Parent | None:
    statement = ctx.runtime.plans.statement(
        ("parents", ctx.under, facts), lambda: _statement(ctx, ctx.under, facts)
    )
    if ctx.work is not None:
        ctx.work.flush()
        found = statement.run(ctx.work.driver, ctx.values).fetchone()
    else:
        with ctx.runtime.database.reading() as connection:
            found = statement.run(connection, ctx.values).fetchone()
    return next((parent for parent, there in zip(ctx.under, found, strict=True) if not there), None)


def _statement(ctx: Context, parents: Sequence[Parent], facts: Facts) -> Any:
    """One row that says of each parent whether it is there."""
    return sa.select(*(sa.case((_is_there(ctx, parent, parents, facts), 1), else_=0) for parent in parents))


def _is_there(ctx: Context, parent: Parent, parents: Sequence[Parent], facts: Facts) -> Any:
    policy = ctx.runtime.policy
    model: Model = ctx.runtime.registry.models[parent.target]
    source = model.table.alias()
    scope = policy.scope(model, facts, source)
    conditions = [referred(parent.relation, scope) == parent.value(), *_chained(parent, parents, scope)]
    conditions += policy.visible(model, "get", facts, source)
    return sa.exists(sa.select(sa.literal_column("1")).select_from(source).where(*map(as_sql, conditions)))


def _chained(parent: Parent, parents: Sequence[Parent], scope: Scope) -> list[Any]:
    """The relations of this parent that the path fixes too."""
    length = len(parent.steps)
    return [
        to_sql(Column(other.steps[length:]), scope) == other.value()
        for other in parents
        if len(other.steps) > length and other.steps[:length] == parent.steps
    ]
