"""Events that wait in the unit of work, to be stored many with one statement: when they are read, or before the commit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from host.compiler.statements import Statement
from host.service.logs import CompiledLog, Values

if TYPE_CHECKING:
    from host.service.context import Context

Waiting = tuple[Statement, dict[str, Any]]


def wait(ctx: Context, log: CompiledLog, row: Values) -> None:
    """Let an event wait; its order among those of its log stays."""
    names = tuple(row)
    statement = ctx.runtime.plans.statement((log.model, "append", names), lambda: _adding(log, names))
    ctx.transaction.note((statement, statement.bind(row)), store_events)


def store_waiting(ctx: Context) -> None:
    """Store the events that wait, because they are about to be read."""
    ctx.transaction.write_notes(store_events)


def store_events(driver: Any, waiting: Sequence[Waiting]) -> None:
    """Store events, in their order."""
    for sql, some in groupby(waiting, key=lambda it: it[0].sql):
        bound = [values for _, values in some]
        if len(bound) == 1:
            driver.execute(sql, bound[0])
        else:
            driver.cursor().executemany(sql, bound)


def _adding(log: CompiledLog, names: tuple[str, ...]) -> Any:
    columns = {name: column for name in names if (column := log.model.attributes[name].column) is not None}
    values = {column.name: sa.bindparam(name, type_=column.type) for name, column in columns.items()}
    return log.model.table.insert().values(values)
