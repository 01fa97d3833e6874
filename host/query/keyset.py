"""The order of a list as SQL, and where a page begins: rows behind the values of a cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from host.query.parameters import Order


class _AsFetched(sa.types.UserDefinedType[Any]):
    """Values of a cursor: they came from the driver and go back to it, so no column type may convert them."""

    cache_ok = True


def ordered(column: Any, step: Order, dialect: str) -> Any:
    """One ORDER BY term. Nulls come first when ascending, on both databases."""
    term = column.desc() if step.is_descending else column.asc()
    if not step.attribute.is_nullable or dialect == "sqlite":
        return term
    return term.nulls_last() if step.is_descending else term.nulls_first()


def after_cursor(order: Sequence[Order], columns: Sequence[Any], nulls: Sequence[bool], dialect: str) -> Any:
    """The rows behind a cursor, whose values are the binds `cursor_0…`.

    One row-value comparison where every step runs the same way over columns without nulls, which an index can serve;
    else the expanded form.
    """
    binds = [sa.bindparam(f"cursor_{index}", type_=_AsFetched()) for index in range(len(order))]
    directions = {step.is_descending for step in order}
    if len(directions) == 1 and not any(step.attribute.is_nullable for step in order):
        left, right = sa.tuple_(*columns), sa.tuple_(*binds)
        return left < right if directions.pop() else left > right
    steps = []
    for index, step in enumerate(order):
        same = [_equal(columns[i], binds[i], nulls[i]) for i in range(index)]
        behind = _behind(columns[index], binds[index], step, is_null=nulls[index])
        if behind is not None:
            steps.append(sa.and_(*same, behind))
    return sa.or_(*steps) if steps else sa.false()


def _equal(column: Any, bind: Any, is_null: bool) -> Any:
    return column.is_(None) if is_null else column == bind


def _behind(column: Any, bind: Any, step: Order, *, is_null: bool) -> Any:
    if step.is_descending:  # nulls are last
        if is_null:
            return None
        return sa.or_(column < bind, column.is_(None)) if step.attribute.is_nullable else column < bind
    return column.is_not(None) if is_null else column > bind
