"""Finding stored accounts, over any driver connection. Rows are native ones, with the hash of the password in them."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any, Literal

import sqlalchemy as sa

from host.access import facts_of
from host.actor import SYSTEM, Actor
from host.auth import identities
from host.compiler.models import ACCOUNT, Model
from host.errors import NotFound
from host.service.context import Context
from host.service.runtime import Runtime

Row = dict[str, Any]
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_id(text: str) -> bool:
    """Whether a text can be an account's id; PostgreSQL takes nothing else for one."""
    return _UUID.fullmatch(text) is not None


def by_id(runtime: Runtime, connection: Any, account: str) -> Row | None:
    """The account with this id."""
    plan = runtime.plans.row(runtime.registry.model(ACCOUNT), facts_of(SYSTEM))
    found = plan.fetch(connection, (account,), {})
    return identities.seen(runtime, connection, found.row()) if found is not None else None


def by_text(runtime: Runtime, connection: Any, column: Literal["username", "email"], text: str) -> Row | None:
    """The account with this user name or address, without regard to case."""
    is_known, account = identities.id_named(runtime, connection, column, text)
    if is_known:
        return by_id(runtime, connection, account) if account is not None else None
    model = runtime.registry.model(ACCOUNT)
    statement = runtime.plans.statement((model, "find", column), lambda: _finding(model, column))
    found = statement.run(connection, {"text": text}).fetchone()
    row = by_id(runtime, connection, str(found[0])) if found else None
    is_former = (
        row is not None and (row[column] or "").lower() != text.lower()
    )  # the other system gave it another
    return None if is_former else row


def by_name(runtime: Runtime, connection: Any, name: str) -> Row | None:
    """The account that a text names: its user name, else its e-mail address."""
    return by_text(runtime, connection, "username", name) or by_text(runtime, connection, "email", name)


def by_any(runtime: Runtime, connection: Any, text: str) -> Row:
    """The account that an operator means by a user name, an address or an id. Raises NotFound."""
    row = by_id(runtime, connection, text.lower()) if is_id(text) else by_name(runtime, connection, text)
    if row is None:
        raise NotFound(f"there is no account {text}")
    return row


def somebody(runtime: Runtime, connection: Any, name: str) -> str | None:
    """The hash of a real account, the same one whenever this name is asked for: unknown names cost what accounts cost."""
    statement = runtime.plans.statement((ACCOUNT, "somebody"), lambda: _somebody(runtime))
    drawn = sha256(runtime.cursors.make("somebody", [name.lower()]).encode()).digest()
    found = statement.run(connection, {"drawn": int.from_bytes(drawn[:6], "big")}).fetchone()
    return found[0] if found is not None else None


def _somebody(runtime: Runtime) -> Any:
    table, number, password = identities.numbered_hashes(runtime.registry)
    start = 1 + sa.bindparam("drawn", type_=sa.BigInteger()) % sa.func.max(number)
    behind = number >= sa.select(start).select_from(table).scalar_subquery()
    usable = (password.is_not(None), password.not_like("!%"))
    return sa.select(password).select_from(table).where(behind, *usable).order_by(number).limit(1)


def actor_named(ctx: Context, text: str) -> Actor:
    """Who an operator means by a user name, an address or an id. Raises NotFound."""
    return actor_of(ctx.runtime, by_any(ctx.runtime, ctx.transaction.driver, text))


def actor_of(runtime: Runtime, row: Row) -> Actor:
    """The actor that an account makes; rules see its declared fields as `me.…`, but no secret."""
    attributes = runtime.registry.model(ACCOUNT).attributes
    shown = {name: row[name] for name, attribute in attributes.items() if not attribute.field.secret}
    return Actor(row["id"], row["number"], row["hex"], frozenset({row["role"]}), shown)


def _finding(model: Model, name: str) -> Any:
    column = model.attributes[name].column
    assert column is not None  # both are stored
    text = sa.bindparam("text", type_=column.type)
    return sa.select(model.table.c.id).where(sa.func.lower(column) == sa.func.lower(text))
