"""Read the shape of tables from a database: from its catalogue, in its own words.

PostgreSQL answers three queries; SQLite is asked through SQLAlchemy's inspector and, for what that leaves out
(expression indexes, declared types), its own schema table.
"""

from __future__ import annotations

import re
import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from host.migrations import postgres
from host.migrations.ledger import is_own
from host.migrations.search import without_index
from host.migrations.shapes import (
    CheckShape,
    ColumnShape,
    Constraint,
    ForeignKeyShape,
    IndexShape,
    TableShape,
    UniqueShape,
)
from host.migrations.type_codes import type_code

# Virtual tables and the tables behind them (full-text search) belong to no declaration.
_COLUMNS = """
    SELECT t.name, c.name, c.type, c."notnull", c.pk
    FROM pragma_table_list t JOIN pragma_table_info(t.name) c
    WHERE t.type = 'table' AND t.schema = 'main' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
    ORDER BY t.name, c.cid
"""
_TOKENS = re.compile(r"""'(?:[^']|'')*'|"[^"]+"|\w+(?:\.\d+)?|<>|!=|<=|>=|==|\|\||->>|->|[^\s\w]""")
_SAME = {"true": "1", "false": "0", "!=": "<>", "==": "="}
_INDEX = re.compile(r"CREATE\s+(?P<unique>UNIQUE\s+)?INDEX\s+.+?\s+ON\s+\S+\s*\((?P<rest>.*)", re.I | re.S)


def read_shapes(connection: sa.Connection) -> dict[str, TableShape]:
    """Return every table of the database except those of the migrations themselves."""
    if connection.dialect.name == "postgresql":
        found = postgres.read_shapes(connection, postgres.PRESENT)
    else:
        found = _read_sqlite(connection)
    return {name: without_index(connection, shape) for name, shape in found.items() if not is_own(name)}


def read_names(connection: sa.Connection) -> frozenset[str]:
    """Return the names of all ordinary tables, cheaply."""
    if connection.dialect.name == "postgresql":
        return postgres.read_names(connection)
    rows = connection.exec_driver_sql(
        "SELECT name FROM pragma_table_list WHERE type = 'table' AND schema = 'main'"
    )
    return frozenset(name for (name,) in rows if not name.startswith("sqlite_"))


def read_columns(connection: sa.Connection) -> list[tuple[str, str]]:
    """Return every table's columns by name, cheaply."""
    if connection.dialect.name == "postgresql":
        return postgres.read_columns(connection)
    return [(table, name) for table, name, *_ in connection.exec_driver_sql(_COLUMNS)]


def held_checks(connection: sa.Connection, table: str) -> frozenset[str]:
    """Return the names of checks that triggers hold, in SQLite's tables that were there before."""
    if connection.dialect.name == "postgresql":
        return frozenset()
    sql = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? AND name LIKE '%_insert'"
    return frozenset(name.removesuffix("_insert") for (name,) in connection.exec_driver_sql(sql, (table,)))


@contextmanager
def without_index_warnings() -> Iterator[None]:
    """Silence SQLAlchemy's remark that it cannot reflect expression indexes: those are read and kept here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Skipped unsupported reflection of expression-based index")
        yield


def _read_sqlite(connection: sa.Connection) -> dict[str, TableShape]:
    columns: dict[str, dict[str, ColumnShape]] = defaultdict(dict)
    keys: dict[str, dict[int, str]] = defaultdict(dict)
    for table, name, kind, required, position in connection.exec_driver_sql(_COLUMNS):
        text = same_type(kind)
        columns[table][name] = ColumnShape(name, text, not required, type_code(text))
        if position:
            keys[table][position] = name
    schema = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    indexes: dict[str, list[IndexShape]] = defaultdict(list)
    for name, table, sql in connection.exec_driver_sql(schema):
        indexes[table].append(_index(name, sql))
    inspector = sa.inspect(connection)
    return {
        table: TableShape(
            name=table,
            columns=columns[table],
            key=tuple(name for _, name in sorted(keys[table].items())),
            constraints=tuple(_constraints(inspector, table)),
            indexes=tuple(sorted(indexes[table], key=lambda index: index.name)),
            key_name=inspector.get_pk_constraint(table)["name"],
        )
        for table in columns
    }


def same_type(kind: str) -> str:
    """Write a type so that the same types have the same text."""
    return re.sub(r"\s*([(),])\s*", r"\1", kind.upper())


def _constraints(inspector: sa.Inspector, table: str) -> Iterator[Constraint]:
    with without_index_warnings():
        uniques = inspector.get_unique_constraints(table)
    for unique in uniques:
        yield UniqueShape(unique["name"], tuple(unique["column_names"]))
    yield from _unnamed_uniques(inspector, table, {tuple(unique["column_names"]) for unique in uniques})
    for key in inspector.get_foreign_keys(table):
        options = key.get("options", {})
        yield ForeignKeyShape(
            key["name"],
            tuple(key["constrained_columns"]),
            key["referred_table"],
            tuple(key["referred_columns"]),
            action(options.get("ondelete")),
        )
    for check in inspector.get_check_constraints(table):
        yield CheckShape(check["name"], same_text(check["sqltext"]), {"": spaced(check["sqltext"])})


def _unnamed_uniques(
    inspector: sa.Inspector, table: str, known: set[tuple[str, ...]]
) -> Iterator[Constraint]:
    """What a column says of itself (`name varchar(9) UNIQUE`), as other systems write it; the inspector reads few of them."""
    sql = "SELECT name FROM pragma_index_list(?) WHERE origin = 'u' ORDER BY seq"
    bind = inspector.bind
    assert isinstance(bind, sa.Connection)  # shapes are read over one
    for (index,) in bind.exec_driver_sql(sql, (table,)).all():
        names = bind.exec_driver_sql("SELECT name FROM pragma_index_info(?) ORDER BY seqno", (index,))
        columns = tuple(name for (name,) in names)
        if columns not in known:
            yield UniqueShape(None, columns)


def action(on_delete: str | None) -> str | None:
    """Write what a foreign key does on delete; NO ACTION is what no word means."""
    return None if on_delete in {None, "NO ACTION"} else str(on_delete).upper()


def spaced(sql: str) -> str:
    """Write an expression so that white space and needless quotes make no difference."""
    return _joined(_TOKENS.findall(sql))


def same_text(sql: str) -> str:
    """Write an expression so that two with the same meaning to SQLite have the same text."""
    tokens = [_SAME.get(token.lower(), token) for token in _TOKENS.findall(sql)]
    return _joined([re.sub(r"^(\d+)\.0+$", r"\1", token) for token in tokens])


def _joined(tokens: list[str]) -> str:
    words = [_unquoted(token) for token in tokens]
    text = " ".join(words)
    return re.sub(r"(?<=\w) \((?! )|\( ", "(", text).replace(" )", ")").replace(" ,", ",").replace(" . ", ".")


def _unquoted(token: str) -> str:
    inner = token[1:-1]
    return inner if token.startswith('"') and re.fullmatch(r"[a-z_][a-z0-9_]*", inner) else token


def _index(name: str, sql: str) -> IndexShape:
    match = _INDEX.match(sql)
    if match is None:  # an index that SQLite itself wrote down always matches
        return IndexShape(name, False, (same_text(sql),))
    parts, rest = _split(_TOKENS.findall(match["rest"]))
    texts = tuple(_joined(part) for part in parts)
    where = _joined(rest[1:]) if rest else None
    return IndexShape(
        name,
        unique=bool(match["unique"]),
        expressions=tuple(same_text(text) for text in texts),
        where=where and same_text(where),
        texts=texts,
        where_texts={"": where} if where else {},
    )


def _split(tokens: list[str]) -> tuple[list[list[str]], list[str]]:
    """Split the list inside the parentheses at its commas; the rest is what follows the closing one."""
    parts: list[list[str]] = [[]]
    depth = 0
    for position, token in enumerate(tokens):
        if token == ")" and depth == 0:
            return parts, tokens[position + 1 :]
        depth += (token == "(") - (token == ")")
        if token == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts, []
