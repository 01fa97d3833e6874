"""Refresh rotation: each refresh token is good for one exchange. `grants` calls it.

Only the digest of a token's id is stored. The exchange is one compare-and-set; of any number that arrive together one
wins. A repeat within moments, as from a second tab, is told to go on with what the first was given; a later one can only
be a copy, and ends the session for everybody who holds it (RFC 9700, section 4.14.2).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import Any, Literal

import sqlalchemy as sa

from host.actor import SYSTEM
from host.auth.codec import refused
from host.auth.lookup import Row, by_id
from host.auth.sessions import Sessions
from host.auth.states import SESSION
from host.auth.tokens import Refresh
from host.errors import AlreadyRefreshed
from host.service.context import Context

GRACE_SECONDS = 10
MOST_RETIRED = 20  # digests remembered through the grace
Outcome = Literal["rotated", "again", "dead"]


@dataclass(frozen=True, slots=True)
class Rotated:
    """A session that goes on: its account, the id of the next refresh token, and when it ends."""

    account: Row
    session: str
    identity: str
    ends_at: datetime
    kind: str


def new_identity() -> str:
    """The id of a refresh token."""
    return secrets.token_urlsafe(32)


def digest_of(identity: str) -> str:
    """What is stored of it."""
    return sha256(identity.encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class Rotation:
    """The exchange of refresh tokens of one app."""

    sessions: Sessions
    clock: Callable[[], float] = time.time

    def rotate(self, token: Refresh) -> Rotated:
        """Take a refresh token and answer the next one. Raises AlreadyRefreshed, or Unauthenticated when it is dead."""
        identity = new_identity()
        with self.sessions.runtime.writing(SYSTEM, plugin="host") as ctx:
            outcome, row, account = self._exchange(ctx, token, digest_of(identity))
        if outcome == "again":
            raise AlreadyRefreshed("it has just been refreshed; retry with the new token or cookie")
        if outcome == "dead" or row is None or account is None:
            raise refused()
        return Rotated(account, token.session, identity, row["expires_at"], row["kind"])

    def _exchange(
        self, ctx: Context, token: Refresh, following: str
    ) -> tuple[Outcome, Row | None, Row | None]:
        row = _row(ctx, token)
        account = by_id(ctx.runtime, ctx.transaction.driver, token.account) if row is not None else None
        if row is None or account is None or not account["active"]:
            return "dead", None, None
        if row["version"] != account["token_version"]:
            return "dead", None, None
        used = digest_of(token.id)
        if row["refresh_digest"] == used and self._replaced(ctx, row, used, following):
            return "rotated", row, account
        row = _row(ctx, token)  # another has been faster
        if row is None:
            return "dead", None, None
        if self._recently(row).get(used) is not None:
            return "again", None, None
        self._revoke(ctx, token.session)
        return "dead", None, None

    def _replaced(self, ctx: Context, row: Row, used: str, following: str) -> bool:
        """The compare-and-set: only who finds the digest still there has replaced it."""
        table = ctx.table(SESSION)
        recent = list({**self._recently(row), used: int(self.clock())}.items())[-MOST_RETIRED:]
        values = {"refresh_digest": following, "refresh_retired": dict(recent), "used_at": ctx.now}
        still = (table.c.id == row["id"], table.c.refresh_digest == used, table.c.revoked_at.is_(None))
        return ctx.execute(table.update().where(*still).values(**values)).rowcount == 1

    def _recently(self, row: Row) -> dict[str, int]:
        oldest = self.clock() - GRACE_SECONDS
        return {digest: at for digest, at in (row["refresh_retired"] or {}).items() if at >= oldest}

    def _revoke(self, ctx: Context, session: str) -> None:
        table = ctx.table(SESSION)
        ctx.execute(table.update().where(table.c.id == session).values(revoked_at=ctx.now))
        ctx.after_commit(partial(self.sessions.forget, session))
        ctx.runtime.journal.identity(ctx, "refresh_reused", None, session=session)


def _row(ctx: Context, token: Refresh) -> Row | None:
    """The session, if it still counts."""
    table = ctx.table(SESSION)
    alive: tuple[Any, ...] = (table.c.revoked_at.is_(None), table.c.expires_at > datetime.now(UTC))
    mine = (table.c.id == token.session, table.c.account_id == token.account)
    found = ctx.execute(sa.select(table).where(*mine, *alive)).mappings().first()
    return dict(found) if found is not None else None
