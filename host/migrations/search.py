"""Tables of words in revision scripts: the database's index over a new one, and the words of the rows that are there already.

Scripts call `index` and `unindex`, which are never renamed; adoption and `hostwright search` call `fill`. Other modules of the
layer ask `is_words` which tables these are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import sqlalchemy as sa

from host.compiler.search import Source, index_name, made, unmade
from host.fields.words import stored_words
from host.migrations.calls import Call, quoted
from host.migrations.changes import Change
from host.migrations.shapes import TableShape

AT_ONCE: Final = 500  # rows
_WORDS: Final = re.compile(r".+_search_[0-9a-f]{8}")
_KNOWN: Final = "hostwright words"  # what scripts have said of tables of words, for the way back


def is_words(shape: TableShape) -> bool:
    """Whether a table holds words: nothing but what can be made again."""
    return _WORDS.fullmatch(shape.name) is not None and {"number", "words"} <= shape.columns.keys()


# --- what scripts call ------------------------------------------------------------------------------------------------


def index(table: str, source: str, keys: Mapping[str, str], letters: Mapping[str, str]) -> None:
    """Put the index over a new table of words and fill it with the words of the source's rows."""
    from alembic import op  # only where a revision runs

    context = op.get_context()
    for statement in (*unmade(context.dialect.name, table), *made(context.dialect.name, table)):
        op.execute(sa.text(statement.replace(":", "\\:")))
    if context.connection is not None and not context.as_sql:
        found = Source(source, keys, letters)
        context.connection.info.setdefault(_KNOWN, {})[table] = found
        fill(context.connection, table, found)


def unindex(table: str) -> None:
    """Take the index over a table of words away, before the table goes."""
    from alembic import op

    for statement in unmade(op.get_context().dialect.name, table):
        op.execute(sa.text(statement))


def without_index(connection: sa.Connection, shape: TableShape) -> TableShape:
    """A table that was read without the index over its words, and with where they come from, if a script has just said so."""
    if not is_words(shape):
        return shape
    source: Source | None = connection.info.get(_KNOWN, {}).get(shape.name)
    others = tuple(each for each in shape.indexes if each.name != index_name(shape.name))
    return replace(shape, indexes=others, words=source)


# --- what scripts are made of -----------------------------------------------------------------------------------------


def indexed(shape: TableShape) -> Iterator[Change]:
    """The change that indexes a table of words, which has to follow all others: it reads the rows."""
    table, source = shape.name, shape.words
    if source is not None:
        words = ", ".join(f"{column} {letter}" for column, letter in source.letters.items())
        code = Call(
            "search.index",
            (quoted(table), quoted(source.table), _mapping(source.keys), _mapping(source.letters)),
        )
        yield Change(table, f"index the words of {source.table}: {words}", code)


def unindexed(table: str) -> Change:
    """The change that goes before dropping a table of words."""
    return Change(table, f"take away the index over {table}", Call("search.unindex", (quoted(table),)))


def _mapping(items: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{quoted(key)}: {quoted(value)}" for key, value in items.items()) + "}"


# --- rows -------------------------------------------------------------------------------------------------------------


def fill(connection: sa.Connection, table: str, source: Source) -> int:
    """Keep the words of every row of the source; how many rows there are. Words that were kept are replaced."""
    count, storing = 0, _storing(connection.dialect.name, table, tuple(source.keys))
    for rows in read_words(connection, source):
        connection.exec_driver_sql(storing, [_values(keys, words) for keys, words in rows])
        count += len(rows)
    if (
        connection.dialect.name == "postgresql"
    ):  # knows nothing of new rows until then, and would not use the index
        connection.exec_driver_sql(f"ANALYZE {_quoted(table)}")
    return count


def read_words(connection: sa.Connection, source: Source) -> Iterator[list[tuple[tuple[Any, ...], str]]]:
    """The key and the words of every row of the source as they are to be kept, many at a time."""
    columns = ", ".join(_quoted(name) for name in (*source.keys.values(), *source.letters))
    letters, width = tuple(source.letters.values()), len(source.keys)
    selected = sa.text(f"SELECT {columns} FROM {_quoted(source.table)}".replace(":", "\\:"))
    found = connection.execute(selected, execution_options={"yield_per": AT_ONCE})
    for rows in found.partitions():
        yield [
            (
                tuple(row[:width]),
                stored_words(zip(letters, row[width:], strict=True), connection.dialect.name),
            )
            for row in rows
        ]


def _values(keys: Sequence[Any], words: str) -> dict[str, Any]:
    return {**{f"key_{number}": key for number, key in enumerate(keys)}, "words": words}


def _storing(dialect: str, table: str, keys: Sequence[str]) -> str:
    form = "%({})s" if dialect == "postgresql" else ":{}"
    columns = ", ".join(_quoted(key) for key in keys)
    values = ", ".join(form.format(f"key_{number}") for number, _ in enumerate(keys))
    return (
        f"INSERT INTO {_quoted(table)} ({columns}, words) VALUES ({values}, {form.format('words')})"
        f" ON CONFLICT ({columns}) DO UPDATE SET words = excluded.words"
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def rebuild(connection: sa.Connection, table: str, source: Source) -> int:
    """Make all words anew, in the transaction of the connection; writers of the resource wait for its end."""
    dialect, name = connection.dialect.name, _quoted(table)
    if dialect == "postgresql":
        connection.exec_driver_sql(f"LOCK TABLE {name} IN EXCLUSIVE MODE")
    for statement in unmade(dialect, table):  # an index that is damaged could not forget
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"DELETE FROM {name}")
    for statement in made(dialect, table):
        connection.exec_driver_sql(statement)
    return fill(connection, table, source)


def differing(connection: sa.Connection, table: str, source: Source) -> int:
    """How many rows have other words than are kept of them, none, or words without being there or in the index."""
    columns = ", ".join(_quoted(name) for name in source.keys)
    sql = f"SELECT {columns}, CAST(words AS TEXT) FROM {_quoted(table)}"
    kept = {tuple(map(str, keys)): words for *keys, words in connection.exec_driver_sql(sql)}
    count = 0
    for rows in read_words(connection, source):
        for keys, words in rows:
            present = kept.pop(tuple(map(str, keys)), None)
            count += present is None or _comparable(present) != _comparable(words)
    return count + len(kept) + _not_indexed(connection, table)


def _comparable(words: str) -> object:
    """Words in a form in which the same are equal: PostgreSQL sorts them, and leaves out the lightest letter."""
    if words.startswith("["):
        return words
    return {
        word: places.replace("D", "") for word, _, places in (each.rpartition(":") for each in words.split())
    }


def _not_indexed(connection: sa.Connection, table: str) -> int:
    if connection.dialect.name == "postgresql":
        return 0
    sql = f"SELECT (SELECT count(*) FROM {_quoted(table)}) - (SELECT count(*) FROM {_quoted(index_name(table) + '_docsize')})"
    return abs(int(connection.exec_driver_sql(sql).scalar_one()))
