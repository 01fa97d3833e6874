"""Full-text search compiled: beside the table of a resource a table of its rows' words, and over that the database's index.

On PostgreSQL the words are a vector under a GIN index; on SQLite an FTS5 table that three triggers keep. The words' table is
named after what is searched, so that another declaration is another table: it is never changed, only made, filled and dropped.
`tables` calls `with_search`; the queries, the service and the migrations read `Index`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Final

import sqlalchemy as sa

from host.compiler.models import Model
from host.fields.columns import Words

LONGEST: Final = (
    40  # of the name of a resource's table within that of its words' table, which has at most 63 letters
)
VERSION: Final = 1  # of the form of what is kept: another one makes every index anew


@dataclass(frozen=True)
class Source:
    """Where words come from: a table, its key's columns by those of the words' table, and the letters of its searched columns."""

    table: str
    keys: Mapping[str, str]
    letters: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Index:
    """The words of a resource. `keys` are the columns with a row's key, `letters` the searched fields' by name."""

    table: sa.Table
    keys: tuple[sa.Column[Any], ...]
    letters: Mapping[str, str]
    source: Source

    @property
    def number(self) -> sa.Column[Any]:
        """The number of a row of words, under which SQLite indexes them."""
        column: sa.Column[Any] = self.table.c.number
        return column

    @property
    def words(self) -> sa.Column[Any]:
        """The words."""
        column: sa.Column[Any] = self.table.c.words
        return column


def with_search(model: Model, metadata: sa.MetaData) -> Model:
    """The model with its index, if its declaration searches words."""
    letters = dict(model.declared.query.search.fields)
    return replace(model, search=_index(model, letters, metadata)) if letters else model


def _index(model: Model, letters: Mapping[str, str], metadata: sa.MetaData) -> Index:
    columns = {name: model.attributes[name].column for name in letters}
    keys = [key.column for key in model.keys if key.column is not None]
    names = ["row"] if len(keys) == 1 else [f"row_{key.name}" for key in keys]
    source = Source(
        model.table.name,
        {name: key.name for name, key in zip(names, keys, strict=True)},
        {column.name: letters[name] for name, column in columns.items() if column is not None},
    )
    own = [sa.Column(name, key.type, nullable=False) for name, key in zip(names, keys, strict=True)]
    # A number that is its own table's only: SQLite numbers rows of other tables anew when it likes.
    number = sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True)
    table = sa.Table(
        words_table(source, [_told(key) for key in keys]), metadata, number, *own, sa.Column("words", Words(), nullable=False),
        sa.UniqueConstraint(*own), sa.ForeignKeyConstraint(own, keys, ondelete="CASCADE"),
        info={"owner": model.plugin, "was": None, "stored": "host", "search": source},
    )  # fmt: skip
    for statement in made("sqlite", table.name):
        sa.event.listen(table, "after_create", _ddl(statement).execute_if(dialect="sqlite"))
    for statement in made("postgresql", table.name):
        sa.event.listen(table, "after_create", _ddl(statement).execute_if(dialect="postgresql"))
    for statement in unmade("sqlite", table.name)[-1:]:  # triggers go with their table
        sa.event.listen(table, "before_drop", _ddl(statement).execute_if(dialect="sqlite"))
    return Index(table, tuple(own), letters, source)


def _ddl(statement: str) -> sa.DDL:
    return sa.DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]  # SQLAlchemy's own gap


def _told(key: sa.Column[Any]) -> str:
    return f"{type(key.type).__name__} {getattr(key.type, 'length', None)}"


def words_table(source: Source, keys: Sequence[str]) -> str:
    """The name of the table of words, which tells one declaration from another."""
    told = f"{VERSION} {source.table} {sorted(source.letters.items())} {sorted(source.keys.items())} {list(keys)}"
    return f"{source.table[:LONGEST]}_search_{blake2b(told.encode(), digest_size=4).hexdigest()}"


def index_name(table: str) -> str:
    """What the database's own index over a table of words is called."""
    return f"{table}_fts"


def made(dialect: str, table: str) -> tuple[str, ...]:
    """The statements that put the database's index over a new table of words."""
    fts = index_name(table)
    if dialect == "postgresql":
        return (f'CREATE INDEX IF NOT EXISTS "{fts}" ON "{table}" USING gin (words)',)
    return (
        f"""CREATE VIRTUAL TABLE "{fts}" USING fts5(a, b, c, d, content='', tokenize='ascii', prefix='2 3')""",
        _trigger(table, "insert", _added(fts)),
        _trigger(table, "delete", _taken(fts)),
        _trigger(table, "update", f"{_taken(fts)} {_added(fts)}"),
    )


def unmade(dialect: str, table: str) -> tuple[str, ...]:
    """The statements without which dropping a table of words would leave something behind."""
    if dialect == "postgresql":
        return ()
    triggers = [f'DROP TRIGGER IF EXISTS "{table}_{event}"' for event in ("insert", "delete", "update")]
    return (*triggers, f'DROP TABLE IF EXISTS "{index_name(table)}"')


def _trigger(table: str, event: str, body: str) -> str:
    return f'CREATE TRIGGER "{table}_{event}" AFTER {event.upper()} ON "{table}" BEGIN {body} END'


def _added(fts: str) -> str:
    return f'INSERT INTO "{fts}" (rowid, a, b, c, d) VALUES (NEW.number, {_texts("NEW")});'


def _taken(fts: str) -> str:
    """An index without texts of its own has to be told what it is to forget."""
    return f"""INSERT INTO "{fts}" ("{fts}", rowid, a, b, c, d) VALUES ('delete', OLD.number, {_texts("OLD")});"""


def _texts(row: str) -> str:
    return ", ".join(f"json_extract({row}.words, '$[{number}]')" for number in range(4))
