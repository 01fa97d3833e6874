"""The shape of tables: what a database (or a declaration) has, as facts that can be compared.

Texts of types, checks and indexes are those that the database itself answers, so that equal means equal.
Fields marked `compare=False` are only for writing scripts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from host.compiler.search import Source

ABSENT = object()
Text = str | Mapping[str, str]  # an expression, or the one that each database needs
_WORDS = re.compile(r"'(?:[^']|'')*'|\w+")


@dataclass(frozen=True)
class ColumnShape:
    """A column.

    `code` is its type in a script; `backfill` fills it in rows that exist when it becomes required.
    """

    name: str
    type: str
    nullable: bool
    code: str = field(compare=False)
    backfill: object = field(default=ABSENT, compare=False)


@dataclass(frozen=True)
class UniqueShape:
    """A unique constraint."""

    name: str | None
    columns: tuple[str, ...]


@dataclass(frozen=True)
class ForeignKeyShape:
    """A foreign key; `on_delete` in the words of SQL, None for the default."""

    name: str | None
    columns: tuple[str, ...]
    table: str
    referred: tuple[str, ...]
    on_delete: str | None


@dataclass(frozen=True)
class CheckShape:
    """A check constraint.

    `texts` is what a script says: one text, or one for each database that needs its own.
    """

    name: str | None
    sql: str
    texts: Mapping[str, str] = field(compare=False, default_factory=dict)


@dataclass(frozen=True)
class IndexShape:
    """An index: columns or expressions, `DESC` included, and the predicate of a partial one."""

    name: str
    unique: bool
    expressions: tuple[str, ...]
    where: str | None = None
    texts: tuple[Text, ...] = field(compare=False, default=())
    where_texts: Mapping[str, str] = field(compare=False, default_factory=dict)


Constraint = UniqueShape | ForeignKeyShape | CheckShape


@dataclass(frozen=True)
class TableShape:
    """A table."""

    name: str
    columns: Mapping[str, ColumnShape]
    key: tuple[str, ...]
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[IndexShape, ...] = ()
    key_name: str | None = field(compare=False, default=None)
    is_counted: bool = field(compare=False, default=False)  # SQLite never gives a number twice
    words: Source | None = field(compare=False, default=None)  # where the words come from that it keeps


Shapes = Mapping[str, TableShape]


@dataclass(frozen=True)
class Renames:
    """Old names to new ones; columns by the new name of their table."""

    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def reversed(self) -> Renames:
        """From new names back to old ones."""
        back = {new: old for old, new in self.tables.items()}
        columns = {
            back.get(table, table): {new: old for old, new in names.items()}
            for table, names in self.columns.items()
        }
        return Renames(back, columns)

    def old_table(self, table: str) -> str:
        """Return the name that the table had before."""
        return next((old for old, new in self.tables.items() if new == table), table)

    def old_column(self, table: str, column: str) -> str:
        """Return the name that the column had before."""
        names = self.columns.get(table, {})
        return next((old for old, new in names.items() if new == column), column)

    def old_text(self, table: str, sql: str) -> str:
        """Write an expression over the table with the names that its columns had before."""
        return replace_names(sql, {new: old for old, new in self.columns.get(table, {}).items()})


def rename(shapes: Shapes, renames: Renames) -> dict[str, TableShape]:
    """Return the shapes after renaming, with all that the database renames along."""
    return {renames.tables.get(name, name): _renamed(shape, renames) for name, shape in shapes.items()}


def _renamed(shape: TableShape, renames: Renames) -> TableShape:
    name = renames.tables.get(shape.name, shape.name)
    names = renames.columns.get(name, {})
    columns = {
        names.get(column.name, column.name): replace(column, name=names.get(column.name, column.name))
        for column in shape.columns.values()
    }
    return replace(
        shape,
        name=name,
        columns=columns,
        key=_listed(shape.key, names),
        constraints=tuple(_renamed_constraint(each, names, renames) for each in shape.constraints),
        indexes=tuple(_renamed_index(each, names) for each in shape.indexes),
    )


def _listed(columns: tuple[str, ...], names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(names.get(column, column) for column in columns)


def _renamed_constraint(constraint: Constraint, names: Mapping[str, str], renames: Renames) -> Constraint:
    if isinstance(constraint, UniqueShape):
        return replace(constraint, columns=_listed(constraint.columns, names))
    if isinstance(constraint, ForeignKeyShape):
        table = renames.tables.get(constraint.table, constraint.table)
        referred = _listed(constraint.referred, renames.columns.get(table, {}))
        return replace(constraint, columns=_listed(constraint.columns, names), table=table, referred=referred)
    texts = {dialect: replace_names(text, names) for dialect, text in constraint.texts.items()}
    return replace(constraint, sql=replace_names(constraint.sql, names), texts=texts)


def _renamed_index(index: IndexShape, names: Mapping[str, str]) -> IndexShape:
    return replace(
        index,
        expressions=tuple(replace_names(each, names) for each in index.expressions),
        where=index.where and replace_names(index.where, names),
        texts=tuple(_renamed_text(each, names) for each in index.texts),
        where_texts={database: replace_names(text, names) for database, text in index.where_texts.items()},
    )


def _renamed_text(text: Text, names: Mapping[str, str]) -> Text:
    if isinstance(text, str):
        return replace_names(text, names)
    return {database: replace_names(each, names) for database, each in text.items()}


def replace_names(sql: str, names: Mapping[str, str]) -> str:
    """Replace names in an expression, outside its quoted texts."""
    return _WORDS.sub(lambda match: names.get(match[0], match[0]), sql) if names else sql
