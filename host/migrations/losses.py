"""What revision scripts say they lose, counted in the database.

A script has dictionaries from what happens to the query that counts the rows at stake. `destructive` is
refused without the flag, `destructive_with_rows` only if there are rows, and `impossible_with_rows` even with
the flag. Those that begin with `downgrade_` are about the way back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

import sqlalchemy as sa

from host.migrations.errors import Loss, Refused

ATTRIBUTES = {"always": "destructive", "rows": "destructive_with_rows", "blocked": "impossible_with_rows"}


@dataclass(frozen=True, slots=True)
class Announcement:
    """A revision whose script says what it loses."""

    owner: str
    revision: str
    module: ModuleType

    def losses(self, connection: sa.Connection, name: str) -> list[Loss]:
        """Count the rows that one of its dictionaries speaks of."""
        counts: dict[str, str] = getattr(self.module, name, {})
        return [
            Loss(self.owner, self.revision, what, count_rows(connection, sql)) for what, sql in counts.items()
        ]


def refuse_losses(
    connection: sa.Connection,
    announcement: Announcement,
    direction: Literal["upgrade", "downgrade"],
    *,
    allow_destructive: bool,
) -> None:
    """Raise Refused if the revision loses rows that nobody gave up, or cannot run because of them."""
    prefix = "" if direction == "upgrade" else "downgrade_"
    blocked = _with_rows(announcement.losses(connection, prefix + ATTRIBUTES["blocked"]))
    if blocked:
        raise Refused(blocked, "Change these rows first; no flag does it for you.")
    if allow_destructive:
        return
    names = (prefix + ATTRIBUTES["always"], prefix + ATTRIBUTES["rows"])
    lost = _with_rows([loss for name in names for loss in announcement.losses(connection, name)])
    if lost:
        raise Refused(lost, f"To lose it, run `hostwright db {direction} --allow-destructive`.")


def _with_rows(losses: Sequence[Loss]) -> list[Loss]:
    return [loss for loss in losses if loss.rows]


def count_rows(connection: sa.Connection, sql: str) -> int | None:
    """Return the rows at stake, or None if the table or column does not exist yet."""
    if connection.dialect.name == "postgresql":
        sql = sql.replace("%", "%%")  # psycopg reads single ones as parameters
    try:
        with connection.begin_nested():
            return int(connection.exec_driver_sql(sql).scalar_one())
    except sa.exc.DBAPIError:
        return None
