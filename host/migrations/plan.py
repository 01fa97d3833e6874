"""What stands between a database and the declarations: every step with its SQL and the rows it puts at stake.

The SQL is what the revision would run: the same code, run on a copy of the schema in memory (SQLite) or
written down instead of executed (PostgreSQL).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from host.database import Database
from host.migrations.changes import Change
from host.migrations.comparison import Comparison
from host.migrations.losses import count_rows
from host.migrations.owners import Owner, in_order
from host.migrations.pending import Pending, pending
from host.migrations.rehearsal import rehearsing


@dataclass(frozen=True, slots=True)
class Step:
    """One change. `problem` says why it cannot run with the rows that exist."""

    owner: str
    summary: str
    sql: str
    destructive: bool
    rows_at_stake: int
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything to be done.

    `orphans` are plugins with tables here that are not enabled; nothing is done to them.
    """

    steps: tuple[Step, ...]
    pending: tuple[Pending, ...]
    orphans: tuple[str, ...]


def plan(database: Database, owners: Sequence[Owner]) -> Plan:
    """Compare the database with the declarations; changes nothing."""
    database.check()
    ordered = in_order(owners)
    steps: list[Step] = []
    with database.engine.connect() as connection, connection.begin() as transaction:
        comparison = Comparison(connection, ordered)
        with rehearsing(connection) as rehearse:
            for owner in ordered:
                steps += [
                    _step(connection, owner, each, rehearse(each))
                    for each in comparison.changes(owner)
                    if each.only in ("", database.dialect)
                ]
        orphans = sorted(set(comparison.owner_of.values()) - {owner.name for owner in ordered})
        transaction.rollback()
    return Plan(tuple(steps), pending(database, ordered), tuple(orphans))


def _step(connection: sa.Connection, owner: Owner, change: Change, sql: str) -> Step:
    hazard = change.hazard
    if hazard is None:
        return Step(owner.name, change.summary, sql, destructive=False, rows_at_stake=0)
    rows = count_rows(connection, hazard.count) or 0
    problem = hazard.what if hazard.kind == "blocked" and rows else None
    destructive = hazard.kind == "always" or (hazard.kind == "rows" and rows > 0)
    return Step(owner.name, change.summary, sql, destructive, rows, problem)
