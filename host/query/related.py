"""Rows that belong to the rows of a page: found by a list of keys that is one parameter, in an order, and bounded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from host.compiler.aggregates import json_array
from host.compiler.expressions import Scope
from host.compiler.models import Link
from host.compiler.readers import Reader

MOST_RELATED = 100  # rows embedded for one row of the page


def key_list(keys: Sequence[Any], dialect: str) -> Any:
    """The keys as the one parameter that `in_keys` compares with."""
    return orjson.dumps(keys, default=str).decode() if dialect == "sqlite" else keys


def in_keys(column: Any, dialect: str) -> Any:
    """Membership in a list that is one parameter, so that the statement is the same for any number of keys."""
    keys: Any = sa.bindparam("keys", type_=sa.types.NullType())
    if dialect == "sqlite":
        return column.in_(sa.select(sa.column("value")).select_from(sa.func.json_each(keys)))
    array = sa.cast(keys, postgresql.ARRAY(_kind(column)))
    return column == sa.func.any(array)


def places_by_related(link: Link, dialect: str) -> Any:
    """Each row that is linked to rows of the page: its key, and as JSON the places of those rows in the list of keys."""
    assert link.table is not None and link.here is not None and link.there is not None
    keys: Any = sa.bindparam("keys", type_=sa.types.NullType())
    if dialect == "sqlite":
        listed: Any = sa.func.json_each(keys).table_valued("key", "value", name="listed")
        place, value = listed.c.key, listed.c.value
    else:
        elements = sa.func.json_array_elements_text(sa.cast(keys, postgresql.JSON))
        listed = elements.table_valued("value", with_ordinality="key", name="listed").render_derived()
        place, value = listed.c.key - 1, sa.cast(listed.c.value, _kind(link.here))
    return (
        sa.select(link.there.label("related_key"), json_array(place).label("places"))
        .select_from(sa.join(listed, link.table, link.here == value))
        .group_by(link.there)
        .subquery("linked")
    )


def _kind(column: Any) -> Any:
    return column.type.dialect_impl(postgresql.dialect())  # type: ignore[no-untyped-call]


def many_related(
    link: Link, scope: Scope, reader: Reader, visible: Sequence[Any], order: Sequence[Any], dialect: str
) -> Any:  # fmt: skip
    """Related rows in an order, at most MOST_RELATED for each row of the page, the key of that row behind them."""
    assert scope.model is not None
    key = scope.column(scope.model.keys[0].name)
    joined: Any = reader.joined(scope.source)
    if link.back is not None:
        parent = scope.column(link.back)
    else:
        assert link.table is not None and link.there is not None
        parent = link.here
        joined = sa.join(joined, link.table, link.there == key)
    number = sa.func.row_number().over(partition_by=parent, order_by=[*order, key]).label("row_in_parent")
    labelled = [column.label(f"r{index}") for index, column in enumerate(reader.columns)]
    inner = (
        sa.select(*labelled, parent.label("parent_key"), number)
        .select_from(joined)
        .where(in_keys(parent, dialect), *visible)
        .subquery("ranked")
    )
    return (
        sa.select(*(inner.c[f"r{index}"] for index in range(reader.width)), inner.c.parent_key)
        .where(inner.c.row_in_parent <= MOST_RELATED)
        .order_by(inner.c.parent_key, inner.c.row_in_parent)
    )
