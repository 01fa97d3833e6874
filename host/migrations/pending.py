"""Whether the database has every revision that the folders hold: two queries, without Alembic.

Boot and `/health/ready` ask this; `upgrade` asks it first, so that a start with nothing to do costs
milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from host.database import Database
from host.migrations.history import read_history
from host.migrations.ledger import VERSION_TABLE
from host.migrations.owners import Owner, in_order

_SQLITE_NAMES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'alembic_version_%'"
_POSTGRES_NAMES = """
    SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relname LIKE 'alembic_version_%'
    AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
"""


@dataclass(frozen=True, slots=True)
class Pending:
    """An owner whose database is not at the last revision of its folder."""

    owner: str
    current: str | None
    head: str | None
    missing: tuple[str, ...]

    def __str__(self) -> str:
        if not self.missing:
            return f"{self.owner}: the database is at {self.current}, which this version does not know"
        return f"{self.owner}: the database is at {self.current or 'nothing'}, the scripts are at {self.head}"


def pending(database: Database, owners: Sequence[Owner]) -> tuple[Pending, ...]:
    """Return the owners that are not up to date, in the order in which they have to be upgraded."""
    with database.reading() as connection:
        current = _current(connection, database.dialect)
    found = (_pending(owner, current.get(owner.name)) for owner in in_order(owners))
    return tuple(each for each in found if each is not None)


def current_revisions(database: Database) -> dict[str, str]:
    """Return the revision of every plugin that the database knows, enabled or not."""
    with database.reading() as connection:
        return _current(connection, database.dialect)


def _current(connection: Any, dialect: str) -> dict[str, str]:
    names = connection.execute(_SQLITE_NAMES if dialect == "sqlite" else _POSTGRES_NAMES).fetchall()
    prefix = VERSION_TABLE.format("")
    selects = [f"SELECT '{name.removeprefix(prefix)}', version_num FROM {name}" for (name,) in names]
    return dict(connection.execute(" UNION ALL ".join(selects)).fetchall()) if selects else {}


def _pending(owner: Owner, current: str | None) -> Pending | None:
    ids = [revision.id for revision in read_history(owner.folder)]
    head = ids[-1] if ids else None
    if current == head:
        return None
    missing = ids[ids.index(current) + 1 :] if current in ids else (ids if current is None else [])
    return Pending(owner.name, current, head, tuple(missing))
