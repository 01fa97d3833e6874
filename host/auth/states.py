"""What the host last saw of a session and its account: whether they count, and the actor that they make.

Looked up again every few seconds, so that a revoked session, a deactivated or deleted account or a lower role counts soon in
every process, at the cost of two small reads for a session and not for each request.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from host.actor import Actor
from host.auth.admission import with_row
from host.auth.lookup import actor_of, by_id
from host.auth.recent import Recent
from host.errors import HostError
from host.service.runtime import Runtime

SESSION = "host.session"
FRESH_SECONDS = 4.0  # the promise is five; the request that saw the old state needs time too
USED_SECONDS = 600  # how exactly it is known when a session was last used
MOST_SESSIONS = 20_000
log = logging.getLogger("hostwright")


@dataclass(frozen=True, slots=True)
class SessionState:
    """What was found; `actor` is None when the session has ended, or its account does not count any more."""

    actor: Actor | None
    until: float


class SessionStates:
    """The states of one app's sessions in this process."""

    def __init__(self, runtime: Runtime, clock: Callable[[], float] = time.monotonic) -> None:
        self._runtime, self._clock = runtime, clock
        self._recent: Recent[str, SessionState] = Recent(MOST_SESSIONS)
        self.forget = self._recent.forget  # so that what this process has ended ends at once

    def of(self, session: str) -> SessionState:
        """The state of the session with this id, at most a few seconds old."""
        now = self._clock()
        found = self._recent.get(session)
        if found is None or found.until <= now:
            found = SessionState(self._read(session), now + FRESH_SECONDS)
            self._recent.put(session, found)
        return found

    def _read(self, session: str) -> Actor | None:
        now = datetime.now(UTC)
        runtime = self._runtime
        statement = runtime.plans.statement((SESSION, "state"), lambda: _state(_table(runtime)))
        values = {"id": session, "now": now, "stale": now - timedelta(seconds=USED_SECONDS)}
        with runtime.database.reading() as connection:
            found = statement.run(connection, values).fetchone()
            row = by_id(runtime, connection, str(found[0])) if found is not None else None
        row = with_row(runtime, row) if row is not None else None
        if found is None or row is None or not row["active"] or row["token_version"] != found[1]:
            return None
        if found[2]:
            self._touch(session, now)
        return replace(actor_of(runtime, row), session=session)

    def _touch(self, session: str, now: datetime) -> None:
        """Note that the session is used. A database that cannot write just now is no reason to refuse a reader."""
        table = _table(self._runtime)
        try:
            with self._runtime.database.writing() as connection:
                connection.execute(table.update().where(table.c.id == session).values(used_at=now))
        except HostError as error:
            log.warning("the use of a session was not noted: %s", error.detail)


def _table(runtime: Runtime) -> sa.Table:
    return runtime.registry.model(SESSION).table


def _state(table: sa.Table) -> Any:
    columns = table.c
    stale = sa.case((columns.used_at < sa.bindparam("stale", type_=columns.used_at.type), 1), else_=0)
    return sa.select(columns.account_id, columns.version, stale).where(
        columns.id == sa.bindparam("id", type_=columns.id.type),
        columns.revoked_at.is_(None),
        columns.expires_at > sa.bindparam("now", type_=columns.expires_at.type),
    )
