"""API keys: made for an account, verified into an actor with scopes, revoked. The web layer and `hostwright key` call it.

The text of a key is shown once; stored is its digest, which a random text of this length needs no slow hash for. A verified key
is remembered for seconds, so that it costs what a token costs and its end counts everywhere as soon.
"""

from __future__ import annotations

import hmac
import logging
import re
import secrets
import string
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import sqlalchemy as sa

from host.actor import SYSTEM, Actor
from host.auth.codec import refused
from host.auth.lookup import Row, actor_of, by_id, is_id
from host.auth.recent import Recent
from host.errors import Conflict, HostError, Invalid, NotFound
from host.service.runtime import Runtime

API_KEY = "host.api_key"
START: Final = "hw_"
FRESH_SECONDS = 4.0  # the promise is five
USED_SECONDS = 600  # how exactly it is known when a key was last used
MOST_REMEMBERED = 20_000
MOST_OF_ACCOUNT = 100
_LETTERS = string.ascii_lowercase + string.digits
_BASE62 = string.ascii_letters + string.digits
_TEXT = re.compile(r"hw_([a-z0-9]{8})_([A-Za-z0-9]{40})")
log = logging.getLogger("hostwright")


@dataclass(frozen=True, slots=True)
class _Known:
    actor: Actor | None
    until: float


@dataclass(frozen=True, eq=False)
class ApiKeys:
    """The keys of one app."""

    runtime: Runtime
    clock: Callable[[], float] = time.monotonic
    _recent: Recent[bytes, _Known] = field(default_factory=lambda: Recent(MOST_REMEMBERED))

    # -- using --

    def actor(self, text: str) -> Actor:
        """Who a key stands for, with its scopes. Raises Unauthenticated for one that does not count."""
        digest = sha256(text.encode(errors="replace")).digest()
        now = self.clock()
        found = self._recent.get(digest)
        if found is None or found.until <= now:
            found = _Known(self._read(text), now + FRESH_SECONDS)
            self._recent.put(digest, found)
        if found.actor is None:
            raise refused()
        return found.actor

    def _read(self, text: str) -> Actor | None:
        match = _TEXT.fullmatch(text)
        if match is None:
            return None
        statement = self.runtime.plans.statement((API_KEY, "state"), lambda: _state(self._table))
        with self.runtime.database.reading() as connection:
            row = statement.run(connection, {"prefix": match[1]}).fetchone()
            if row is None or not hmac.compare_digest(row[2], digest_of(text)):
                return None
            account = by_id(self.runtime, connection, str(row[1]))
        if account is None or not account["active"]:
            return None
        key = self._row(str(row[0]))
        now = datetime.now(UTC)
        if key is None or key["revoked_at"] is not None or (key["expires_at"] and key["expires_at"] <= now):
            return None
        self._touch(key, now)
        return replace(actor_of(self.runtime, account), scopes=tuple(key["scopes"]), api_key=key["id"])

    def _touch(self, key: Row, now: datetime) -> None:
        """Note that the key is used. A database that cannot write just now is no reason to refuse a reader."""
        if key["last_used_at"] is not None and key["last_used_at"] > now - timedelta(seconds=USED_SECONDS):
            return
        try:
            with self.runtime.database.writing() as connection:
                used = self._table.update().where(self._table.c.id == key["id"])
                connection.execute(used.values(last_used_at=now))
        except HostError as error:
            log.warning("the use of a key was not noted: %s", error.detail)

    # -- making and ending --

    def make(
        self, account: str, name: str, scopes: Sequence[str], expires_at: datetime | None = None
    ) -> tuple[str, Row]:  # fmt: skip
        """A new key: its text, which nobody sees again, and its row. What scopes name is checked by the caller."""
        now = datetime.now(UTC)
        if expires_at is not None and expires_at <= now:
            raise Invalid.at("/expires_at", "range", "a key has to expire in the future")
        text = START + _drawn(_LETTERS, 8) + "_" + _drawn(_BASE62, 40)
        row = {
            "account": account, "name": name, "prefix": text[3:11], "digest": digest_of(text), "scopes": list(scopes),
            "created_at": now, "expires_at": expires_at,
        }  # fmt: skip
        with self.runtime.writing(SYSTEM, plugin="host") as ctx:
            counted = sa.select(sa.func.count()).select_from(self._table)
            live = counted.where(self._table.c.account_id == account, self._table.c.revoked_at.is_(None))
            if int(ctx.execute(live).scalar_one()) >= MOST_OF_ACCOUNT:
                raise Conflict(f"an account has at most {MOST_OF_ACCOUNT} keys; revoke one first")
            return text, ctx.records(API_KEY).create(row)

    def of(self, account: str | None = None) -> list[Row]:
        """The keys that have not been revoked, of one account or of all, the oldest first."""
        equal = {} if account is None else {"account": account}
        with self.runtime.reading(SYSTEM, plugin="host") as ctx:
            return ctx.records(API_KEY).find_all(
                self._table.c.revoked_at.is_(None), sort="created_at", limit=10_000, **equal
            )

    def revoke(self, key: str, account: str | None = None) -> None:
        """End a key by its id or prefix; with an account, only one of its own. Raises NotFound."""
        table = self._table
        which = [table.c.id == key] if is_id(key) else [table.c.prefix == key]
        if account is not None:
            which.append(table.c.account_id == account)
        ending = (
            table.update().where(*which, table.c.revoked_at.is_(None)).values(revoked_at=datetime.now(UTC))
        )
        with self.runtime.writing(SYSTEM, plugin="host") as ctx:
            ended: Any = ctx.execute(ending.returning(table.c.id, table.c.account_id)).first()
            if ended is None:
                raise NotFound("there is no such key")
            self.runtime.journal.identity(ctx, "key_revoked", str(ended[1]), api_key=str(ended[0]))

    def revoke_all(self, ctx: Any, account: str) -> None:
        """Within a transaction: end every key of an account."""
        table = self._table
        which = (table.c.account_id == account, table.c.revoked_at.is_(None))
        for ended in ctx.execute(
            table.update().where(*which).values(revoked_at=ctx.now).returning(table.c.id)
        ):
            self.runtime.journal.identity(ctx, "key_revoked", account, api_key=str(ended[0]))

    @property
    def _table(self) -> sa.Table:
        return self.runtime.registry.model(API_KEY).table

    def _row(self, key: str) -> Row | None:
        with self.runtime.reading(SYSTEM, plugin="host") as ctx:
            return ctx.records(API_KEY).find(key)


def digest_of(text: str) -> str:
    """What is stored of a key."""
    return sha256(text.encode(errors="replace")).hexdigest()


def _state(table: sa.Table) -> Any:
    prefix = sa.bindparam("prefix", type_=table.c.prefix.type)
    return sa.select(table.c.id, table.c.account_id, table.c.digest).where(table.c.prefix == prefix)


def _drawn(letters: str, length: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))
