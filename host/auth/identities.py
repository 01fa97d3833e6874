"""What another system writes into its user table counts here: names, passwords, whether somebody may sign in.

`lookup` shows an account with the values of its row. What becomes of a row without an account, and of an account without a
row, is `admission`'s work; what the host itself writes there is `host.service.identities`'.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from host.access import facts_of
from host.actor import SYSTEM
from host.compiler.models import ACCOUNT, Model
from host.compiler.registry import Registry
from host.service.identities import fields_of, identity_of, overlaid
from host.service.runtime import Runtime

Row = dict[str, Any]


def seen(runtime: Runtime, connection: Any, account: Row) -> Row | None:
    """The account as its row has it; None when the other system has removed that row."""
    identity = runtime.registry.identity
    if identity is None:
        return account
    row = fetched(runtime, connection, identity, account[identity_of(identity).key])
    if row is None:
        return None if account["mirrored"] else account
    if not account["mirrored"] and not is_same(identity, account, row):
        return {**account, "active": False}  # told by `settled` and by the commands
    return overlaid(identity, account, row)


def newcomer(runtime: Runtime, connection: Any, names: Mapping[str, str | None]) -> Row | None:
    """What an account would be of a row without one that has one of these names; its `id` is None."""
    identity = runtime.registry.identity
    if identity is None:
        return None
    for word, text in names.items():
        key = _key_named(runtime, connection, identity, word, text) if text else None
        if key is not None and account_of(runtime, connection, identity, key) is None:
            row = fetched(runtime, connection, identity, key)
            nothing = dict.fromkeys(runtime.registry.model(ACCOUNT).attributes)
            form = identity_of(identity).key
            start = {**nothing, "active": True, "mirrored": True, form: key}
            return overlaid(identity, start, row) if row is not None else None
    return None


def id_named(runtime: Runtime, connection: Any, word: str, text: str) -> tuple[bool, str | None]:
    """Whether the other system's table decides who has this name, and the account that has it there."""
    identity = runtime.registry.identity
    if identity is None or word not in fields_of(identity):
        return False, None
    key = _key_named(runtime, connection, identity, word, text)
    return key is not None, None if key is None else account_of(runtime, connection, identity, key)


def numbered_hashes(registry: Registry) -> tuple[sa.Table, Any, Any]:
    """A table that has a number and a hash for everybody, and these two columns."""
    identity, account = registry.identity, registry.model(ACCOUNT).table
    if identity is None or identity_of(identity).key != "number":
        return account, account.c.number, account.c.password
    password = identity.attributes[fields_of(identity)["password"]].column
    return identity.table, identity.keys[0].column, password


def fetched(runtime: Runtime, connection: Any, identity: Model, key: Any) -> Row | None:
    """The row with this key."""
    found = runtime.plans.row(identity, facts_of(SYSTEM)).fetch(connection, (key,), {})
    return found.row() if found is not None else None


def _key_named(runtime: Runtime, connection: Any, identity: Model, word: str, text: str) -> Any:
    name = fields_of(identity).get(word)
    if name is None:
        return None
    statement = runtime.plans.statement((identity, "named", word), lambda: _named(identity, name))
    found = statement.run(connection, {"text": text}).fetchone()
    return found[0] if found is not None else None


def _named(identity: Model, name: str) -> Any:
    """The other system may know two names that differ in case alone: the one that was written counts."""
    column, key = identity.attributes[name].column, identity.keys[0].column
    assert column is not None and key is not None
    text = sa.bindparam("text", type_=column.type)
    is_other = sa.case((column == text, 0), else_=1)
    return sa.select(key).where(sa.func.lower(column) == sa.func.lower(text)).order_by(is_other, key).limit(1)


def account_of(runtime: Runtime, connection: Any, identity: Model, key: Any) -> str | None:
    """The id of the account with this key, which its row has, too."""
    table, form = runtime.registry.model(ACCOUNT).table, identity_of(identity).key
    column = table.c[form]
    statement = runtime.plans.statement(
        (identity, "account"),
        lambda: sa.select(table.c.id).where(column == sa.bindparam("key", type_=column.type)),
    )
    found = statement.run(connection, {"key": key}).fetchone()
    return str(found[0]) if found is not None else None


def is_same(identity: Model, account: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether a row that was there before is the account's: they share a name or an address."""
    names = fields_of(identity)
    pairs = [(account.get(word), row.get(names[word])) for word in ("username", "email") if word in names]
    return any(one and other and one.lower() == other.lower() for one, other in pairs)
