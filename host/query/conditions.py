"""Filters and searched words as SQL conditions. Texts are compared without regard to case on both databases."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from host.compiler.expressions import Scope, to_sql
from host.declaration.expressions import Column
from host.query.parameters import Filter


def filtered(item: Filter, scope: Scope) -> Any:
    """What a filter compares: a column of the listed row, or of the row that relations lead to."""
    return (
        to_sql(Column((*item.relations, item.attribute.name)), scope)
        if item.relations
        else scope.column(item.attribute.name)
    )


def condition(item: Filter, column: Any) -> Any:
    """One filter as SQL."""
    match item.operator:
        case "null":
            return column.is_(None) if item.value else column.is_not(None)
        case "in":
            return column.in_([sa.literal(value, type_=column.type) for value in item.value])
        case "contains":
            return sa.func.lower(column).like(sa.literal(f"%{_escaped(item.value.lower())}%"), escape="\\")
        case "starts":
            return sa.func.lower(column).like(sa.literal(f"{_escaped(item.value.lower())}%"), escape="\\")
    value = sa.literal(item.value, type_=column.type)
    compared = {
        "eq": column == value,
        "gt": column > value,
        "gte": column >= value,
        "lt": column < value,
        "lte": column <= value,
    }
    return sa.or_(column != value, column.is_(None)) if item.operator == "ne" else compared[item.operator]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def found(word: str, scope: Scope) -> Any:
    """Rows that have the word in one of the searched fields."""
    assert scope.model is not None  # a list has rows
    columns = [scope.column(name) for name in scope.model.declared.query.search]
    pattern = sa.literal(f"%{_escaped(word)}%")
    return sa.or_(sa.false(), *(sa.func.lower(column).like(pattern, escape="\\") for column in columns))
