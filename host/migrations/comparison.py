"""The tables of a database beside the declared ones, owner by owner.

Which tables are an owner's is told by the ledger, never by their names: what nobody owns is not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from host.migrations.blueprint import declared_shapes, find_renames
from host.migrations.changes import Change
from host.migrations.difference import difference
from host.migrations.errors import MigrationError
from host.migrations.ledger import read_ledger
from host.migrations.neutral import with_neutral_values
from host.migrations.owners import Owner, in_order
from host.migrations.reflection import read_shapes
from host.migrations.shapes import Renames, Shapes


class Comparison:
    """One look at a database, from which the changes of every owner follow."""

    def __init__(self, connection: sa.Connection, owners: Sequence[Owner]) -> None:
        ordered = in_order(owners)
        self.owner_of = read_ledger(connection)
        self._present: Shapes = read_shapes(connection)
        self._declared: Shapes = declared_shapes(
            [table for owner in ordered for table in owner.tables], connection
        )
        self._renames = Renames()
        for owner in ordered:
            found = find_renames(self._old(owner), owner.tables)
            self._renames = Renames(
                {**self._renames.tables, **found.tables}, {**self._renames.columns, **found.columns}
            )

    def changes(self, owner: Owner) -> tuple[Change, ...]:
        """Return what it takes to get the owner's tables to where they are declared to be."""
        return difference(self._old(owner), self._new(owner), self._renames)

    def way_back(self, owner: Owner) -> tuple[Change, ...]:
        """Return what it takes to undo these changes."""
        old = {name: with_neutral_values(shape) for name, shape in self._old(owner).items()}
        return difference(self._new(owner), old, self._renames.reversed())

    def _old(self, owner: Owner) -> Shapes:
        """The tables that the owner has, and those that it declares and that nobody has: they will be adopted."""
        free = {table.name for table in owner.tables} - self.owner_of.keys()
        return {
            name: shape
            for name, shape in self._present.items()
            if self.owner_of.get(name) == owner.name or name in free
        }

    def _new(self, owner: Owner) -> Shapes:
        for table in owner.tables:
            other = self.owner_of.get(table.name, owner.name)
            if other != owner.name:
                raise MigrationError(
                    f"{owner.name} declares the table {table.name}, which belongs to {other} in this database"
                )
        return {table.name: self._declared[table.name] for table in owner.tables}
