"""Finding stored accounts, over any driver connection. Rows are native ones, with the hash of the password in them."""

from __future__ import annotations

import re
from typing import Any, Literal

import sqlalchemy as sa

from host.access import facts_of
from host.actor import SYSTEM, Actor
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
    return found.row() if found is not None else None


def by_text(runtime: Runtime, connection: Any, column: Literal["username", "email"], text: str) -> Row | None:
    """The account with this user name or address, without regard to case."""
    model = runtime.registry.model(ACCOUNT)
    statement = runtime.plans.statement((model, "find", column), lambda: _finding(model, column))
    found = statement.run(connection, {"text": text}).fetchone()
    return by_id(runtime, connection, str(found[0])) if found else None


def by_name(runtime: Runtime, connection: Any, name: str) -> Row | None:
    """The account that a text names: its user name, else its e-mail address."""
    return by_text(runtime, connection, "username", name) or by_text(runtime, connection, "email", name)


def by_any(runtime: Runtime, connection: Any, text: str) -> Row:
    """The account that an operator means by a user name, an address or an id. Raises NotFound."""
    row = by_id(runtime, connection, text.lower()) if is_id(text) else by_name(runtime, connection, text)
    if row is None:
        raise NotFound(f"there is no account {text}")
    return row


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
