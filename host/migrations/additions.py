"""What a table of another system lacks and can be given beside its rows: statements, and the rows that contradict them.

`adoption` calls it. Nothing is made anew: SQLite's tables get indexes for constraints and triggers for checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import AddConstraint, CreateColumn, CreateIndex, CreateTable

from host.migrations.hazards import identifier
from host.migrations.shapes import (
    CheckShape,
    Constraint,
    ForeignKeyShape,
    IndexShape,
    TableShape,
    UniqueShape,
    replace_names,
)

MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Offending:
    """Rows that contradict an addition: how many groups of them there are, and some in words."""

    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Addition:
    """Something that is missing; `offending` is asked for before it is added."""

    what: str
    statements: tuple[str, ...]
    groups: tuple[str, tuple[str, ...], str] | None = (
        None  # a FROM, expressions, and the condition of bad rows
    )

    def offending(self, connection: sa.Connection) -> Offending | None:
        """The rows that contradict it; None if there are none."""
        if self.groups is None:
            return None
        source, expressions, rest = self.groups
        columns = ", ".join(expressions)
        total = _scalar(connection, f"SELECT count(*) FROM (SELECT {columns} FROM {source} {rest}) AS bad")
        if not total:
            return None
        counted = f"{columns}, count(*)" if "GROUP BY" in rest else columns
        sql = f"SELECT {counted} FROM {source} {rest} ORDER BY {columns} LIMIT {MOST_SHOWN}"
        rows = connection.exec_driver_sql(_escaped(connection, sql)).all()
        return Offending(int(total), tuple(_told(row, is_counted="GROUP BY" in rest) for row in rows))


def _scalar(connection: sa.Connection, sql: str) -> Any:
    return connection.exec_driver_sql(_escaped(connection, sql)).scalar_one()


def _escaped(connection: sa.Connection, sql: str) -> str:
    return sql.replace("%", "%%") if connection.dialect.name == "postgresql" else sql


def _told(row: Sequence[Any], *, is_counted: bool) -> str:
    *values, last = row
    if not is_counted:
        values.append(last)
    text = ", ".join("null" if value is None else str(value) for value in values)
    return f"{text} ({last} rows)" if is_counted else text


def new_table(table: sa.Table, dialect: sa.Dialect) -> Addition:
    """A table that is not there."""
    made = [CreateTable(table), *(CreateIndex(index) for index in _by_name(table))]
    return Addition(f"create table {table.name}", tuple(_sql(each, dialect) for each in made))


def _by_name(table: sa.Table) -> list[sa.Index]:
    return sorted(table.indexes, key=lambda index: str(index.name))


def new_column(column: sa.Column[Any], dialect: sa.Dialect) -> Addition:
    """A column that may be null, so that the other system need not know it."""
    table = column.table.name
    sql = f"ALTER TABLE {identifier(table)} ADD COLUMN {_sql(CreateColumn(column), dialect)}"
    return Addition(f"add column {table}.{column.name}", (sql,))


def new_index(table: sa.Table, shape: IndexShape, dialect: sa.Dialect) -> Addition:
    """An index; of a unique one, the rows that are there twice stand in its way."""
    index = next(each for each in table.indexes if each.name == shape.name)
    kind = "unique index" if shape.unique else "index"
    where = f" AND {shape.where}" if shape.where else ""
    groups = _duplicates(table.name, shape.expressions, where) if shape.unique else None
    return Addition(f"create {kind} {shape.name}", (_sql(CreateIndex(index), dialect),), groups)


def _duplicates(table: str, expressions: Sequence[str], where: str = "") -> tuple[str, tuple[str, ...], str]:
    present = " AND ".join(f"{each} IS NOT NULL" for each in expressions)
    rest = f"WHERE {present}{where} GROUP BY {', '.join(expressions)} HAVING count(*) > 1"
    return identifier(table), tuple(expressions), rest


def new_constraint(table: sa.Table, shape: Constraint, old: TableShape, dialect: sa.Dialect) -> Addition:
    """A constraint; SQLite can give no foreign key to a table that is there."""
    if isinstance(shape, UniqueShape):
        columns = ", ".join(identifier(name) for name in shape.columns)
        sql = f"CREATE UNIQUE INDEX {identifier(shape.name or '')} ON {identifier(table.name)} ({columns})"
        groups = _duplicates(table.name, [identifier(name) for name in shape.columns])
        return Addition(f"create unique index {shape.name}", (sql,), groups)
    if isinstance(shape, ForeignKeyShape):
        return _new_reference(table, shape, dialect)
    return _new_check(table, shape, old, dialect)


def _new_reference(table: sa.Table, shape: ForeignKeyShape, dialect: sa.Dialect) -> Addition:
    key = next(each for each in table.foreign_key_constraints if tuple(each.column_keys) == shape.columns)
    own = [f"here.{identifier(column)}" for column in shape.columns]
    pairs = zip(own, shape.referred, strict=True)
    match = " AND ".join(f"there.{identifier(referred)} = {column}" for column, referred in pairs)
    present = " AND ".join(f"{column} IS NOT NULL" for column in own)
    rest = f"WHERE {present} AND NOT EXISTS (SELECT 1 FROM {identifier(shape.table)} there WHERE {match})"
    groups = (f"{identifier(table.name)} here", tuple(own), rest)
    return Addition(f"add foreign key {shape.name}", (_sql(AddConstraint(key), dialect),), groups)


def _new_check(table: sa.Table, shape: CheckShape, old: TableShape, dialect: sa.Dialect) -> Addition:
    text = shape.texts.get(dialect.name, shape.texts.get("", ""))
    keys = tuple(identifier(name) for name in old.key)
    groups = (identifier(table.name), keys, f"WHERE NOT ({text})")
    name = shape.name or ""
    if dialect.name == "sqlite":
        return Addition(f"add check {name}, held by triggers", tuple(_triggers(table, name, text)), groups)
    check = next(
        each
        for each in table.constraints
        if isinstance(each, sa.CheckConstraint)
        and str(each.name).endswith(name.removeprefix(f"ck_{table.name}_"))
    )
    return Addition(f"add check {name}", (_sql(AddConstraint(check), dialect),), groups)


def _triggers(table: sa.Table, name: str, text: str) -> Iterator[str]:
    """SQLite gives no check to a table that exists; the message is that of one."""
    condition = replace_names(text, {column.name: f"NEW.{column.name}" for column in table.columns})
    for event in ("insert", "update"):
        yield (
            f"CREATE TRIGGER {identifier(f'{name}_{event}')} BEFORE {event.upper()} ON {identifier(table.name)}"
            f" WHEN NOT ({condition}) BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: {name}'); END"
        )


def _sql(element: Any, dialect: sa.Dialect) -> str:
    if isinstance(element, AddConstraint):
        element = AddConstraint(element.element, isolate_from_table=False)
    return " ".join(str(element.compile(dialect=dialect)).split())
