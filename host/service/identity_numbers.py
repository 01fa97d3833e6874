"""Numbers of accounts that the user table of another system counts, also for accounts that have no row in it yet.

`identities` calls it. A number that has been taken from the table's own count is nobody else's, whichever system counts next.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from host.compiler.models import ACCOUNT, Model
from host.service.context import Context


def next_of(ctx: Context, identity: Model) -> int:
    """The next number of the table that no account has."""
    account = ctx.table(ACCOUNT)
    while True:
        number = _counted(ctx, identity)
        taken = sa.select(sa.literal(1)).where(account.c.number == number)
        if ctx.execute(taken.limit(1)).first() is None:
            return number


def count_on(ctx: Context, identity: Model, number: int) -> None:
    """The table's own count goes on behind a number that it did not count itself."""
    if ctx.runtime.database.dialect == "postgresql":
        statement = (
            "SELECT setval(s, :number) FROM (SELECT pg_get_serial_sequence(:table, :column)::regclass AS s) AS own"
            " WHERE s IS NOT NULL AND :number > coalesce(pg_sequence_last_value(s), 0)"
        )
        ctx.transaction.connection.execute(sa.text(statement), {"number": number, **_sequence(identity)})
    elif _counts(ctx, identity):
        _start(ctx, identity)
        statement = "UPDATE sqlite_sequence SET seq = max(seq, :number) WHERE name = :table"
        ctx.transaction.connection.execute(
            sa.text(statement), {"number": number, "table": identity.table.name}
        )


def _counted(ctx: Context, identity: Model) -> int:
    """A number of the table's own count, which has it behind itself from now on; else the one behind all that there are."""
    connection = ctx.transaction.connection
    if ctx.runtime.database.dialect == "postgresql":
        statement = "SELECT nextval(pg_get_serial_sequence(:table, :column)::regclass)"
        number = connection.execute(sa.text(statement), _sequence(identity)).scalar()
        return int(number) if number is not None else _behind(ctx, identity)
    if not _counts(ctx, identity):
        return _behind(ctx, identity)
    _start(ctx, identity)
    statement = "UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = :table RETURNING seq"
    return int(connection.execute(sa.text(statement), {"table": identity.table.name}).scalar_one())


def _behind(ctx: Context, identity: Model) -> int:
    """Tables without a count of their own: behind every row and every account."""
    key, account = identity.keys[0].column, ctx.table(ACCOUNT).c.number
    most = [ctx.execute(sa.select(sa.func.max(column))).scalar() or 0 for column in (key, account)]
    return int(max(most)) + 1


def _counts(ctx: Context, identity: Model) -> bool:
    """Whether this SQLite table is made with AUTOINCREMENT, as Django's and the host's are."""
    statement = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table"
    text = ctx.transaction.connection.execute(sa.text(statement), {"table": identity.table.name}).scalar()
    return "AUTOINCREMENT" in str(text).upper()


def _start(ctx: Context, identity: Model) -> None:
    """SQLite notes the count of a table only once there is a row in it."""
    statement = (
        "INSERT INTO sqlite_sequence (name, seq) SELECT :table, 0"
        " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = :table)"
    )
    ctx.transaction.connection.execute(sa.text(statement), {"table": identity.table.name})


def _sequence(identity: Model) -> dict[str, Any]:
    column = identity.keys[0].column
    assert column is not None  # a key is stored
    return {"table": f'"{identity.table.name}"', "column": column.name}
