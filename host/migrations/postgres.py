"""The shape of PostgreSQL's tables, from its catalogue, and the temporary copies that tell how it writes a
declaration.

PostgreSQL rewrites expressions (`IN` becomes `= ANY (ARRAY[…])`), so a declared text never equals a stored
one. The declared tables are therefore made as temporary tables, read back in the same words, and rolled back.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable

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

PRESENT = "(SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
TEMPORARY = "pg_my_temp_schema()"
_DIALECT: sa.Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own gap
_TEXT = r"'(?:[^']|'')*'"
_CASTS = re.compile(
    rf"(?P<text>{_TEXT})|::(?:character varying|double precision|time(?:stamp)? with(?:out)? time zone|\w+)"
    r"(?:\(\d+(?:,\d+)?\))?(?:\[\])?"
)
# Parentheses around one value, unless they are a function's, and doubled ones.
_NEEDLESS = re.compile(rf"(?<!\w)\((?P<value>\w+|{_TEXT})\)|\((?P<inner>\((?:[^()']|{_TEXT})*\))\)")
_ACTIONS = {"a": None, "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_COLUMNS = """
    SELECT t.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull
    FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE t.relkind IN ('r', 'p') AND t.relnamespace = {schema} ORDER BY t.relname, a.attnum
"""
_CONSTRAINTS = """
    SELECT t.relname::text, c.contype::text, c.conname::text, f.relname::text, c.confdeltype::text,
      ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY k(n, i)
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY k.i),
      ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY k(n, i)
            JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n ORDER BY k.i),
      pg_get_expr(c.conbin, c.conrelid)
    FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid LEFT JOIN pg_class f ON f.oid = c.confrelid
    WHERE c.contype IN ('p', 'u', 'f', 'c') AND t.relnamespace = {schema} ORDER BY t.relname, c.conname
"""
_INDEXES = """
    SELECT t.relname::text, i.relname::text, x.indisunique, pg_get_expr(x.indpred, x.indrelid),
      ARRAY(SELECT pg_get_indexdef(x.indexrelid, k, true)
              || CASE WHEN x.indoption[k - 1] & 1 = 1 THEN ' DESC' ELSE '' END
            FROM generate_series(1, x.indnkeyatts) k)
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
    WHERE t.relnamespace = {schema}
      AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.oid AND c.contype IN ('p', 'u', 'x'))
    ORDER BY t.relname, i.relname
"""


def read_names(connection: sa.Connection) -> frozenset[str]:
    """Return the names of the tables in the present schema."""
    sql = f"SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = {PRESENT}"
    return frozenset(name for (name,) in connection.exec_driver_sql(sql))


def read_columns(connection: sa.Connection) -> list[tuple[str, str]]:
    """Return the columns of the tables in the present schema, by the names of both."""
    rows = connection.exec_driver_sql(_COLUMNS.format(schema=PRESENT))
    return [(table, name) for table, name, *_ in rows]


def read_shapes(connection: sa.Connection, schema: str) -> dict[str, TableShape]:
    """Return the tables of a schema, which is one of PRESENT and TEMPORARY."""
    columns: dict[str, dict[str, ColumnShape]] = defaultdict(dict)
    for table, name, kind, required in connection.exec_driver_sql(_COLUMNS.format(schema=schema)):
        text = short_type(kind)
        columns[table][name] = ColumnShape(name, text, not required, type_code(text))
    keys: dict[str, tuple[tuple[str, ...], str]] = {}
    constraints: dict[str, list[Constraint]] = defaultdict(list)
    for table, kind, name, other, on_delete, own, theirs, sql in connection.exec_driver_sql(
        _CONSTRAINTS.format(schema=schema)
    ):
        if kind == "p":
            keys[table] = (tuple(own), name)
        elif kind == "u":
            constraints[table].append(UniqueShape(name, tuple(own)))
        elif kind == "f":
            shape = ForeignKeyShape(name, tuple(own), other, tuple(theirs), _ACTIONS[on_delete])
            constraints[table].append(shape)
        else:
            constraints[table].append(CheckShape(name, without_casts(sql), {"": sql}))
    indexes = _read_indexes(connection, schema)
    return {
        table: TableShape(
            name=table,
            columns=columns[table],
            key=keys[table][0] if table in keys else (),
            constraints=tuple(constraints[table]),
            indexes=tuple(indexes[table]),
            key_name=keys[table][1] if table in keys else None,
        )
        for table in columns
    }


def _read_indexes(connection: sa.Connection, schema: str) -> dict[str, list[IndexShape]]:
    indexes: dict[str, list[IndexShape]] = defaultdict(list)
    for table, name, unique, where, expressions in connection.exec_driver_sql(_INDEXES.format(schema=schema)):
        indexes[table].append(
            IndexShape(
                name,
                unique=unique,
                expressions=tuple(without_casts(expression) for expression in expressions),
                where=where and without_casts(where),
                texts=tuple(expressions),
                where_texts={"": where} if where else {},
            )
        )
    return indexes


def without_casts(sql: str) -> str:
    """Leave out casts and the parentheses around them: they depend on what types the columns once had."""
    text = _CASTS.sub(lambda match: match["text"] or "", sql)
    before = ""
    while before != text:
        before, text = text, _NEEDLESS.sub(r"\g<value>\g<inner>", text)
    return text


def short_type(kind: str) -> str:
    """Write a type with the words that SQLAlchemy uses."""
    text = re.sub(r"\s*([(),])\s*", r"\1", kind.upper()).replace("CHARACTER VARYING", "VARCHAR")
    return re.sub(r"^CHARACTER\(", "CHAR(", text)


def read_declared(connection: sa.Connection, tables: Sequence[sa.Table]) -> dict[str, TableShape]:
    """Return the declared tables as this PostgreSQL would store them. Leaves nothing behind."""
    with connection.begin_nested() as savepoint:
        for table in tables:
            bare = CreateTable(table, include_foreign_key_constraints=[])
            sql = (
                str(bare.compile(dialect=_DIALECT))
                .strip()
                .replace("CREATE TABLE", "CREATE TEMPORARY TABLE", 1)
            )
            connection.exec_driver_sql(sql)
        for table in tables:
            for key in sorted(table.foreign_key_constraints, key=lambda key: str(key.name)):
                connection.exec_driver_sql(
                    str(AddConstraint(key, isolate_from_table=False).compile(dialect=_DIALECT))
                )
            for index in sorted(table.indexes, key=lambda index: str(index.name)):
                connection.exec_driver_sql(str(CreateIndex(index).compile(dialect=_DIALECT)))
        try:
            return read_shapes(connection, TEMPORARY)
        finally:
            savepoint.rollback()
