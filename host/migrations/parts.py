"""Tables that several owners share: the account, to which plugins add columns.

An added column belongs to the plugin that added it, with the constraints and indexes over it: the plugin's revisions make
it and take it away, and the table's owner never looks at it, whether the plugin is enabled or not. The ledger records such
a column as `table.column`. Called by `comparison` and `runner`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

import sqlalchemy as sa

from host.migrations.owners import Owner
from host.migrations.reflection import read_columns
from host.migrations.shapes import CheckShape, Constraint, IndexShape, TableShape

Columns = frozenset[str]


def declared_columns(owners: Iterable[Owner]) -> dict[str, str]:
    """Whose every added column is by declaration, as `table.column`."""
    columns = (column for owner in owners for table in owner.tables for column in table.columns)
    return {
        f"{column.table.name}.{column.name}": column.info["owner"] for column in columns if is_added(column)
    }


def is_added(column: sa.Column[object]) -> bool:
    """Whether a declared column belongs to another than its table."""
    return column.info.get("owner") is not None


def split(shape: TableShape, columns: Mapping[str, str], owner: str | None) -> TableShape:
    """What of a table belongs to one who added columns; with None what belongs to the table's own owner."""
    added = {
        name: columns[f"{shape.name}.{name}"] for name in shape.columns if f"{shape.name}.{name}" in columns
    }
    mine = frozenset(name for name in shape.columns if added.get(name) == owner)
    others = frozenset(added) if owner is None else mine

    def belongs(item: Constraint | IndexShape) -> bool:
        return _is_over(shape.name, item, others) is (owner is not None)

    return replace(
        shape,
        columns={name: column for name, column in shape.columns.items() if name in mine},
        key=shape.key if owner is None else (),
        constraints=tuple(each for each in shape.constraints if belongs(each)),
        indexes=tuple(each for each in shape.indexes if belongs(each)),
    )


def _is_over(table: str, item: Constraint | IndexShape, columns: Columns) -> bool:
    """Whether a constraint or index is about one of these columns."""
    if isinstance(item, CheckShape):
        return item.name in {f"ck_{table}_{column}" for column in columns}
    if isinstance(item, IndexShape):
        return any(not columns.isdisjoint(re.findall(r"\w+", text)) for text in item.expressions)
    return not columns.isdisjoint(item.columns)


def shared_columns(connection: sa.Connection, ledger: Mapping[str, str], owner: str) -> Columns:
    """The columns of tables that belong to others, as `table.column`: a revision of `owner` may add to them."""
    foreign = {table for table, plugin in ledger.items() if plugin != owner and "." not in table}
    return frozenset(f"{table}.{column}" for table, column in read_columns(connection) if table in foreign)
