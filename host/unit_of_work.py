"""One transaction and what follows it: the only place where writes begin, commit and roll back.

Use one unit of work per request, job or command. Do not call the network inside it: on SQLite it holds the write lock from
its first moment. What must happen only when the data is safe is handed to `after_commit`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from host.database import Database
from host.errors import Conflict

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

MOST_NOTED = 500  # entries that wait in memory
Store = Callable[[Any, list[Any]], None]
log = logging.getLogger("hostwright")


class UnitOfWork:
    """An open transaction; `driver` is its bare connection, `session` an ORM session over the same transaction."""

    def __init__(self, connection: sa.Connection, *, is_committed: bool = True) -> None:
        self.connection = connection
        self.is_committed = is_committed  # in the end; a snapshot never is
        self.driver: Any = connection.connection.dbapi_connection
        self.removing: set[tuple[Any, ...]] = set()  # rows that are being removed
        self.logging: Any = None  # what `host.service.log_appending` knows of this transaction
        self.known: dict[str, set[Any]] | None = (
            None  # rows that are referred to and there, where somebody keeps count
        )
        self.undone = 0  # savepoints that have been rolled back
        self.telling: list[str] = []  # events whose subscribers are being called, each inside the one before
        self._session: Session | None = None
        self._followers: list[Callable[[], None]] = []
        self._parts: list[int] = []  # of each open savepoint, how many notes were waiting when it began
        self._noted: list[tuple[Store, Any]] = []

    @property
    def session(self) -> Session:
        """SQLAlchemy's session, for plugins' own queries; made when first asked for."""
        if self._session is None:
            from sqlalchemy.orm import Session  # the ORM costs start-up time and most requests never need it

            self._session = Session(
                bind=self.connection, join_transaction_mode="control_fully", autoflush=True
            )
        return self._session

    @property
    def depth(self) -> int:
        """How many savepoints are open."""
        return len(self._parts)

    def flush(self) -> None:
        """Send the session's pending changes, so that statements see them."""
        if self._session is None:
            return
        try:
            self._session.flush()
        except sa.exc.IntegrityError as error:
            raise Conflict("the change contradicts what is stored") from error

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part of the transaction that is undone alone when it raises, with what it wanted done after the commit."""
        self.flush()
        if self.logging is not None:
            self.write_notes(self.logging.store)  # whoever reads them inside may then write what waits
        self._write_many_notes()
        followers, name = len(self._followers), f"part_{len(self._parts)}"
        self._parts.append(len(self._noted))
        self.driver.execute(
            f"SAVEPOINT {name}"
        )  # SQLAlchemy's own costs ten times as much, for each row of an import
        try:
            yield
            self.flush()
        except BaseException:
            self.driver.execute(f"ROLLBACK TO SAVEPOINT {name}")
            del self._followers[followers:], self._noted[self._parts[-1] :]
            self.undone += 1
            if self._session is not None:
                self._session.expunge_all()
            raise
        finally:
            self._parts.pop()
        self.driver.execute(f"RELEASE SAVEPOINT {name}")

    def after_commit(self, follow: Callable[[], None]) -> None:
        """Call this when the transaction has been committed; never, when it is rolled back."""
        self._followers.append(follow)

    def after_commit_once(self, follow: Callable[[], None]) -> None:
        """The same, however often it is asked for."""
        if follow not in self._followers:
            self._followers.append(follow)

    def note(self, entry: Any, store: Store) -> None:
        """Keep an entry to be stored in this transaction, many with one statement: `store(driver, entries)`."""
        self._noted.append((store, entry))
        self._write_many_notes()

    def write_notes(self, only: Store | None = None) -> None:
        """Store what was noted, or what of it one store waits for."""
        if only is not None:
            self._write_notes_of(only)
            return
        noted, self._noted = self._noted, []
        entries: dict[Store, list[Any]] = {}
        for store, entry in noted:
            entries.setdefault(store, []).append(entry)
        for store, its_own in entries.items():
            store(self.driver, its_own)

    def _write_notes_of(self, store: Store) -> None:
        places = [at for at, (waiting, _) in enumerate(self._noted) if waiting == store]
        if not places:
            return
        entries = [self._noted[at][1] for at in places]
        self._noted = [noted for noted in self._noted if noted[0] != store]
        self._parts = [count - sum(1 for at in places if at < count) for count in self._parts]
        store(self.driver, entries)

    def _write_many_notes(self) -> None:
        """Store what waits when it is much, unless some of it is older than a savepoint that may be undone."""
        if len(self._noted) >= MOST_NOTED and not any(self._parts):
            self.write_notes()

    def followers(self) -> tuple[Callable[[], None], ...]:
        """What was handed to `after_commit`, in order."""
        return tuple(self._followers)


@contextmanager
def unit_of_work(database: Database) -> Iterator[UnitOfWork]:
    """Commit at the end, roll back on any exception, then call the followers."""
    is_complete = False
    try:
        with database.writing() as connection:
            work = UnitOfWork(connection)
            yield work
            work.flush()
            work.write_notes()
            is_complete = True
    except sa.exc.IntegrityError as error:
        if not is_complete:
            raise
        # Some foreign keys of other systems are looked at when the transaction ends.
        raise Conflict("the change contradicts what is stored") from error
    for follow in work.followers():
        try:
            follow()
        except Exception:  # what has been committed is not undone by what should follow it
            log.exception("a follower of a committed transaction failed")
