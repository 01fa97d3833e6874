"""Filters and searched words as SQL conditions. Texts are compared without regard to case on both databases."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from host.compiler.expressions import Scope, to_sql
from host.declaration.expressions import Column
from host.query.parameters import Filter, ListQuery
from host.query.search import sought_values


def filtered(item: Filter, scope: Scope) -> Any:
    """What a filter compares: a column of the listed row, or of the row that relations lead to."""
    return (
        to_sql(Column((*item.relations, item.attribute.name)), scope)
        if item.relations
        else scope.column(item.attribute.name)
    )


def condition(item: Filter, column: Any, name: str) -> Any:
    """One filter as SQL; what it compares with is a parameter of this name, so that the statement serves every value."""
    match item.operator:
        case "null":
            if item.attribute.is_file:  # Django has empty texts for no file
                column = sa.func.nullif(column, "")
            return column.is_(None) if item.value else column.is_not(None)
        case "in":
            names = [f"{name}_{index}" for index in range(len(item.value))]
            return column.in_([sa.bindparam(part, type_=column.type) for part in names])
        case "contains" | "starts":
            return sa.func.lower(column).like(sa.bindparam(name, type_=sa.Text()), escape="\\")
    value = sa.bindparam(name, type_=column.type)
    compared = {
        "eq": column == value,
        "gt": column > value,
        "gte": column >= value,
        "lt": column < value,
        "lte": column <= value,
    }
    return sa.or_(column != value, column.is_(None)) if item.operator == "ne" else compared[item.operator]


def found(name: str, fields: Sequence[str], scope: Scope) -> Any:
    """Rows that have the word of this parameter in one of the searched fields."""
    columns = [scope.column(field) for field in fields]
    pattern = sa.bindparam(name, type_=sa.Text())
    return sa.or_(sa.false(), *(sa.func.lower(column).like(pattern, escape="\\") for column in columns))


def asked_values(query: ListQuery, dialect: str) -> dict[str, Any]:
    """The values of a query's parameters: `asked_0…` of its filters, `word_0…` and those of `search` of its search."""
    values: dict[str, Any] = {}
    for index, item in enumerate(query.filters):
        values |= _operands(item, f"asked_{index}")
    values |= sought_values(query.sought, dialect)
    return values | {f"word_{index}": f"%{_escaped(word)}%" for index, word in enumerate(query.words)}


def _operands(item: Filter, name: str) -> dict[str, Any]:
    match item.operator:
        case "null":
            return {}
        case "in":
            return {f"{name}_{index}": value for index, value in enumerate(item.value)}
        case "contains":
            return {name: f"%{_escaped(item.value.lower())}%"}
        case "starts":
            return {name: f"{_escaped(item.value.lower())}%"}
    return {name: item.value}


def asked_shape(query: ListQuery) -> Hashable:
    """Everything of a query but its values: queries of one shape share a plan."""
    filters = tuple((item.attribute, item.operator, item.relations, _form(item)) for item in query.filters)
    sought = query.sought.shape if query.sought is not None else None
    return replace(query, filters=(), words=(), sought=None), filters, len(query.words), sought


def _form(item: Filter) -> Hashable:
    """What of a filter's value the statement depends on."""
    return {"null": item.value, "in": len(item.value) if item.operator == "in" else 0}.get(item.operator)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
