"""Rows of the host's own logs, added many with one statement over the driver's connection: audit entries and events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from host.compiler.statements import compile_statement
from host.database import Database
from host.fields.columns import Json, instant_text

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Appender:
    """Adds to one table whose key the database counts. JSON documents are given as texts, and instants in `at`."""

    database: Database
    table: sa.Table
    _kept: dict[str, str] = field(default_factory=dict)

    def add(self, driver: Any, rows: Sequence[Row]) -> None:
        """Add rows."""
        sql = self._sql("add")
        self._bind(rows)
        if len(rows) == 1:
            driver.execute(sql, rows[0])
        else:
            driver.cursor().executemany(sql, rows)

    def add_numbered(self, driver: Any, rows: Sequence[Row]) -> list[int]:
        """Add rows, and answer the numbers that they got, in order."""
        self._bind(rows)
        if self.database.dialect == "sqlite":
            sql = self._sql("add")
            return [driver.execute(sql, row).lastrowid for row in rows]
        cursor = driver.cursor()
        cursor.executemany(self._sql("number", returns=True), rows, returning=True)
        found = [cursor.fetchone()[0]]
        while cursor.nextset():
            found.append(cursor.fetchone()[0])
        return found

    def _bind(self, rows: Sequence[Row]) -> None:
        if self.database.dialect == "sqlite":
            for row in rows:  # the only value that its driver does not take as it is
                row["at"] = instant_text(row["at"])

    def _sql(self, key: str, *, returns: bool = False) -> str:
        sql = self._kept.get(key)
        if sql is None:
            statement = _inserting(self.table)
            made = statement.returning(self.table.c.id) if returns else statement
            sql = self._kept[key] = compile_statement(made, self.database.compiling).sql
        return sql


def _inserting(table: sa.Table) -> Any:
    """One statement for every row. Documents are JSON text already."""
    given = {column.name: _given(column) for column in table.c if column.name != "id"}
    return table.insert().values(given)


def _given(column: sa.Column[Any]) -> Any:
    if isinstance(column.type, Json):
        return sa.cast(sa.bindparam(column.name, type_=sa.Text()), column.type)
    return sa.bindparam(column.name, type_=column.type)
