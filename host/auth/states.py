"""What the host last saw of an account: whether it counts, its token version, and the actor it makes.

Looked up again every few seconds, so that a deactivated or deleted account, a lower role or a raised token version count
soon in every process, at the cost of one query per account and not one per request.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from host.actor import Actor
from host.auth.lookup import actor_of, by_id
from host.auth.recent import Recent
from host.service.runtime import Runtime

FRESH_SECONDS = 4.0  # the promise is five; the request that saw the old state needs time too
MOST_ACCOUNTS = 20_000


@dataclass(frozen=True, slots=True)
class AccountState:
    """What was found; `actor` is None when the account is gone or inactive."""

    actor: Actor | None
    token_version: int
    until: float


class AccountStates:
    """The states of one app's accounts in this process."""

    def __init__(self, runtime: Runtime, clock: Callable[[], float] = time.monotonic) -> None:
        self._runtime, self._clock = runtime, clock
        self._recent: Recent[str, AccountState] = Recent(MOST_ACCOUNTS)

    def of(self, account: str) -> AccountState:
        """The state of the account with this id, at most a few seconds old."""
        now = self._clock()
        found = self._recent.get(account)
        if found is None or found.until <= now:
            found = self._read(account, now + FRESH_SECONDS)
            self._recent.put(account, found)
        return found

    def _read(self, account: str, until: float) -> AccountState:
        with self._runtime.database.reading() as connection:
            row = by_id(self._runtime, connection, account)
        if row is None or not row["active"]:
            return AccountState(None, 0, until)
        return AccountState(actor_of(self._runtime, row), row["token_version"], until)
