"""SQLite's cautions while a revision runs.

Alembic changes a table of SQLite by making it anew: triggers, expression indexes and descending order go with the
old one, and with foreign keys enforced so do the rows of its children. Called by `operations` and `runner`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import sqlalchemy as sa

from host.migrations.errors import MigrationError
from host.migrations.reflection import without_index_warnings

_ATTACHED = "SELECT name, type, sql FROM sqlite_master WHERE tbl_name = ? AND type IN ('index', 'trigger')"
Attached = dict[str, tuple[str, str]]


@contextmanager
def without_orphans(connection: sa.Connection) -> Iterator[None]:
    """Refuse a revision that leaves rows without their parent: enforcement is off while it runs."""
    if connection.dialect.name != "sqlite":
        yield
        return
    before = _orphans(connection)
    yield
    pairs = ", ".join(f"{child} to {parent}" for child, parent in sorted(_orphans(connection) - before))
    if pairs:
        raise MigrationError(f"it would leave references without their row: {pairs}")


def _orphans(connection: sa.Connection) -> set[tuple[str, str]]:
    return {(row[0], row[2]) for row in connection.exec_driver_sql("PRAGMA foreign_key_check")}


@contextmanager
def keeping_attached(
    connection: sa.Connection, table: str, batch: AbstractContextManager[Any]
) -> Iterator[Any]:
    """Run a batch and restore the indexes and triggers that it was not told to drop."""
    if connection.dialect.name != "sqlite":
        with batch as operations:
            yield operations
        return
    before = _attached(connection, table)
    with without_index_warnings(), batch as operations:
        drop_index = operations.drop_index

        def drop_named(name: str, **options: Any) -> None:
            before.pop(name, None)
            drop_index(name, **options)

        operations.drop_index = drop_named
        yield operations
    after = _attached(connection, table)
    for name, (kind, sql) in before.items():
        if after.get(name) != (kind, sql):
            _restore(connection, name, sql, after.get(name))


def _attached(connection: sa.Connection, table: str) -> Attached:
    rows = connection.exec_driver_sql(_ATTACHED, (table,))
    return {name: (kind, sql) for name, kind, sql in rows if sql is not None}


def _restore(connection: sa.Connection, name: str, sql: str, changed: tuple[str, str] | None) -> None:
    """Make an index or trigger again as it was; one whose column went or got another name stays as it is now."""
    quoted = '"' + name.replace('"', '""') + '"'
    with connection.begin_nested() as savepoint:
        try:
            if changed is not None:
                connection.exec_driver_sql(f"DROP {changed[0]} {quoted}")
            connection.exec_driver_sql(sql)
        except sa.exc.OperationalError:
            savepoint.rollback()
