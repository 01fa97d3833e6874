"""The shape of declared tables, in the words of a given database: made there for a moment, read back, thrown
away.

SQLite's copy lives in memory, PostgreSQL's in temporary tables. The scratch database, on which scripts are
tried when a revision is made, is an SQLite in memory that knows PostgreSQL's types: they tell apart what
SQLite stores alike (a UUID and a text of 36 characters), so that one comparison serves both databases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from host.fields import columns
from host.migrations import postgres
from host.migrations.reflection import read_shapes, same_text
from host.migrations.shapes import (
    ABSENT,
    CheckShape,
    ColumnShape,
    Constraint,
    IndexShape,
    Renames,
    Shapes,
    TableShape,
)
from host.migrations.type_codes import declared_type_code

# PostgreSQL cuts longer names; the same name has to come out everywhere.
LONGEST_NAME = 63
_READ_BACK: dict[str, Any] = {
    "TIMESTAMP WITH TIME ZONE": columns.Instant,
    "DATE": columns.Day,
    "TIME WITHOUT TIME ZONE": columns.TimeOfDay,
    "UUID": columns.Uid,
    "JSONB": columns.Json,
    "NUMERIC": columns.Exact,
    "DOUBLE PRECISION": sa.Double,
    "BYTEA": sa.LargeBinary,
    "TSVECTOR": columns.Words,
}


def scratch_engine(*, portable: bool) -> sa.Engine:
    """Make an empty SQLite database in memory; a portable one keeps PostgreSQL's types apart."""
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    sa.event.listen(engine, "connect", _manual_transactions)
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    dialect: Any = engine.dialect  # what is set here differs by dialect
    dialect.max_identifier_length = LONGEST_NAME
    dialect.supports_native_boolean = True
    if portable:
        dialect.type_compiler_instance = _dialect("postgresql").type_compiler_instance
        dialect.ischema_names = {**sqlite.dialect.ischema_names, **_READ_BACK}
        sa.event.listen(engine, "before_cursor_execute", _without_counting, retval=True)
    return engine


def _manual_transactions(driver: Any, _record: Any) -> None:
    driver.isolation_level = None


def _without_counting(
    _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
) -> tuple[str, Any]:
    """SQLite counts on only in a column of its own type, which a portable key has not."""
    return statement.replace(" PRIMARY KEY AUTOINCREMENT", " PRIMARY KEY"), parameters


def declared_shapes(tables: Sequence[sa.Table], connection: sa.Connection) -> dict[str, TableShape]:
    """Return declared tables as the database of this connection would store them."""
    if connection.dialect.name == "postgresql":
        return _enriched(postgres.read_declared(connection, tables), tables)
    portable = connection.dialect.type_compiler_instance.dialect.name != "sqlite"
    engine = scratch_engine(portable=portable)
    try:
        with engine.connect() as scratch:
            for table in tables:
                scratch.execute(CreateTable(table))
                for index in sorted(table.indexes, key=lambda index: str(index.name)):
                    scratch.execute(CreateIndex(index))
            return _enriched(read_shapes(scratch), tables)
    finally:
        engine.dispose()


def find_renames(old: Shapes, tables: Sequence[sa.Table]) -> Renames:
    """Return the renames that declarations ask for with `was` and that the database has not seen yet."""
    renamed: dict[str, str] = {}
    names: dict[str, dict[str, str]] = {}
    for table in tables:
        was = str(table.info.get("was"))
        if was in old and table.name not in old and was not in renamed:
            renamed[was] = table.name
        before = old.get(was if renamed.get(was) == table.name else table.name)
        for column in table.columns if before else ():
            former = str(column.info.get("was"))
            if before and former in before.columns and column.name not in before.columns:
                names.setdefault(table.name, {})[former] = column.name
    return Renames(renamed, names)


def _enriched(found: Shapes, tables: Sequence[sa.Table]) -> dict[str, TableShape]:
    """Add to shapes what only the declaration knows: how scripts write types, texts and defaults."""
    return {table.name: _enriched_table(found[table.name], table) for table in tables}


def _enriched_table(shape: TableShape, table: sa.Table) -> TableShape:
    texts = {
        _name(constraint): _texts(constraint.sqltext)
        for constraint in table.constraints
        if isinstance(constraint, sa.CheckConstraint)
    }
    indexes = {_name(index): index for index in table.indexes}
    return replace(
        shape,
        columns={
            name: _enriched_column(column, table.columns[name]) for name, column in shape.columns.items()
        },
        constraints=tuple(_enriched_check(each, texts) for each in shape.constraints),
        indexes=tuple(_enriched_index(each, indexes[each.name]) for each in shape.indexes),
        is_counted=bool(table.dialect_options["sqlite"]["autoincrement"]),
        words=table.info.get("search"),
    )


def _enriched_column(shape: ColumnShape, column: sa.Column[Any]) -> ColumnShape:
    backfill = column.info.get("backfill")
    return replace(
        shape, code=declared_type_code(column.type), backfill=ABSENT if backfill is None else backfill
    )


def _enriched_check(shape: Constraint, texts: dict[str, dict[str, str]]) -> Constraint:
    return replace(shape, texts=texts[shape.name or ""]) if isinstance(shape, CheckShape) else shape


def _enriched_index(shape: IndexShape, index: sa.Index) -> IndexShape:
    where = index.dialect_options["postgresql"]["where"]
    return replace(
        shape,
        texts=tuple(_texts(expression) for expression in index.expressions),
        where_texts={} if where is None else _texts(where),
    )


def _name(item: sa.Constraint | sa.Index) -> str:
    """Return the name as every database gets it, cut where PostgreSQL would cut it."""
    preparer = _dialect("postgresql").identifier_preparer
    formatted = (
        preparer.format_index(item) if isinstance(item, sa.Index) else preparer.format_constraint(item)
    )
    return (formatted or "").strip('"')


def _texts(expression: Any) -> dict[str, str]:
    """Write an expression for both databases, alike unless each really needs its own."""
    own, other = _text(expression, "sqlite"), _text(expression, "postgresql")
    return {"": other} if same_text(own) == same_text(other) else {"sqlite": own, "postgresql": other}


def _text(expression: Any, database: str) -> str:
    dialect = _dialect(database)
    compiler = dialect.ddl_compiler(dialect, None).sql_compiler
    text: str = compiler.process(expression, include_table=False, literal_binds=True)
    return " ".join(text.splitlines())


def _dialect(database: str) -> Any:
    """A dialect only for writing: SQLite's writes booleans as PostgreSQL does; percent signs stay single."""
    make: Any = sqlite.dialect if database == "sqlite" else postgresql.dialect  # untyped in SQLAlchemy
    dialect = make(paramstyle="named")
    dialect.supports_native_boolean = True
    return dialect
