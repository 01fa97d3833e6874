"""The connections of one app's database.

Writers take a SQLAlchemy connection (`writing`); the hot path of reading takes a bare driver connection (`reading`), because
compiled statements cost a multiple when they pass through SQLAlchemy again.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import BoundedSemaphore, Lock
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import sqlite

from host.database import deadline
from host.database.engines import BUSY_SECONDS, postgres_engine, sqlite_engine, sqlite_reader
from host.database.failures import failure, sentence
from host.database.timeouts import UNLIMITED, Timeouts
from host.errors import ConfigurationError, Unavailable

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Database:
    """One database of one app. `reading()`, `snapshot()` and `writing()` are the ways in."""

    def __init__(self, engine: sa.Engine, *, readers: int = 64, timeouts: Timeouts = UNLIMITED) -> None:
        self.engine = engine
        self._timeouts = timeouts
        if timeouts.request:
            event.listen(engine, "before_cursor_execute", lambda *_: deadline.check())
        self.dialect: Literal["sqlite", "postgresql"] = (
            "sqlite" if engine.dialect.name == "sqlite" else "postgresql"
        )
        # Compiled statements are run by name on both drivers: `:name` on sqlite3, `%(name)s` on psycopg.
        self.compiling: sa.Dialect = (
            sqlite.dialect(paramstyle="named") if self.dialect == "sqlite" else engine.dialect
        )
        self._readers = readers
        self._idle: deque[Any] = deque()
        self._slots = BoundedSemaphore(readers)
        self._process = os.getpid()
        self._forking = Lock()
        self._of_parent: list[Any] = []

    @classmethod
    def open(
        cls,
        url: str,
        *,
        synchronous: Literal["FULL", "NORMAL"] = "FULL",
        pool_size: int = 10,
        timeouts: Timeouts = UNLIMITED,
    ) -> Database:
        """Make the engine; connects nothing yet. Raises ConfigurationError for another kind of database."""
        try:
            parsed = sa.make_url(url)
        except sa.exc.ArgumentError as error:
            raise ConfigurationError(
                "the database URL cannot be read; write sqlite:///file or postgresql://…"
            ) from error
        if parsed.get_backend_name() == "sqlite":
            return cls(sqlite_engine(parsed, synchronous, pool_size, timeouts), timeouts=timeouts)
        if parsed.get_backend_name() in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
            return cls(postgres_engine(parsed, pool_size, timeouts), timeouts=timeouts)
        raise ConfigurationError(
            f"the database {parsed.get_backend_name()!r} is not one of sqlite, postgresql"
        )

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """A driver connection in autocommit, for reads only; waits when all are taken."""
        deadline.check()
        if os.getpid() != self._process:
            self._after_fork()
        slots = self._slots
        if not slots.acquire(timeout=BUSY_SECONDS):
            raise Unavailable("all database connections are busy")
        try:
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._connect_reader()
            try:
                yield connection
            except BaseException as error:
                self._give_back(connection)
                known = failure(error)
                if known is None:
                    raise
                raise known from error
            self._idle.append(connection)
        finally:
            slots.release()

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction: committed at the end, rolled back by any exception. SQLite's write lock is taken at once."""
        with self._translated(), self._connected() as connection, connection.begin():
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """A transaction that sees one moment and is never committed; takes no write lock on SQLite."""
        options: dict[str, Any] = (
            {"read_only": True} if self.dialect == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        )
        with self._translated(), self._connected() as connection:
            transaction = connection.execution_options(**options).begin()
            try:
                yield connection
            finally:
                transaction.rollback()

    def connections(self) -> tuple[tuple[str, int, int], ...]:
        """Of each pool how many connections are taken, and how many wait to be."""
        pool: Any = self.engine.pool  # the base class does not count
        reading = ("reading", self._readers - self._slots._value, len(self._idle))
        return reading, ("writing", pool.checkedout(), pool.checkedin())

    def check(self) -> None:
        """Raise ConfigurationError in one sentence when the database cannot be reached."""
        try:
            with self.reading() as connection:
                connection.execute("SELECT 1")
        except Unavailable as error:
            raise ConfigurationError(sentence(self.engine.url, error.__cause__ or error)) from error

    def dispose(self) -> None:
        """Close every connection, e.g. at the end of a test."""
        while self._idle:
            self._idle.pop().close()
        self.engine.dispose()

    def _give_back(self, connection: Any) -> None:
        """Keep a connection after an error; when it has been lost, the idle ones have been, too."""
        if not getattr(connection, "closed", False):
            self._idle.append(connection)
            return
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().close()

    def _connect_reader(self) -> Any:
        with self._translated():
            if self.dialect == "sqlite":
                return sqlite_reader(str(self.engine.url.database), self._timeouts)
            pooled = self.engine.raw_connection()
            driver: Any = pooled.dbapi_connection
            pooled.detach()
            driver.autocommit = True
            return driver

    def _connected(self) -> sa.Connection:
        deadline.check()
        if os.getpid() != self._process:
            self._after_fork()
        return self.engine.connect()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            known = failure(error)
            if known is None:
                raise
            raise known from error

    def _after_fork(self) -> None:
        """In a child process: leave the parent's connections alone (closing them would end its sessions), begin anew."""
        with self._forking:
            if self._process == os.getpid():
                return
            self._of_parent += [self._idle, self.engine.pool]
            self._idle, self._slots = deque(), BoundedSemaphore(self._readers)
            self.engine.dispose(close=False)
            self._process = os.getpid()
