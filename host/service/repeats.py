"""Requests that may come twice: each is claimed before its work, and its answer kept in the transaction of that work.

A claim is a lease. Whoever dies with it loses it after a while, and the next request with the same key takes over; a claim
that has been taken over cannot keep an answer any more, which rolls its work back. `host.web.idempotency` decides by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from host.errors import AnswerNotKept, OtherRequest, StillRunning
from host.service.runtime import Runtime
from host.settings import IdempotencySettings

MOST_SWEPT = 100  # expired records that one claim clears away
RESOURCE = "host.idempotency"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to carry a request out."""

    digest: str
    holder: str


@dataclass(frozen=True, slots=True)
class Kept:
    """The answer of a request. `body` is None where it cannot be given again."""

    status: int
    media: str | None
    headers: tuple[tuple[str, str], ...]
    body: str | None


@dataclass(frozen=True, eq=False)
class Repeats:
    """The requests of one app that may come twice."""

    runtime: Runtime
    settings: IdempotencySettings

    def claim(self, digest: str, fingerprint: str) -> Claim | Kept:
        """The right to carry a request out, or what it was answered. Raises OtherRequest or StillRunning."""
        now, claim = datetime.now(UTC), Claim(digest, uuid4().hex)
        leased = now + timedelta(seconds=self.settings.lease_seconds)
        values = {
            "fingerprint": fingerprint, "holder": claim.holder, "leased_until": leased, "status": None,
            "expires_at": now + timedelta(seconds=self.settings.keep_seconds),
        }  # fmt: skip
        known = self._read(digest, fingerprint, now)
        if known is not None:
            return known
        with self.runtime.database.writing() as connection:
            self._sweep(connection, now)
            while connection.execute(self._inserting(digest, values)).first() is None:
                stored = connection.execute(self._finding(digest).with_for_update()).mappings().first()
                if stored is None:
                    continue  # given up or swept at this moment
                found = self._decided(stored, fingerprint, now)
                if found is None:
                    connection.execute(self._mine(digest).values(**values))
                return found or claim
        return claim

    def keep(self, connection: sa.Connection, claim: Claim, kept: Kept) -> None:
        """The answer of what this transaction has done. Raises StillRunning when another has taken over."""
        values = {
            "status": kept.status, "media": kept.media, "body": kept.body,
            "headers": orjson.loads(orjson.dumps(kept.headers)), "leased_until": datetime.now(UTC),
        }  # fmt: skip
        keeping = self._mine(claim.digest).where(self._table.c.holder == claim.holder).values(**values)
        if connection.execute(keeping).rowcount == 0:
            raise StillRunning("this took so long that a repeat of it has taken over")

    def give_up(self, claim: Claim) -> None:
        """Nothing has been done: the key is free again."""
        with self.runtime.database.writing() as connection:
            self.free(connection, claim)

    def free(self, connection: sa.Connection, claim: Claim) -> None:
        """Within a transaction: the key is free, unless an answer is kept under it or another has taken over."""
        columns = self._table.c
        mine = (columns.digest == claim.digest, columns.holder == claim.holder, columns.status.is_(None))
        connection.execute(self._table.delete().where(*mine))

    @property
    def _table(self) -> sa.Table:
        return self.runtime.registry.model(RESOURCE).table

    def _mine(self, digest: str) -> sa.Update:
        return self._table.update().where(self._table.c.digest == digest)

    def _inserting(self, digest: str, values: dict[str, Any]) -> Any:
        insert = postgresql.insert if self.runtime.database.dialect == "postgresql" else sqlite.insert
        added = insert(self._table).values(digest=digest, **values).on_conflict_do_nothing()
        return added.returning(self._table.c.digest)

    def _finding(self, digest: str) -> sa.Select[Any]:
        return sa.select(self._table).where(self._table.c.digest == digest)

    def _read(self, digest: str, fingerprint: str, now: datetime) -> Kept | None:
        """What is known without a lock: on SQLite the first request may hold the only one."""
        with self.runtime.database.snapshot() as connection:
            stored = connection.execute(self._finding(digest)).mappings().first()
        return self._decided(stored, fingerprint, now) if stored is not None else None

    def _decided(self, stored: Any, fingerprint: str, now: datetime) -> Kept | None:
        """What a record means for a repeat; None when it has expired, or its holder must have died."""
        if stored["expires_at"] <= now:
            return None
        if stored["fingerprint"] != fingerprint:
            raise OtherRequest("this Idempotency-Key was sent with another path or body: take a new one")
        if stored["status"] is None and stored["leased_until"] > now:
            error = StillRunning("the first request with this Idempotency-Key is still being carried out")
            error.headers = {"Retry-After": "1"}
            raise error
        if stored["status"] is None:
            return None
        if stored["body"] is None:
            raise AnswerNotKept("this has been carried out already; its answer was not kept")
        headers = tuple((name, value) for name, value in stored["headers"])
        return Kept(stored["status"], stored["media"], headers, stored["body"])

    def _sweep(self, connection: sa.Connection, now: datetime) -> None:
        columns = self._table.c
        expired = sa.select(columns.digest).where(columns.expires_at <= now).order_by(columns.expires_at)
        some = expired.limit(MOST_SWEPT).with_for_update(skip_locked=True)
        connection.execute(self._table.delete().where(columns.digest.in_(some)))
