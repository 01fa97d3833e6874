"""One transaction for everything that a request writes, so that its answer can be kept in it before it commits.

The web layer enters a joint around an operation; `Runtime.writing` then begins no transactions of its own. The first write
begins the one transaction, so that reading and checking the body holds no lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from host.database import Database
from host.unit_of_work import UnitOfWork, unit_of_work


class Joint:
    """The transaction of one request, not begun yet."""

    def __init__(self, database: Database, stack: ExitStack) -> None:
        self._database, self._stack = database, stack
        self._work: UnitOfWork | None = None

    @contextmanager
    def part(self) -> Iterator[UnitOfWork]:
        """What would be a transaction of its own: undone alone when it raises, committed with the rest."""
        if self._work is None:
            self._work = self._stack.enter_context(unit_of_work(self._database))
        with self._work.savepoint():
            yield self._work
