"""Links that may be used once: made, looked at, taken by exactly one, ended. `recovery` and `oidc` call it.

Only the digest of a link's text is stored. Taking one is a single conditional update, so that of any number at once one wins.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

import sqlalchemy as sa

from host.auth.inserts import inserting
from host.auth.lookup import Row
from host.auth.pruning import prune
from host.errors import Invalid
from host.service.context import Context
from host.service.keys import uuid7
from host.service.runtime import Runtime

LINK = "host.one_time_link"
Purpose = Literal["reset_password", "verify_email", "oidc_code", "oidc_state"]
HOUR = timedelta(hours=1)


@dataclass(frozen=True, eq=False)
class Links:
    """The links of one app."""

    runtime: Runtime

    def make(
        self, ctx: Context, purpose: Purpose, seconds: int, account: Row, detail: str = ""
    ) -> str:  # fmt: skip
        """A new link's text for an account, within the caller's transaction."""
        text = secrets.token_urlsafe(32)
        now = datetime.now(UTC)
        values = {
            "id": uuid7(), "digest": digest_of(text), "purpose": purpose, "account_id": account["id"], "detail": detail,
            "version": account["token_version"],
            "created_at": now, "expires_at": now + timedelta(seconds=seconds),
        }  # fmt: skip
        ctx.execute(ctx.table(LINK).insert().values(**values))
        ctx.after_commit(lambda: prune(self.runtime, now))
        return text

    def look(self, ctx: Context, purpose: Purpose, text: str) -> Row:
        """The link, if it still counts; it goes on counting. Raises Invalid."""
        table = ctx.table(LINK)
        return _found(ctx.execute(sa.select(table).where(*_counting(table, purpose, text))))

    def take(self, ctx: Context, purpose: Purpose, text: str) -> Row:
        """The link, which counts no more once this is committed. Raises Invalid for one that does not, or no longer."""
        table = ctx.table(LINK)
        taking = table.update().where(*_counting(table, purpose, text)).values(used_at=datetime.now(UTC))
        return _found(ctx.execute(taking.returning(*table.c)))

    def use_up(self, ctx: Context, purpose: Purpose, text: str, seconds: int) -> bool:
        """Note a text of somebody else's making as used; False where it has been."""
        table = ctx.table(LINK)
        now = datetime.now(UTC)
        values = {
            "id": uuid7(), "digest": digest_of(text), "purpose": purpose, "created_at": now, "used_at": now,
            "expires_at": now + timedelta(seconds=seconds),
        }  # fmt: skip
        made = inserting(ctx, table).values(**values).on_conflict_do_nothing(index_elements=[table.c.digest])
        return ctx.execute(made.returning(table.c.id)).first() is not None

    def end(self, ctx: Context, account: str, purposes: Sequence[Purpose]) -> None:
        """Every link of an account for these purposes counts no more."""
        table = ctx.table(LINK)
        which = (table.c.account_id == account, table.c.purpose.in_(purposes), table.c.used_at.is_(None))
        ctx.execute(table.update().where(*which).values(used_at=ctx.now))

    def lately(self, ctx: Context, account: str, address: str) -> int:
        """How many links an account has asked for, or an address was sent, in the last hour."""
        table = ctx.table(LINK)
        whose = sa.or_(table.c.account_id == account, table.c.detail == address)
        recent = sa.select(sa.func.count()).where(whose, table.c.created_at > ctx.now - HOUR)
        return int(
            ctx.execute(recent.where(table.c.purpose.in_(("reset_password", "verify_email")))).scalar_one()
        )


def digest_of(text: str) -> str:
    """What is stored of a link."""
    return sha256(text.encode(errors="replace")).hexdigest()


def _counting(table: sa.Table, purpose: Purpose, text: str) -> tuple[Any, ...]:
    now = datetime.now(UTC)
    return (
        table.c.digest == digest_of(text), table.c.purpose == purpose, table.c.used_at.is_(None), table.c.expires_at > now,
    )  # fmt: skip


def _found(cursor: Any) -> Row:
    row = cursor.mappings().first()
    if row is None:
        raise spent()
    found = dict(row)
    return {**found, "account": str(found["account_id"]) if found["account_id"] is not None else None}


def spent() -> Invalid:
    """What is said of any link that does not count; why stays inside."""
    return Invalid.at("/token", "link", "this link has been used or has expired; ask for a new one")
