"""The SQL of a change, by running its code where it does no harm.

On SQLite that is a copy of the schema in memory, because a change there depends on the table it rebuilds. For
PostgreSQL Alembic writes the statements down instead of executing them.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from host.fields import columns
from host.migrations import search
from host.migrations.blueprint import scratch_engine
from host.migrations.changes import Change
from host.migrations.reflection import without_index_warnings
from host.migrations.script import code_of

Rehearse = Callable[[Change], str]
_ORDINARY = """
    SELECT m.sql FROM sqlite_master m LEFT JOIN pragma_table_list t ON t.name = m.name AND t.schema = 'main'
    WHERE m.sql IS NOT NULL AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
      AND (m.type = 'index' OR (m.type = 'table' AND t.type = 'table')) ORDER BY m.type DESC
"""


@contextmanager
def rehearsing(connection: sa.Connection) -> Iterator[Rehearse]:
    """Give a function that returns the SQL of a change; changes have to come in their order."""
    if connection.dialect.name == "postgresql":
        yield _written
        return
    engine = scratch_engine(portable=False)
    try:
        with engine.connect() as copy, without_index_warnings():
            for (sql,) in connection.exec_driver_sql(_ORDINARY).fetchall():
                copy.exec_driver_sql(sql)
            context = MigrationContext.configure(copy, opts={"transactional_ddl": True})
            yield lambda change: _recorded(copy, context, change)
    finally:
        engine.dispose()


def _run(context: MigrationContext, change: Change) -> None:
    """Run the code that a script would contain."""
    names = {"op": op, "sa": sa, "columns": columns, "search": search, "Decimal": Decimal}
    moments = {kind.__name__: kind for kind in (date, datetime, time, timedelta)}
    with Operations.context(context):
        exec(code_of(change), {**names, **moments})


def _written(change: Change) -> str:
    buffer = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": buffer, "transactional_ddl": True}
    )
    _run(context, change)
    return "\n".join(line for line in buffer.getvalue().strip().splitlines() if line.strip())


def _recorded(copy: sa.Connection, context: MigrationContext, change: Change) -> str:
    statements: list[str] = []

    def note(_copy: Any, _cursor: Any, statement: str, _parameters: Any, execution: Any, _many: bool) -> None:
        if not statement.lstrip().upper().startswith(("BEGIN", "SELECT", "PRAGMA")):
            statements.append(f"{_literal(copy, statement, execution)};")

    sa.event.listen(copy, "before_cursor_execute", note)
    try:
        _run(context, change)
    finally:
        sa.event.remove(copy, "before_cursor_execute", note)
    return "\n".join(statements)


def _literal(copy: sa.Connection, statement: str, execution: Any) -> str:
    """Write the values into a statement that has parameters."""
    compiled = getattr(execution, "compiled", None)
    if compiled is not None and getattr(compiled, "binds", None):
        statement = str(compiled.statement.compile(copy.engine, compile_kwargs={"literal_binds": True}))
    return "\n".join(line.rstrip() for line in statement.strip().splitlines() if line.strip())
