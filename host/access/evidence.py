"""What a clause of a rule looked at: the values that a comparison compared, the rows that `member()` and `any()` found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from host.access.clauses import Clause
from host.compiler.expressions import Scope, belongs, to_sql
from host.compiler.models import ACCOUNT, Model
from host.declaration.expressions import Call, Column, Compare, Expr, Me, Word, parse

MOST_ROWS = 5  # of one relation


def compared(clause: Clause, scope: Scope) -> dict[str, Any]:
    """The SQL of what stands on both sides of a comparison, by how it is written."""
    expr = parse(clause.text)
    sides = (expr.left, expr.right) if isinstance(expr, Compare) else (expr,)
    return {_spelled(side): _sql(side, scope) for side in sides if _is_value(side, scope)}


def _is_value(side: Expr, scope: Scope) -> bool:
    """Whether it stands for something that the row or the actor has; a named rule does not."""
    if isinstance(side, Column):
        return scope.model is not None and side.path[0] in scope.model.attributes
    return isinstance(side, Me) or side == Word("owner")


def _spelled(side: Expr) -> str:
    if isinstance(side, Column):
        return ".".join(side.path)
    return ".".join(("me", *side.path)) if isinstance(side, Me) else "owner"


def _sql(side: Expr, scope: Scope) -> Any:
    if side == Word("owner") and scope.model is not None and scope.model.owner is not None:
        return scope.column(scope.model.owner.name)
    if isinstance(side, Me) and not scope.facts.is_authenticated:
        return sa.null()
    return to_sql(side, scope)


def related(
    connection: sa.Connection, clause: Clause, scope: Scope, where: Any, values: Mapping[str, Any]
) -> list[dict[str, Any]] | None:
    """The rows over there that a `member()`, `any()` or `all()` is about; None where the clause is no such thing."""
    expr = parse(clause.text)
    link = _link(expr, scope)
    if link is None or scope.model is None:
        return None
    inner = scope.inside(scope.models[link.target])
    assert inner.model is not None
    columns = _told(inner.model, inner)
    statement = (
        sa.select(*columns).select_from(inner.source).where(
            sa.exists(sa.select(sa.literal(1)).select_from(scope.model.table).where(*where, belongs(link, scope, inner))),
            *_own(inner),
        ).order_by(*(inner.column(key.name) for key in inner.model.keys)).limit(MOST_ROWS)
    )  # fmt: skip
    return [dict(row._mapping) for row in connection.execute(statement, values)]


def _link(expr: Expr, scope: Scope) -> Any:
    if not isinstance(expr, Call) or expr.name not in ("member", "any", "all") or scope.model is None:
        return None
    first = expr.arguments[0]
    return (
        scope.model.links.get(first.path[-1]) if isinstance(first, Column) and len(first.path) == 1 else None
    )


def _own(inner: Scope) -> list[Any]:
    """Where the rows over there are those of accounts, the actor's alone."""
    assert inner.model is not None
    names = [
        it.name for it in inner.model.stored() if it.relation is not None and it.relation.account is not None
    ]
    conditions = [to_sql(Compare("==", Column((name,)), Me()), inner) for name in names]
    identity = inner.model.declared.identity
    if inner.model.name == ACCOUNT or identity is not None:
        form = identity.key if identity is not None else "id"
        conditions = [to_sql(Compare("==", Column(("id",)), Me((form,))), inner)]
    return [sa.or_(*conditions)] if conditions and inner.facts.is_authenticated else []


def _told(model: Model, inner: Scope) -> list[Any]:
    """The columns that say what such a row is: its key, its relations, and short values that are no secret."""
    kinds = ("enum", "boolean", "integer")
    return [
        inner.column(attribute.name).label(attribute.name)
        for attribute in model.stored()
        if attribute.is_key
        or attribute.relation is not None
        or (attribute.field.type in kinds and not attribute.field.secret and not attribute.field.read)
    ]


def scope_of(scope: Scope, clause: Clause) -> Scope:
    """Where a clause stands: its plugin's named rules, the same row."""
    return replace(scope, plugin=clause.plugin)
