"""The tables of a database beside the declared ones, owner by owner.

Which tables are an owner's is told by the ledger, never by their names: what nobody owns is not looked at. Of a table
that others have added columns to, each sees its own part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from host.migrations.blueprint import declared_shapes, find_renames
from host.migrations.changes import Change
from host.migrations.difference import difference
from host.migrations.errors import MigrationError
from host.migrations.ledger import read_ledger
from host.migrations.legacy import accommodated
from host.migrations.neutral import with_neutral_values
from host.migrations.owners import Owner, in_order
from host.migrations.parts import declared_columns, split
from host.migrations.reflection import held_checks, read_shapes
from host.migrations.shapes import Renames, Shapes, TableShape


def _without_needless(connection: sa.Connection, tables: Sequence[sa.Table], declared: Shapes) -> Shapes:
    """What is there; tables that another system uses, too, as they are declared where they are as good as that."""
    present = read_shapes(connection)
    for table in tables:
        if table.info.get("stored", "host") != "host" and table.name in present:
            held = held_checks(connection, table.name)
            old, new = present[table.name], declared[table.name]
            present[table.name] = accommodated(old, new, connection.dialect.name, held)
    return present


class Comparison:
    """One look at a database, from which the changes of every owner follow."""

    def __init__(self, connection: sa.Connection, owners: Sequence[Owner]) -> None:
        ordered = in_order(owners)
        self.owner_of = read_ledger(connection)
        tables = [table for owner in ordered for table in owner.tables]
        self._declared: Shapes = declared_shapes(tables, connection)
        self._present: Shapes = _without_needless(connection, tables, self._declared)
        self._tables = {table.name: table for owner in ordered for table in owner.tables}
        self._added = declared_columns(ordered)
        self._known = {name: plugin for name, plugin in self.owner_of.items() if "." in name}
        self._renames = Renames()
        for owner in ordered:
            tables = [
                *owner.tables,
                *(self._tables[name] for name in self._shared(owner) if name in self._tables),
            ]
            self._renames = _joined(self._renames, find_renames(self._old(owner), tables))

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
        own = {
            name: split(shape, self._known, None)
            for name, shape in self._present.items()
            if self.owner_of.get(name) == owner.name or name in free
        }
        return own | self._parts(owner, self._present, self._known)

    def _new(self, owner: Owner) -> Shapes:
        for table in owner.tables:
            other = self.owner_of.get(table.name, owner.name)
            if other != owner.name:
                raise MigrationError(
                    f"{owner.name} declares the table {table.name}, which belongs to {other} in this database"
                )
        own = {table.name: split(self._declared[table.name], self._added, None) for table in owner.tables}
        return own | self._parts(owner, self._declared, self._added)

    def _shared(self, owner: Owner) -> set[str]:
        """The tables of others to which the owner adds columns, or has added some."""
        columns = [*self._added.items(), *self._known.items()]
        return {name.partition(".")[0] for name, plugin in columns if plugin == owner.name}

    def _parts(self, owner: Owner, shapes: Shapes, columns: Mapping[str, str]) -> dict[str, TableShape]:
        """The owner's part of each of these tables; of one that is not made yet, an empty part."""
        empty = TableShape("", {}, ())
        return {
            name: split(shapes.get(name, replace(empty, name=name)), columns, owner.name)
            for name in self._shared(owner)
        }


def _joined(some: Renames, more: Renames) -> Renames:
    columns = dict(some.columns)
    for table, names in more.columns.items():
        columns[table] = {**columns.get(table, {}), **names}
    return Renames({**some.tables, **more.tables}, columns)
