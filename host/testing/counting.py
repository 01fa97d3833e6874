"""Counting the statements that the hot path of reading sends to the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from host.database import Database


class _Counting:
    """A driver connection that notes what is run on it."""

    def __init__(self, connection: Any, ran: list[str]) -> None:
        self._connection, self._ran = connection, ran

    def execute(self, sql: Any, *arguments: Any) -> Any:
        self._ran.append(str(sql))
        return self._connection.execute(sql, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The SQL that is read with, while the block runs."""
    ran: list[str] = []
    reading = database.reading

    @contextmanager
    def counting() -> Iterator[Any]:
        with reading() as connection:
            yield _Counting(connection, ran)

    database.reading = counting  # type: ignore[method-assign]  # for the block alone
    try:
        yield ran
    finally:
        database.reading = reading  # type: ignore[method-assign]
