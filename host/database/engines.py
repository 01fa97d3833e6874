"""The engines of the two databases, set up so that they behave alike."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event

from host.database.timeouts import Timeouts
from host.errors import ConfigurationError
from host.fields.words import relevance

BUSY_SECONDS = 5.0  # where nothing else is wanted
TICK = 100_000  # instructions of SQLite between two looks at the clock, about a millisecond
Connected = TypeVar("Connected", bound=sqlite3.Connection)


class Reader(sqlite3.Connection):
    """A connection that remembers totals, each with the `data_version` at which it was counted.

    That version does not tell of the connection's own writes, so writers have no such memory.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.counts: dict[Any, tuple[int, int]] = {}

    def renew(self) -> None:
        """Begin the time of a statement anew, before further rows of it are fetched."""


class TimedReader(Reader):
    """A connection whose statements are interrupted when they take too long, by their own or their rows' time."""

    seconds = 0.0
    _end = 0.0

    def limit(self, seconds: float) -> None:
        """Give each statement so many seconds from now on."""
        self.seconds = seconds
        self.set_progress_handler(self._is_late, TICK)

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        """Run a statement; its time begins."""
        self._end = time.monotonic() + self.seconds
        return super().execute(*arguments)

    def renew(self) -> None:
        """Begin the time of a statement anew, before further rows of it are fetched."""
        self._end = time.monotonic() + self.seconds

    def _is_late(self) -> bool:
        return time.monotonic() > self._end


def sqlite_reader(path: str, timeouts: Timeouts) -> Reader:
    """A connection for reads only, which remembers totals."""
    connection = _connect_sqlite(path, "FULL", TimedReader if timeouts.statement else Reader, timeouts)
    connection.execute("PRAGMA query_only=ON")
    if isinstance(connection, TimedReader):
        connection.limit(timeouts.statement)
    return connection


def _connect_sqlite(path: str, synchronous: str, factory: type[Connected], timeouts: Timeouts) -> Connected:
    connection = sqlite3.connect(
        path,
        timeout=timeouts.lock or BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        factory=factory,
    )
    _log_ahead(connection, timeouts.lock or BUSY_SECONDS)
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute("PRAGMA foreign_keys=ON")
    # CPython's LIKE folds ASCII only; searching and `lower()` must fold as PostgreSQL does.
    connection.create_function("lower", 1, _lower, deterministic=True)
    connection.create_function("relevance", 3, relevance, deterministic=True)
    return connection


def _log_ahead(connection: sqlite3.Connection, patience: float) -> None:
    """Write-ahead logging; SQLite itself does not wait for another who is turning it on for a new file at that moment."""
    end = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.005)


def _lower(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


def sqlite_engine(url: sa.URL, synchronous: str, pool_size: int, timeouts: Timeouts) -> sa.Engine:
    """The engine of an SQLite file: WAL, foreign keys, and transactions that take the write lock at once."""
    path = url.database or ""
    if not path or path == ":memory:":
        raise ConfigurationError("SQLite needs a file, e.g. sqlite:///var/hostwright.db")
    if not Path(path).resolve().parent.is_dir():
        raise ConfigurationError(f"the folder {Path(path).parent} of the SQLite database does not exist")
    engine = sa.create_engine(
        url,
        creator=lambda: _connect_sqlite(path, synchronous, sqlite3.Connection, timeouts),
        poolclass=sa.pool.QueuePool,
        pool_size=pool_size,
        max_overflow=54,
        hide_parameters=True,  # in what errors say, which is logged
    )

    @event.listens_for(engine, "begin")
    def begin_immediate(connection: sa.Connection) -> None:
        # The driver would begin at the first write only, which loses updates (read, then write) between two writers.
        read_only = connection.get_execution_options().get("read_only")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def postgres_engine(url: sa.URL, pool_size: int, timeouts: Timeouts) -> sa.Engine:
    """The engine of a PostgreSQL database: UTC, and connections that are tried before they are used."""
    engine = sa.create_engine(
        url,
        pool_size=pool_size,
        max_overflow=54,
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args={"options": f"-c timezone=UTC{timeouts.postgres_options()}", "connect_timeout": 5},
    )

    @event.listens_for(engine, "connect")
    def load_texts(driver: Any, _record: Any) -> None:
        # uuid and jsonb come as texts: keys are texts everywhere, stored JSON goes out unparsed.
        from psycopg.types.string import TextLoader  # psycopg only where PostgreSQL is used

        for name in ("uuid", "jsonb"):
            driver.adapters.register_loader(name, TextLoader)

    return engine
