"""Sessions: one row for each sign-in. Revoking it ends every token and cookie that stands for it.

`grants` begins them, `refresh` goes on with them, the web layer and `hostwright user` list and end them. They are written
without the checks of the service: nothing in them comes from a body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal

import sqlalchemy as sa

from host.actor import SYSTEM
from host.auth.lookup import Row, is_id
from host.auth.states import SESSION
from host.errors import NotFound
from host.service.context import Context
from host.service.journal import SIGN_IN
from host.service.keys import uuid7
from host.service.runtime import Runtime

SessionKind = Literal["token", "refresh", "cookie"]
MOST_LISTED = 200
MOST_SWEPT = 100  # expired rows that one sign-in clears away
LONGEST_AGENT, LONGEST_ADDRESS = 200, 45


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a sign-in comes from, as the account's owner reads it later."""

    agent: str = ""
    address: str = ""
    request_id: str = ""


NOWHERE = Visitor()


def forgotten(session: str) -> None:
    """What a command has to forget of a session: it remembers none."""


@dataclass(frozen=True, eq=False)
class Sessions:
    """The sessions of one app; `forget` is told of each that has ended, once that is committed."""

    runtime: Runtime
    forget: Callable[[str], None] = forgotten

    def begin(
        self, account: Row, kind: SessionKind, seconds: int, visitor: Visitor, digest: str | None = None
    ) -> tuple[str, datetime]:  # fmt: skip
        """A new session of a stored account: its id and when it ends."""
        now = datetime.now(UTC)
        ends = now + timedelta(seconds=seconds)
        values = {
            "id": uuid7(), "account_id": account["id"], "version": account["token_version"], "kind": kind,
            "user_agent": _printable(visitor.agent, LONGEST_AGENT), "address": _printable(visitor.address, LONGEST_ADDRESS),
            "created_at": now, "used_at": now, "expires_at": ends, "refresh_digest": digest,
        }  # fmt: skip
        with self._writing(visitor.request_id) as ctx:
            _sweep(ctx, now)
            ctx.execute(ctx.table(SESSION).insert().values(**values))
            self.runtime.journal.identity(ctx, SIGN_IN, account["id"], session=values["id"])
        return values["id"], ends

    def of(self, account: str) -> list[Row]:
        """The sessions of an account that still count, the last used first."""
        table = self.runtime.registry.model(SESSION).table
        wanted = sa.select(table).where(table.c.account_id == account, *_alive(table))
        newest = wanted.order_by(table.c.used_at.desc(), table.c.id.desc()).limit(MOST_LISTED)
        with self.runtime.reading(SYSTEM, plugin="host") as ctx:
            return [dict(row) for row in ctx.execute(newest).mappings()]

    def end(self, session: str, account: str) -> bool:
        """End a session of this account; whether there was one."""
        with self._writing() as ctx:
            table = ctx.table(SESSION)
            return bool(self._end(ctx, table.c.id == session, table.c.account_id == account))

    def end_own(self, session: str, account: str) -> None:
        """End a session of this account. Raises NotFound where it has no such one."""
        if not is_id(session) or not self.end(session, account):
            raise NotFound("there is no such session")

    def end_all(self, account: str) -> int:
        """End every session of an account; how many there were."""
        with self._writing() as ctx:
            return self.end_others(ctx, account, None)

    def remove(self, ctx: Context, account: str) -> None:
        """Within a transaction: no trace of an account's sessions."""
        self._end(ctx, ctx.table(SESSION).c.account_id == account)
        ctx.execute(ctx.table(SESSION).delete().where(ctx.table(SESSION).c.account_id == account))

    def end_others(self, ctx: Context, account: str, kept: str | None, version: int | None = None) -> int:
        """Within a transaction: end the sessions of an account but for one, which goes on under another token version."""
        table = ctx.table(SESSION)
        if kept is None:
            return self._end(ctx, table.c.account_id == account)
        if version is not None:
            mine = (table.c.id == kept, table.c.account_id == account)
            ctx.execute(table.update().where(*mine).values(version=version))
        return self._end(ctx, table.c.account_id == account, table.c.id != kept)

    def _end(self, ctx: Context, *which: Any) -> int:
        table = ctx.table(SESSION)
        ending = table.update().where(*which, table.c.revoked_at.is_(None)).values(revoked_at=ctx.now)
        ended: Any = ctx.execute(ending.returning(table.c.id, table.c.account_id)).all()
        for session, account in ended:
            ctx.after_commit(partial(self.forget, str(session)))
            self.runtime.journal.identity(ctx, "session_ended", str(account), session=str(session))
        return len(ended)

    @contextmanager
    def _writing(self, request_id: str = "") -> Iterator[Context]:
        with self.runtime.writing(SYSTEM, request_id, "host") as ctx:
            yield ctx


def _alive(table: sa.Table) -> tuple[Any, ...]:
    return table.c.revoked_at.is_(None), table.c.expires_at > datetime.now(UTC)


def _sweep(ctx: Context, now: datetime) -> None:
    """Clear away some sessions that have expired, of whomever."""
    table = ctx.table(SESSION)
    expired = sa.select(table.c.id).where(table.c.expires_at <= now).order_by(table.c.expires_at)
    some = expired.limit(MOST_SWEPT).with_for_update(skip_locked=True)
    ctx.execute(table.delete().where(table.c.id.in_(some)))


def _printable(text: str, longest: int) -> str | None:
    return "".join(letter if letter.isprintable() else " " for letter in text[:longest]).strip() or None
