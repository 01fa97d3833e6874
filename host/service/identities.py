"""The row that an account has in the user table of another system: written wherever the account itself is written.

An account that lacks what a row there needs, an e-mail address, has none until it is given one; `check_row` says so to whoever
needs the row before. `writing` calls it, inside the account's transaction; `host.auth.identities` reads what the other system
wrote there.
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
from host.service.identity_numbers import count_on, next_of
from host.service.keys import hex24, uuid7
from host.service.search import keep_again

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
    if form == "number":
        complete.setdefault(form, next_of(ctx, identity))
    else:
        complete.setdefault(form, uuid7() if form == "id" else hex24())
    if lacking(identity, complete) is not None:
        _check_free(ctx, identity, complete)
        return complete
    store_row(ctx, identity, complete, store)
    return {**complete, "mirrored": True}


def lacking(identity: Model, account: Mapping[str, Any]) -> str | None:
    """What an account has to get before it can have a row: the word for it."""
    name = fields_of(identity).get("email")
    is_wanted = name is not None and not identity.attributes[name].is_nullable
    return "email" if is_wanted and not account.get("email") else None


def check_row(ctx: Context, target: Model, key: Any) -> None:
    """Say what the actor's account lacks, when that is why this is not the key of a row. Raises Invalid.

    Of other accounts nothing is said, but to plugins' code.
    """
    identity = ctx.runtime.registry.identity
    if identity is None or target is not identity:
        return
    table, form = ctx.table(ACCOUNT), identity_of(identity).key
    if not ctx.actor.is_system and key != ctx.actor.key(form):
        return
    found = ctx.execute(sa.select(table.c.mirrored).where(table.c[form] == key)).first()
    if found is not None and not found[0]:
        raise Invalid.at("/email", "required", "this needs an account with an e-mail address: give yours one")


def store_row(ctx: Context, identity: Model, account: Mapping[str, Any], store: Store) -> None:
    """Store the row of an account. Raises Duplicate at the account's own field."""
    _check_free(ctx, identity, account)
    row = row_of(identity, {**account, "active": account.get("active", True), "joined": ctx.now})
    form = identity_of(identity).key
    row[identity.keys[0].name] = account[form]
    store(ctx.as_system(), identity, row)
    if form == "number":
        count_on(ctx, identity, account[form])


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


def change_row(ctx: Context, model: Model, before: Values, stored: Values, store: Store) -> None:
    """Write into the row what has been changed of its account, which gets one when it has all that a row needs."""
    identity = ctx.runtime.registry.identity
    if identity is None or model.name != ACCOUNT:
        return
    if not before["mirrored"]:
        if lacking(identity, before) and not lacking(identity, {**before, **stored}):
            store_row(ctx, identity, {**before, **stored}, store)
            mark(ctx, before["id"])
        return
    names = fields_of(identity)
    told = {word: value for word, value in stored.items() if word in names}
    if not told:
        return
    key = before[identity_of(identity).key]
    _check_free(ctx, identity, told, key)
    full = row_of(identity, {**before, **told})
    changed = {names[word]: full[names[word]] for word in told}
    row = _row(ctx, identity, before) or {}
    columns = {identity.attributes[name].column: value for name, value in changed.items()}
    ctx.execute(identity.table.update().where(identity.keys[0].column == key).values(columns))
    differs = {name: value for name, value in changed.items() if row.get(name) != value}
    if differs:
        ctx.runtime.journal.updated(ctx, identity, (key,), row, differs, {})
    if identity.search is not None:
        keep_again(ctx, identity, (key,))


def mark(ctx: Context, account: str) -> None:
    """Note that the account has a row from now on."""
    table = ctx.table(ACCOUNT)
    ctx.execute(table.update().where(table.c.id == account).values(mirrored=True))


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
        raise Invalid.at(f"/{word}", "required", "an account that has been given one keeps one")
    return account.get("joined") if word in ("last_login", "joined") else ""


def _is_listed(identity: Model, stored: str) -> bool:
    """Whether the other system can verify this hash."""
    word = stored.lstrip("$").partition("$")[0]
    return ("2b" if word in ("2a", "2y") else word) in identity_of(identity).hashes
