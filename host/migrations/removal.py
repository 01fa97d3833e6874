"""Taking a plugin's tables away: `hostwright db downgrade PLUGIN base`.

The rows go first, because an old revision may not take what newer ones allowed, and they are lost in any case.
Called by `runner`.
"""

from __future__ import annotations

import sqlalchemy as sa

from host.migrations.errors import Loss, MigrationError, Refused
from host.migrations.hazards import identifier
from host.migrations.ledger import read_ledger
from host.migrations.losses import count_rows
from host.migrations.reflection import read_shapes
from host.migrations.search import is_words
from host.migrations.shapes import ForeignKeyShape, Shapes


def empty_tables(connection: sa.Connection, owner: str, *, allow_destructive: bool) -> None:
    """Delete all rows of the owner's tables. Refuses while others refer to them, and without consent."""
    shapes = read_shapes(connection)
    owned = sorted(
        table for table, name in read_ledger(connection).items() if name == owner and table in shapes
    )
    _refuse_references(shapes, set(owned))
    rows = {table: count_rows(connection, f"SELECT count(*) FROM {identifier(table)}") for table in owned}
    lost = {table: number for table, number in rows.items() if number and not is_words(shapes[table])}
    losses = [Loss(owner, "base", f"drop table {table}", number) for table, number in lost.items()]
    if losses and not allow_destructive:
        raise Refused(losses, "To lose it, run `hostwright db downgrade --allow-destructive`.")
    names = [identifier(table) for table in owned]
    if names and connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"TRUNCATE {', '.join(names)}")
    for name in names if connection.dialect.name == "sqlite" else ():
        connection.exec_driver_sql(f"DELETE FROM {name}")


def _refuse_references(shapes: Shapes, owned: set[str]) -> None:
    found = sorted(
        f"{shape.name} to {constraint.table}"
        for shape in shapes.values()
        for constraint in shape.constraints
        if isinstance(constraint, ForeignKeyShape) and constraint.table in owned and shape.name not in owned
    )
    if found:
        raise MigrationError(f"tables of others refer to these: {', '.join(found)}; take those back first")
