"""The operations that a revision script calls as `op`, with two cautions of the host's own.

A table that exists already, belongs to nobody and has the columns is adopted with its rows instead of created; what
else differs is shown by `hostwright db plan` afterwards. A batch on SQLite keeps what is attached to its table.
Called by `runner`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from host.migrations.errors import MigrationError
from host.migrations.keeper import keeping_attached


@contextmanager
def operating(context: MigrationContext, free: frozenset[str]) -> Iterator[set[str]]:
    """Let a revision operate; gives the names of the tables that it adopts out of the `free` ones."""
    operations = Operations(context)
    adopted: set[str] = set()
    # Alembic's functions are bound to this object when it is installed.
    instance: Any = operations
    instance.create_table = _adopting(operations.create_table, context, free, adopted)
    instance.batch_alter_table = _keeping(operations.batch_alter_table, context)
    instance.create_index = _unless_adopted(operations.create_index, context, adopted)
    operations._install_proxy()
    try:
        yield adopted
    finally:
        operations._remove_proxy()


def _keeping(alter: Callable[..., Any], context: MigrationContext) -> Callable[..., Any]:
    def batch_alter_table(table: str, *arguments: Any, **options: Any) -> AbstractContextManager[Any]:
        return keeping_attached(_connection(context), table, alter(table, *arguments, **options))

    return batch_alter_table


def _columns(context: MigrationContext, table: str) -> frozenset[str]:
    return frozenset(column["name"] for column in sa.inspect(_connection(context)).get_columns(table))


def _connection(context: MigrationContext) -> sa.Connection:
    assert context.connection is not None  # the runner always has one
    return context.connection


def _adopting(
    create: Callable[..., Any], context: MigrationContext, free: frozenset[str], adopted: set[str]
) -> Callable[..., Any]:
    def create_table(name: str, *parts: Any, **options: Any) -> Any:
        if name not in free:
            return create(name, *parts, **options)
        missing = {part.name for part in parts if isinstance(part, sa.Column)} - _columns(context, name)
        if missing:
            raise MigrationError(
                f"the table {name} exists and belongs to nobody; to be adopted it lacks {', '.join(sorted(missing))}"
            )
        adopted.add(name)
        return None

    return create_table


def _unless_adopted(
    create: Callable[..., Any], context: MigrationContext, adopted: set[str]
) -> Callable[..., Any]:
    def create_index(name: str, table: str, *parts: Any, **options: Any) -> None:
        is_there = table in adopted and sa.inspect(_connection(context)).has_index(table, name)
        if not is_there:
            create(name, table, *parts, **options)

    return create_index
