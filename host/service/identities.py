"""The row that every account has in the user table of another system: written wherever the account itself is written.

`writing` calls it, inside the account's transaction; `host.auth.identities` reads what the other system wrote there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from host.access import facts_of
from host.actor import SYSTEM
from host.compiler.models import ACCOUNT, Model
from host.declaration.account_tables import named_fields
from host.declaration.nodes import IdentityTable
from host.errors import Duplicate, FieldError, Invalid
from host.service.context import Context
from host.service.keys import hex24, uuid7

Values = dict[str, Any]
Store = Callable[[Context, Model, Mapping[str, Any]], tuple[Any, ...]]
Remove = Callable[[Context, Model, tuple[Any, ...], Values], None]
SYSTEM_FACTS = facts_of(SYSTEM)
HELD = "!held by the host"  # a text that no password fits: the account's own hash is in a format not listed there
_UNIQUE = ("username", "email")


def identity_of(model: Model) -> IdentityTable:
    """What the resource says of the accounts in its table."""
    identity = model.declared.identity
    assert identity is not None  # `registry.identity` has one
    return identity


def fields_of(model: Model) -> dict[str, str]:
    """What is held of an account, and in which field of the table's resource."""
    return dict(named_fields(identity_of(model)))


def with_row(ctx: Context, model: Model, values: Mapping[str, Any], store: Store) -> Values:
    """The values of a new account after its row has been stored; the number is what the table itself counted."""
    identity = ctx.runtime.registry.identity
    if identity is None or model.name != ACCOUNT or values.get("mirrored"):
        return dict(values)
    form = identity_of(identity).key
    complete = dict(values)
    if form != "number":
        complete.setdefault(form, uuid7() if form == "id" else hex24())
    complete[form] = store_row(ctx, identity, complete, store)
    return {**complete, "mirrored": True}


def store_row(ctx: Context, identity: Model, account: Mapping[str, Any], store: Store) -> Any:
    """Store the row of an account, whose key is answered. Raises Duplicate at the account's own field."""
    _check_free(ctx, identity, account)
    row = row_of(identity, {**account, "active": account.get("active", True), "joined": ctx.now})
    form = identity_of(identity).key
    if account.get(form) is None:
        return store(ctx.as_system(), identity, row)[0]
    row[identity.keys[0].name] = account[form]
    keys = store(ctx.as_system(), identity, row)
    if form == "number" and ctx.runtime.database.dialect == "postgresql":
        _count_on(ctx, identity, account[form])
    return keys[0]


def _count_on(ctx: Context, identity: Model, number: int) -> None:
    """The table's own sequence goes on behind a number that it did not count itself."""
    ctx.transaction.connection.execute(
        sa.text(
            "SELECT setval(s, :number) FROM (SELECT pg_get_serial_sequence(:table, :column)::regclass AS s) AS own"
            " WHERE s IS NOT NULL AND :number > coalesce(pg_sequence_last_value(s), 0)"
        ),
        {
            "number": number,
            "table": f'"{identity.table.name}"',
            "column": identity.keys[0].column.name if identity.keys[0].column is not None else "",
        },
    )


def row_of(identity: Model, account: Mapping[str, Any]) -> Values:
    """What the row of an account says; a text that may not be null there is empty instead."""
    row: Values = {}
    for word, name in fields_of(identity).items():
        value = account.get(word)
        if word == "username" and value is None:
            value = account.get("email")
        if word == "password":
            value = value if value is not None and _is_listed(identity, value) else HELD
        if value is None and not identity.attributes[name].is_nullable:
            value = _absent(word, account)
        row[name] = value
    return row


def overlaid(identity: Model, account: Mapping[str, Any], row: Mapping[str, Any]) -> Values:
    """The account with what its row says, which counts: another system may have changed it."""
    told = {word: row[name] for word, name in fields_of(identity).items() if word in account}
    if told.get("password") == HELD:
        del told["password"]
    for word in ("email", "first_name", "last_name"):
        if told.get(word) == "":
            told[word] = None
    return {**account, **told}


def row_of_account(ctx: Context, account: str) -> Values | None:
    """An account as it is stored."""
    model = ctx.runtime.registry.model(ACCOUNT)
    plan = ctx.runtime.plans.row(model, SYSTEM_FACTS)
    found = plan.fetch(ctx.transaction.driver, (account,), ctx.values)
    return found.row() if found is not None else None


def present(ctx: Context, model: Model, account: Values) -> Values:
    """The stored account as its row has it, so that a change back is a change."""
    identity = ctx.runtime.registry.identity
    row = _row(ctx, identity, account) if identity is not None and account["mirrored"] else None
    return overlaid(identity, account, row) if identity is not None and row is not None else account


def _row(ctx: Context, identity: Model, account: Values) -> Values | None:
    plan = ctx.runtime.plans.row(identity, SYSTEM_FACTS)
    found = plan.fetch(ctx.transaction.driver, (account[identity_of(identity).key],), ctx.values)
    return found.row() if found is not None else None


def change_row(ctx: Context, model: Model, before: Values, stored: Values) -> None:
    """Write into the row what has been changed of its account."""
    identity = ctx.runtime.registry.identity
    if identity is None or model.name != ACCOUNT or not before["mirrored"]:
        return
    names = fields_of(identity)
    told = {word: value for word, value in stored.items() if word in names}
    if not told:
        return
    key = before[identity_of(identity).key]
    _check_free(ctx, identity, told, key)
    full = row_of(identity, {**before, **told})
    changed = {names[word]: full[names[word]] for word in told}
    columns = {identity.attributes[name].column: value for name, value in changed.items()}
    ctx.execute(identity.table.update().where(identity.keys[0].column == key).values(columns))


def remove_row(ctx: Context, model: Model, account: Values, remove: Remove) -> None:
    """The row goes with its account, and with it what refers to it."""
    identity = ctx.runtime.registry.identity
    if identity is None or model.name != ACCOUNT or not account.get("mirrored"):
        return
    row = _row(ctx, identity, account)
    if row is not None:
        remove(ctx, identity, (account[identity_of(identity).key],), row)


def _check_free(ctx: Context, identity: Model, account: Mapping[str, Any], key: Any = None) -> None:
    """Names and addresses are the account's alone whatever their case, also where that table would take both."""
    names = fields_of(identity)
    errors = []
    for word in _UNIQUE:
        column = identity.attributes[names[word]].column if word in names else None
        if column is None or not account.get(word):
            continue
        same = sa.select(sa.literal(1)).where(sa.func.lower(column) == sa.func.lower(account[word]))
        own = [] if key is None else [identity.keys[0].column != key]
        if ctx.execute(same.where(*own).limit(1)).first() is not None:
            errors.append(FieldError(f"/{word}", "duplicate", f"another account has this {word} already"))
    if errors:
        raise Duplicate(errors[0].detail, errors)


def _absent(word: str, account: Mapping[str, Any]) -> Any:
    if word in _UNIQUE:
        raise Invalid.at(f"/{word}", "required", "every account of this site needs one")
    return account.get("joined") if word in ("last_login", "joined") else ""


def _is_listed(identity: Model, stored: str) -> bool:
    """Whether the other system can verify this hash."""
    word = stored.lstrip("$").partition("$")[0]
    return ("2b" if word in ("2a", "2y") else word) in identity_of(identity).hashes
