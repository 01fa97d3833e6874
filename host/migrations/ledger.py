"""The ledger: the table in which the host records plugin, table and revision.

What a plugin may change is decided by this record, never by the prefix of a name. It is kept by the runner: a
table that a revision makes belongs to the revision's owner, and so does a column that it adds to another's table,
which is recorded as `table.column`. The runner makes the ledger itself, before any revision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

VERSION_TABLE = "alembic_version_{}"
LEDGER = sa.Table(
    "host_table_owner",
    sa.MetaData(),
    sa.Column("table_name", sa.String(128), primary_key=True),
    sa.Column("plugin", sa.String(64), nullable=False),
    sa.Column("revision", sa.String(64), nullable=False),
)


def is_own(table: str) -> bool:
    """Tell whether a table is one of the migrations' own: the ledger or a version table."""
    return table == LEDGER.name or table.startswith(("alembic_version", "_alembic_tmp_"))


def read_ledger(connection: sa.Connection) -> dict[str, str]:
    """Return the owner of every recorded table, and of every column that was added to another's."""
    if not sa.inspect(connection).has_table(LEDGER.name):
        return {}
    rows = connection.execute(sa.select(LEDGER.c.table_name, LEDGER.c.plugin))
    return {table: plugin for table, plugin in rows}


def record(connection: sa.Connection, owner: str, revision: str | None, tables: Mapping[str, bool]) -> None:
    """Record the tables that a revision made (True) or removed (False), and the revision its owner is at."""
    gone = [table for table, made in tables.items() if not made]
    made = [table for table, made in tables.items() if made]
    _delete(connection, [*gone, *made])
    if made:
        rows = [{"table_name": table, "plugin": owner, "revision": revision or ""} for table in made]
        connection.execute(sa.insert(LEDGER), rows)
    connection.execute(sa.update(LEDGER).where(LEDGER.c.plugin == owner).values(revision=revision or ""))


def _delete(connection: sa.Connection, tables: Iterable[str]) -> None:
    connection.execute(sa.delete(LEDGER).where(LEDGER.c.table_name.in_(list(tables))))
