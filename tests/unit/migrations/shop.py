"""A small site for tests of migrations: plugins whose tables a test declares, changes and migrates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from host.database import NAMING_CONVENTION, Database
from host.fields.columns import Uid
from host.migrations.owners import Owner
from host.migrations.plan import Plan, plan
from host.migrations.runner import Applied, upgrade
from host.migrations.script import make

Declare = Callable[[sa.MetaData], None]
KEY = "0190a5b0-0000-7000-8000-{:012d}"


@dataclass(frozen=True)
class Shop:
    """A database and the folders of its plugins."""

    database: Database
    folder: Path

    def owners(self, **declarations: Declare) -> list[Owner]:
        """Plugins in the given order, each depending on those before it."""
        metadata = sa.MetaData(naming_convention=NAMING_CONVENTION)
        owners: list[Owner] = []
        for name, declare in declarations.items():
            before = set(metadata.tables)
            declare(metadata)
            tables = tuple(table for key, table in metadata.tables.items() if key not in before)
            depends = tuple(owner.name for owner in owners)
            owners.append(Owner(name, self.folder / name, tables, depends))
        return owners

    def apply(self, *, allow_destructive: bool = True, **declarations: Declare) -> tuple[Applied, ...]:
        """Make the scripts that are missing and run them."""
        owners = self.owners(**declarations)
        for owner in owners:
            make(owner, owners)
        return upgrade(self.database, owners, allow_destructive=allow_destructive)

    def plan(self, **declarations: Declare) -> Plan:
        """Compare the database with declarations."""
        return plan(self.database, self.owners(**declarations))

    def execute(self, sql: str, **values: Any) -> list[Any]:
        """Run a statement and return its rows as tuples."""
        with self.database.writing() as connection:
            found = connection.execute(sa.text(sql), values)
            return [tuple(row) for row in found] if found.returns_rows else []

    def tables(self) -> set[str]:
        """The names of all tables."""
        with self.database.writing() as connection:
            return set(sa.inspect(connection).get_table_names())


def item(*parts: sa.schema.SchemaItem, name: str = "shop_item", was: str | None = None) -> Declare:
    """Declare one table with a UUID key."""

    def declare(metadata: sa.MetaData) -> None:
        # Columns belong to one table: a declaration can be made again only from copies.
        copies = [part._copy() if isinstance(part, sa.Column) else deepcopy(part) for part in parts]
        key = sa.Column("id", Uid(), primary_key=True)
        sa.Table(name, metadata, key, *copies, info={"owner": "shop", "was": was})

    return declare


def column(
    name: str, kind: Any, *parts: Any, was: str | None = None, backfill: Any = None, **options: Any
) -> Any:
    """Declare a column as the compiler does."""
    return sa.Column(name, kind, *parts, info={"was": was, "backfill": backfill}, **options)


def enum(name: str, *values: str) -> sa.CheckConstraint:
    """The check of an enum, as the compiler makes it."""
    words = [sa.literal_column(f"'{value}'") for value in values]
    return sa.CheckConstraint(sa.column(name).in_(words), name=name)


def summaries(found: Plan) -> list[str]:
    """What a plan wants to do, in words."""
    return [step.summary for step in found.steps]


def all_of(*declarations: Declare) -> Declare:
    """Several tables of one plugin."""

    def declare(metadata: sa.MetaData) -> None:
        for each in declarations:
            each(metadata)

    return declare


def indexed(declare: Declare, *indexes: Callable[[sa.Table], Any], name: str = "shop_item") -> Declare:
    """Add indexes, which need the table's columns."""

    def declare_both(metadata: sa.MetaData) -> None:
        declare(metadata)
        for index in indexes:
            index(metadata.tables[name])

    return declare_both


def keys(number: int) -> Sequence[str]:
    """So many keys."""
    return [KEY.format(position) for position in range(number)]
