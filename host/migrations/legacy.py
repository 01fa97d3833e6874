"""Tables that another system made and goes on using: what of them is as good as what is declared.

Such tables have other names for constraints, other words for types and columns of their own. `accommodated` answers the shape
as it is declared wherever the difference does not matter, so that a comparison finds the differences that do. `comparison`
asks it for tables that are `stored` as another system stores them, `adoption` for all that it takes over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from host.migrations.shapes import (
    CheckShape,
    ColumnShape,
    Constraint,
    ForeignKeyShape,
    IndexShape,
    TableShape,
    UniqueShape,
)

_TEXTS = ("VARCHAR", "CHAR", "TEXT")
_INTEGERS = ("BIGINT", "INTEGER", "SMALLINT", "INT")
# What a column type of the declaration is in the words of a database, where that has several.
_SQLITE: Mapping[str, tuple[str, ...]] = {
    "sa.Boolean": ("BOOLEAN", "BOOL"),
    "columns.Instant": ("VARCHAR",),
    "columns.DjangoInstant": ("DATETIME", "TIMESTAMP"),
    "columns.Uid": ("VARCHAR", "CHAR"),
    "columns.DjangoUid": ("CHAR",),
    "columns.Day": ("DATE", "VARCHAR"),
    "columns.TimeOfDay": ("TIME", "VARCHAR"),
    "columns.Exact": ("NUMERIC", "DECIMAL"),
    "columns.Json": ("TEXT", "JSON"),
    "sa.Double": ("REAL", "DOUBLE", "FLOAT", "DOUBLE PRECISION"),
}
# The service takes care of these, so it does not matter what the database does.
_CARRIED_OUT = (None, "CASCADE", "SET NULL", "RESTRICT")


def accommodated(old: TableShape, new: TableShape, database: str, held: frozenset[str]) -> TableShape:
    """The table as it is declared where it is as good as that; columns of the other system are not looked at.

    `held` are the names of checks that triggers hold where a table takes no more checks.
    """
    columns = {
        name: replace(new.columns[name], nullable=column.nullable)
        if fits(new.columns[name], column, database)
        else column
        for name, column in old.columns.items()
        if name in new.columns
    }
    constraints = tuple(each for each in new.constraints if is_met(each, old, held))
    indexes = tuple(each for each in new.indexes if is_indexed(each, old))
    key = new.key if has_key(old, new) else old.key
    return replace(old, columns=columns, constraints=constraints, indexes=indexes, key=key)


def fits(declared: ColumnShape, live: ColumnShape, database: str) -> bool:
    """Whether the column takes and gives what the declaration says, whatever its type is called."""
    if declared.type == live.type:
        return True
    here, there = parts(declared.type), parts(live.type)
    kind = declared.code.partition("(")[0]
    if kind in ("sa.String", "sa.Text") and there[0] in _TEXTS:
        return there[1] is None or (here[1] is not None and here[1] <= there[1])
    if here[0] in _INTEGERS:
        return there[0] in _INTEGERS
    return database == "sqlite" and there[0] in _SQLITE.get(kind, ())


def parts(kind: str) -> tuple[str, int | None]:
    """A type's word and its size."""
    match = re.fullmatch(r"([A-Z]+(?: [A-Z]+)*?)(?: UNSIGNED)?(?:\((\d+)[\d,]*\))?", kind)
    return (match[1], int(match[2]) if match[2] else None) if match else (kind, None)


def is_met(declared: Constraint, old: TableShape, held: frozenset[str]) -> bool:
    """Whether the table holds to a constraint, by whatever name and means."""
    if isinstance(declared, UniqueShape):
        return frozenset(declared.columns) in _unique_sets(old)
    if isinstance(declared, ForeignKeyShape):
        return any(_is_same_key(declared, each) for each in old.constraints)
    same = (each for each in old.constraints if isinstance(each, CheckShape))
    return declared.name in held or any(each.sql == declared.sql for each in same)


def _unique_sets(table: TableShape) -> set[frozenset[str]]:
    plain = [each for each in table.indexes if each.unique and each.where is None]
    found = {frozenset(each.expressions) for each in plain} | {frozenset(table.key)}
    return found | {frozenset(each.columns) for each in table.constraints if isinstance(each, UniqueShape)}


def _is_same_key(declared: ForeignKeyShape, live: Constraint) -> bool:
    if not isinstance(live, ForeignKeyShape):
        return False
    is_done = declared.on_delete is None and live.on_delete in _CARRIED_OUT
    return (declared.columns, declared.table, declared.referred) == (
        live.columns, live.table, live.referred
    ) and (is_done or declared.on_delete == live.on_delete)  # fmt: skip


def is_indexed(declared: IndexShape, old: TableShape) -> bool:
    """Whether the table has such an index by any name, or one that serves as well."""
    if declared.unique:
        same = (each for each in old.indexes if each.unique)
        return any((each.expressions, each.where) == (declared.expressions, declared.where) for each in same)
    leading = [each.expressions for each in old.indexes if each.where in (None, declared.where)]
    leading += [each.columns for each in old.constraints if isinstance(each, UniqueShape)] + [old.key]
    return any(each[: len(declared.expressions)] == declared.expressions for each in leading)


def has_key(old: TableShape, new: TableShape) -> bool:
    """Whether what is declared to be the key is it, or occurs once beside a key that the other system counts."""
    if old.key == new.key:
        return True
    extra = [name for name in old.key if name not in new.columns]
    return len(extra) == len(old.key) == 1 and frozenset(new.key) in _unique_sets(old)
