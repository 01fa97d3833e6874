"""SQLite's cautions while a revision runs.

Alembic changes a table of SQLite by making it anew: triggers and expression indexes go with the old one, and
with foreign keys enforced so do the rows of its children. Called by `runner`, once for each revision.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from host.migrations.errors import MigrationError
from host.migrations.reflection import without_index_warnings

_REBUILT = re.compile(r'\s*CREATE TABLE "?_alembic_tmp_(?P<table>[^"\s(]+)', re.I)
_DROPPED = re.compile(r'\s*DROP (?:INDEX|TRIGGER)(?: IF EXISTS)? "?(?P<name>[^"\s;]+)', re.I)
_ATTACHED = (
    "SELECT name, tbl_name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
)


@contextmanager
def keeping(connection: sa.Connection) -> Iterator[None]:
    """Restore what batch operations take along; refuse a revision that leaves rows without their parent."""
    if connection.dialect.name != "sqlite":
        yield
        return
    orphans = _orphans(connection)
    lost: dict[str, tuple[str, str]] = {}

    def watch(present: sa.Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        rebuilt, dropped = _REBUILT.match(statement), _DROPPED.match(statement)
        if rebuilt:
            rows = present.exec_driver_sql(_ATTACHED)
            lost.update({name: (table, sql) for name, table, sql in rows if table == rebuilt["table"]})
        elif dropped:
            lost.pop(dropped["name"], None)

    sa.event.listen(connection, "before_cursor_execute", watch)
    try:
        with without_index_warnings():
            yield
    finally:
        sa.event.remove(connection, "before_cursor_execute", watch)
    _restore(connection, lost)
    _refuse_orphans(_orphans(connection) - orphans)


def _restore(connection: sa.Connection, lost: dict[str, tuple[str, str]]) -> None:
    present = {name for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master")}
    for name, (table, sql) in lost.items():
        if name not in present and table in present:
            connection.exec_driver_sql(sql)


def _orphans(connection: sa.Connection) -> set[tuple[str, str]]:
    return {(row[0], row[2]) for row in connection.exec_driver_sql("PRAGMA foreign_key_check")}


def _refuse_orphans(orphans: set[tuple[str, str]]) -> None:
    if orphans:
        pairs = ", ".join(f"{child} to {parent}" for child, parent in sorted(orphans))
        raise MigrationError(f"it would leave references without their row: {pairs}")
