"""The database: engine, transactions, read connections, and what driver errors mean.

SQLite and PostgreSQL only. Writers take a SQLAlchemy connection (`writing`); the hot path of reading takes a bare driver
connection (`reading`), because compiled statements cost a multiple when they pass through SQLAlchemy again.
"""

from __future__ import annotations

import re
import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, Literal, Protocol

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import sqlite

from host.errors import ConfigurationError, Unavailable

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
BUSY_SECONDS = 5.0


class DriverConnection(Protocol):
    """What sqlite3 and psycopg connections have in common."""

    def execute(self, sql: Any, parameters: Any = ..., /) -> Any:
        """Run one statement and answer its cursor."""

    def close(self) -> None:
        """End the connection."""


# --- connections ------------------------------------------------------------------------------------------------------


class Database:
    """One database of one app. `reading()` and `writing()` are the only two ways in."""

    def __init__(self, engine: sa.Engine, *, readers: int = 64) -> None:
        self.engine = engine
        self.dialect: Literal["sqlite", "postgresql"] = (
            "sqlite" if engine.dialect.name == "sqlite" else "postgresql"
        )
        # Compiled statements are run by name on both drivers: `:name` on sqlite3, `%(name)s` on psycopg.
        self.compiling: sa.Dialect = (
            sqlite.dialect(paramstyle="named") if self.dialect == "sqlite" else engine.dialect
        )
        self._idle: deque[Any] = deque()
        self._slots = BoundedSemaphore(readers)

    @classmethod
    def open(
        cls, url: str, *, synchronous: Literal["FULL", "NORMAL"] = "FULL", pool_size: int = 10
    ) -> Database:
        """Make the engine; connects nothing yet. Raises ConfigurationError for another kind of database."""
        try:
            parsed = sa.make_url(url)
        except sa.exc.ArgumentError as error:
            raise ConfigurationError(
                "the database URL cannot be read; write sqlite:///file or postgresql://…"
            ) from error
        if parsed.get_backend_name() == "sqlite":
            return cls(_sqlite_engine(parsed, synchronous, pool_size))
        if parsed.get_backend_name() in {"postgresql", "postgres"}:
            return cls(_postgres_engine(parsed.set(drivername="postgresql+psycopg"), pool_size))
        raise ConfigurationError(
            f"the database {parsed.get_backend_name()!r} is not one of sqlite, postgresql"
        )

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """A driver connection in autocommit, for reads only; waits when all are taken."""
        if not self._slots.acquire(timeout=BUSY_SECONDS):
            raise Unavailable("all database connections are busy")
        try:
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._connect_reader()
            try:
                yield connection
            except BaseException as error:
                if _is_lost(error):
                    connection.close()
                    raise Unavailable("the database connection was lost") from error
                self._idle.append(connection)
                raise
            self._idle.append(connection)
        finally:
            self._slots.release()

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction: committed at the end, rolled back by any exception. SQLite's write lock is taken at once."""
        with self._reachable():
            connection = self.engine.connect()
        with connection:
            with self._reachable():
                transaction = connection.begin()
            with transaction:
                yield connection

    def check(self) -> None:
        """Raise ConfigurationError in one sentence when the database cannot be reached."""
        try:
            with self.reading() as connection:
                connection.execute("SELECT 1")
        except Unavailable as error:
            raise ConfigurationError(error.detail) from error

    def dispose(self) -> None:
        """Close every connection, e.g. after a fork or at the end of a test."""
        while self._idle:
            self._idle.pop().close()
        self.engine.dispose()

    def _connect_reader(self) -> Any:
        with self._reachable():
            if self.dialect == "sqlite":
                connection = _connect_sqlite(str(self.engine.url.database), "FULL")
                connection.execute("PRAGMA query_only=ON")
                return connection
            pooled = self.engine.raw_connection()
            driver: Any = pooled.dbapi_connection
            pooled.detach()
            driver.autocommit = True
            return driver

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        try:
            yield
        except (sa.exc.OperationalError, sqlite3.OperationalError) as error:
            raise _unreachable(self.engine.url, error) from error


def _is_lost(error: BaseException) -> bool:
    return type(error).__module__.startswith("psycopg") and type(error).__name__ in {
        "OperationalError",
        "InterfaceError",
    }


def _unreachable(url: sa.URL, error: Exception) -> Exception:
    reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
    if "locked" in reason or "busy" in reason:
        return Unavailable("the database is busy; try again")
    return Unavailable(f"the database {url.render_as_string(hide_password=True)} cannot be reached: {reason}")


class SqliteConnection(sqlite3.Connection):
    """A connection that remembers totals, each with the `data_version` at which it was counted."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.counts: dict[Any, tuple[int, int]] = {}


def _connect_sqlite(path: str, synchronous: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, factory=SqliteConnection
    )
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute("PRAGMA foreign_keys=ON")
    # CPython's LIKE folds ASCII only; searching and `lower()` must fold as PostgreSQL does.
    connection.create_function("lower", 1, _lower, deterministic=True)
    return connection


def _lower(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


def _sqlite_engine(url: sa.URL, synchronous: str, pool_size: int) -> sa.Engine:
    path = url.database or ""
    if not path or path == ":memory:":
        raise ConfigurationError("SQLite needs a file, e.g. sqlite:///var/hostwright.db")
    if not Path(path).resolve().parent.is_dir():
        raise ConfigurationError(f"the folder {Path(path).parent} of the SQLite database does not exist")
    engine = sa.create_engine(
        url,
        creator=lambda: _connect_sqlite(path, synchronous),
        poolclass=sa.pool.QueuePool,
        pool_size=pool_size,
        max_overflow=54,
    )

    @event.listens_for(engine, "begin")
    def begin_immediate(connection: sa.Connection) -> None:
        # The driver would begin at the first write only, which loses updates (read, then write) between two writers.
        read_only = connection.get_execution_options().get("read_only")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _postgres_engine(url: sa.URL, pool_size: int) -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_size=pool_size,
        max_overflow=54,
        pool_pre_ping=True,
        connect_args={"options": "-c timezone=UTC", "connect_timeout": 5},
    )

    @event.listens_for(engine, "connect")
    def load_texts(driver: Any, _record: Any) -> None:
        # uuid and jsonb come as texts: keys are texts everywhere, stored JSON goes out unparsed.
        from psycopg.types.string import TextLoader  # psycopg only where PostgreSQL is used

        for name in ("uuid", "jsonb"):
            driver.adapters.register_loader(name, TextLoader)

    return engine


# --- driver errors ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Violation:
    """A constraint that a write broke: its name where the driver tells it, else its columns."""

    kind: Literal["unique", "foreign_key", "check", "not_null", "range", "other"]
    constraint: str | None = None
    table: str | None = None
    columns: tuple[str, ...] = ()


_PG_KINDS: dict[str, Literal["unique", "foreign_key", "check", "not_null", "range"]] = {
    "23505": "unique", "23503": "foreign_key", "23001": "foreign_key", "23514": "check", "23502": "not_null",
    "22001": "range", "22003": "range",
}  # fmt: skip
_SQLITE_FORMS = (
    ("unique", re.compile(r"UNIQUE constraint failed: index '(?P<constraint>\w+)'")),
    ("unique", re.compile(r"UNIQUE constraint failed: (?P<columns>.+)")),
    ("check", re.compile(r"CHECK constraint failed: (?P<constraint>\w+)")),
    ("not_null", re.compile(r"NOT NULL constraint failed: (?P<columns>.+)")),
    ("foreign_key", re.compile(r"FOREIGN KEY constraint failed")),
)


def violation_of(error: BaseException) -> Violation | None:
    """What a driver's (or SQLAlchemy's) integrity error says, or None when it is another error."""
    original = getattr(error, "orig", None) or error
    if isinstance(original, sqlite3.IntegrityError):
        return _sqlite_violation(str(original))
    state = getattr(original, "sqlstate", None)
    if state in _PG_KINDS:
        diagnosis: Any = original.diag  # type: ignore[union-attr]  # psycopg's, which is not imported for SQLite
        columns = (diagnosis.column_name,) if diagnosis.column_name else ()
        return Violation(_PG_KINDS[state], diagnosis.constraint_name, diagnosis.table_name, columns)
    return None


def _sqlite_violation(message: str) -> Violation:
    for kind, form in _SQLITE_FORMS:
        match = form.search(message)
        if match is None:
            continue
        found = match.groupdict()
        names = [name.strip() for name in (found.get("columns") or "").split(",") if name.strip()]
        table = names[0].partition(".")[0] if names else None
        columns = tuple(name.partition(".")[2] for name in names)
        return Violation(kind, found.get("constraint"), table, columns)  # type: ignore[arg-type]  # kinds of the table
    return Violation("other")
