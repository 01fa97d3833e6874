"""Creating many rows at once, as imports do: one statement stores them, one for each relation and one for the rule check them.

The meaning is that of `writing.create` for each row. A batch is refused as a whole and without a reason; the caller then
repeats it row by row through `writing`, which says what is wrong with which row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from host.access import Operation
from host.compiler.expressions import any_of, referred
from host.compiler.models import Attribute, Model
from host.database import violation_of
from host.fields.columns import DjangoUid
from host.query.related import in_keys
from host.service.context import Context
from host.service.plans import write_rule
from host.service.references import counterpart, shared_by
from host.service.search import keep_many
from host.service.writing import completed

Values = dict[str, Any]


class BatchRefused(Exception):
    """Some row of the batch cannot be stored."""


def is_plain(ctx: Context, model: Model, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these rows can be stored together: no plugin code runs, nothing is counted or linked, no rule needs each row."""
    given = {name for row in rows for name in row}
    counted = [
        attribute.name for attribute in model.attributes.values() if attribute.field.counter is not None
    ]
    return (
        model.declared.prepare is None
        and model.declared.log is None
        and model.declared.logged is None
        and not model.firsts
        and not any(_is_rewritten(attribute) for attribute in model.attributes.values())
        and all(row.get(name) is not None for name in model.drawn for row in rows)
        and given <= model.attributes.keys()
        and all(row.get(name) is not None for name in counted for row in rows)
        and all(_is_free(ctx, model, name) for name in given)
        and _is_askable(ctx, model)
        and _is_known(ctx, model, rows)
    )


def _is_known(ctx: Context, model: Model, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether journal and index can be told every key: the database does not tell those that it gives to many rows."""
    key = model.keys[0].name
    return (
        model.declared.key != "int"
        or (model.search is None and not ctx.runtime.journal.is_watching(model))
        or all(key in row for row in rows)
    )


def _is_free(ctx: Context, model: Model, name: str) -> bool:
    """Whether everyone may set the field, or this actor whatever the row."""
    rule = write_rule(model, name)
    return not rule or ctx.facts.is_system or any_of(rule, ctx.runtime.policy.scope(model, ctx.facts)) is True


def _is_rewritten(attribute: Attribute) -> bool:
    """Whether the column holds other texts than rows do, so that the two cannot be compared as they are."""
    return attribute.column is not None and isinstance(attribute.column.type, DjangoUid)


def _is_askable(ctx: Context, model: Model) -> bool:
    """Whether the rule is decided, or can be asked for a set of keys that are known before the rows are stored."""
    predicate = ctx.runtime.policy.predicate(model, "create", ctx.facts)
    return predicate is True or (
        predicate is not False and len(model.keys) == 1 and model.declared.key != "int"
    )


def create_batch(ctx: Context, model: Model, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store rows for which `is_plain` holds. Raises BatchRefused; undo to a savepoint then."""
    complete = [completed(ctx, model, dict(row)) for row in rows]
    _insert_all(ctx, model, complete)
    if model.search is not None:
        keep_many(ctx, model, complete)
    for row in complete:
        ctx.runtime.journal.created(ctx, model, tuple(row[key.name] for key in model.keys), row, {})
    for attribute in model.attributes.values():
        if attribute.relation is not None:
            _check_references(ctx, model, attribute, complete)
    _check_rule(ctx, model, complete)


def _insert_all(ctx: Context, model: Model, rows: Sequence[Values]) -> None:
    given: Collection[str] = {name for row in rows for name in row}
    names = tuple(attribute.name for attribute in model.stored() if attribute.name in given)
    if any(key.name in names and key.name not in row for key in model.keys for row in rows):
        raise BatchRefused  # some rows bring their key, some get it from the database
    statement = ctx.runtime.plans.statement(
        (model, "insert_many", names), lambda: _insert_statement(model, names)
    )
    bound = [statement.bind({f"v_{name}": row.get(name) for name in names}) for row in rows]
    ctx.transaction.flush()
    try:
        ctx.transaction.driver.cursor().executemany(statement.sql, bound)
    except Exception as error:
        if violation_of(error) is None:
            raise
        raise BatchRefused from error


def _insert_statement(model: Model, names: Sequence[str]) -> Any:
    columns = {name: column for name in names if (column := model.attributes[name].column) is not None}
    return model.table.insert().values(
        {column.name: sa.bindparam(f"v_{name}", type_=column.type) for name, column in columns.items()}
    )


def _check_references(ctx: Context, model: Model, attribute: Attribute, rows: Sequence[Values]) -> None:
    """Every row referred to exists for the actor, and has the same owner where the relation wants it."""
    relation, owner = attribute.relation, model.owner
    if relation is None or (attribute is owner and not ctx.facts.is_system):
        return
    shared = shared_by(model, attribute)
    wanted = {
        (row[attribute.name], *(row.get(name) for name in shared))
        for row in rows
        if row.get(attribute.name) is not None
    }
    if not wanted:
        return
    statement = ctx.runtime.plans.statement(
        (model, "references", attribute.name, ctx.facts), lambda: _references_statement(ctx, model, attribute)
    )
    found = _ask(ctx, statement, [value for value, *_ in wanted])
    if not wanted <= set(map(tuple, found.fetchall())):
        raise BatchRefused


def _references_statement(ctx: Context, model: Model, attribute: Attribute) -> Any:
    relation = attribute.relation
    assert relation is not None
    policy, dialect = ctx.runtime.policy, ctx.runtime.database.dialect
    target = ctx.runtime.registry.models[relation.to]
    scope = policy.scope(target, ctx.facts)
    column = referred(attribute, scope)
    shared = [scope.column(counterpart(model, target, name)) for name in shared_by(model, attribute)]
    conditions = policy.visible(target, "get", ctx.facts)
    return sa.select(column, *shared).select_from(target.table).where(in_keys(column, dialect), *conditions)


def _check_rule(ctx: Context, model: Model, rows: Sequence[Values]) -> None:
    key = model.keys[0]
    predicate = ctx.runtime.policy.predicate(model, "create", ctx.facts)
    if predicate is not True and not are_allowed(ctx, model, "create", [row[key.name] for row in rows]):
        raise BatchRefused


def are_allowed(ctx: Context, model: Model, operation: Operation, keys: Sequence[Any]) -> bool:
    """Whether the rule of an operation holds for each of the rows with these keys, as they are stored."""
    predicate = ctx.runtime.policy.predicate(model, operation, ctx.facts)
    if isinstance(predicate, bool):
        return predicate
    statement = ctx.runtime.plans.statement(
        (model, "allowed", operation, ctx.facts), lambda: _allowed_statement(ctx, model, predicate)
    )
    allowed: int = _ask(ctx, statement, keys).fetchone()[0]
    return allowed == len(set(keys))


def _allowed_statement(ctx: Context, model: Model, predicate: Any) -> Any:
    key = ctx.runtime.policy.scope(model, ctx.facts).column(model.keys[0].name)
    counted = sa.select(sa.func.count()).select_from(model.table)
    return counted.where(in_keys(key, ctx.runtime.database.dialect), predicate)


def _ask(ctx: Context, statement: Any, keys: Sequence[Any]) -> Any:
    """Run a statement over many keys, which are one parameter."""
    unique = list(dict.fromkeys(keys))
    listed: Any = (
        orjson.dumps(unique, default=str).decode() if ctx.runtime.database.dialect == "sqlite" else unique
    )
    return statement.run(ctx.transaction.driver, {**ctx.values, "keys": listed})
