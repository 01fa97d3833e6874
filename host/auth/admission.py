"""Accounts and rows of another system's user table that do not have each other yet.

A row becomes an account when its password has been given, which `accounts` asks for; an account gets its row when it signs in,
when a session of it is looked at, or from the commands below `hostwright db`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from host.actor import SYSTEM
from host.auth.identities import Row, account_of, fetched, is_same, seen
from host.auth.names import full_name
from host.auth.passwords import Passwords
from host.compiler.models import ACCOUNT, Model
from host.compiler.registry import Registry
from host.errors import Conflict, Duplicate
from host.service.context import Context
from host.service.identities import (
    HELD,
    fields_of,
    identity_of,
    lacking,
    mark,
    row_of_account,
    store_row,
)
from host.service.identity_numbers import count_on
from host.service.keys import hex24, uuid7
from host.service.runtime import Runtime
from host.service.writing import store

log = logging.getLogger("hostwright")


class NumberTaken(Conflict):
    """An account and a row of the other system's user table have the same key and are not the same person."""

    code = "number_taken"
    title = "Two accounts have the same number"


# --- signing in -------------------------------------------------------------------------------------------------------


def admitted(runtime: Runtime, account: Row, request_id: str = "") -> str:
    """The id of the account that has just proved who it is: made, given its row or brought up to date where needed."""
    identity = runtime.registry.identity
    if identity is None:
        return str(account["id"])
    try:
        with runtime.writing(SYSTEM, request_id, "host") as ctx:
            return _settle(ctx, identity, account)
    except Duplicate:
        with runtime.writing(SYSTEM, request_id, "host") as ctx:
            _renew_names(ctx, identity, account)
            return _settle(ctx, identity, account)


def _settle(ctx: Context, identity: Model, account: Row) -> str:
    form = identity_of(identity).key
    found = account_of(ctx.runtime, ctx.transaction.driver, identity, account[form])
    if found is None:
        found = str(_made(ctx, account))
    elif account["mirrored"]:
        _renew(ctx, found, account)
    elif lacking(identity, account) is None:
        give_row(ctx, identity, account)
    _note_sign_in(ctx, identity, account[form])
    return found


def _made(ctx: Context, account: Row) -> Any:
    """A new account for a row of the other system."""
    log.info(
        "a user of another system signs in here for the first time", extra={"username": account["username"]}
    )
    values = {name: value for name, value in account.items() if value is not None}
    values |= {"hex": account["hex"] or hex24(), "id": account["id"] or uuid7()}
    if (name := full_name(values)) is not None:
        values["name"] = name
    return store(ctx, ctx.runtime.registry.model(ACCOUNT), values)[0]


def _renew(ctx: Context, account: str, told: Row) -> None:
    """The account's own columns follow what its row says."""
    table = ctx.table(ACCOUNT)
    words = [word for word in fields_of(_identity(ctx.runtime.registry)) if word in table.c]
    values = {word: told[word] for word in words}
    differs = sa.or_(*(table.c[word].is_distinct_from(value) for word, value in values.items()))
    ctx.execute(table.update().where(table.c.id == account, differs).values(**values))


def _renew_names(ctx: Context, identity: Model, account: Row) -> None:
    """Accounts whose name the other system has given to somebody else since they last signed in: they get their present ones."""
    table = ctx.table(ACCOUNT)
    taken = [
        sa.func.lower(table.c[word]) == account[word].lower()
        for word in ("username", "email")
        if account[word]
    ]
    held = sa.select(table.c.id).where(sa.or_(*taken), table.c.mirrored)
    for (other,) in ctx.execute(held).all():
        stored = row_of_account(ctx, str(other))
        now = seen(ctx.runtime, ctx.transaction.driver, stored) if stored is not None else None
        if now is not None:
            _renew(ctx, str(other), now)


def _note_sign_in(ctx: Context, identity: Model, key: Any) -> None:
    name = fields_of(identity).get("last_login")
    column = identity.attributes[name].column if name is not None else None
    if column is not None:
        ctx.execute(identity.table.update().where(identity.keys[0].column == key).values({column: ctx.now}))


def replace_hash(ctx: Context, account: Row, renewed: str) -> None:
    """Another hash of the same password, unless the other system has stored another password in the meantime."""
    identity = ctx.runtime.registry.identity
    if identity is None:
        return
    column = identity.attributes[fields_of(identity)["password"]].column
    assert column is not None  # the linker wants it stored
    is_row = identity.keys[0].column == account[identity_of(identity).key]
    ctx.execute(
        identity.table.update()
        .where(is_row, column.in_((account["password"], HELD)))
        .values({column: renewed})
    )


# --- accounts that were there before ----------------------------------------------------------------------------------


def give_row(ctx: Context, identity: Model, account: Row) -> None:
    """Give an account that has none its row. Raises NumberTaken where somebody else's row has its key already."""
    form = identity_of(identity).key
    there = fetched(ctx.runtime, ctx.transaction.driver, identity, account[form])
    if there is not None and not is_same(identity, account, there):
        raise NumberTaken(clash_text(identity, account, there))
    if there is None:
        store_row(
            ctx,
            identity,
            {**account, "password": Passwords.of(ctx.runtime.registry).storable(account["password"])},
            store,
        )
    mark(ctx, account["id"])


def with_row(runtime: Runtime, account: Row) -> Row | None:
    """The account, which has a row from now on, or as soon as it has all that a row needs; None where it cannot have one."""
    identity = runtime.registry.identity
    if identity is None or account["mirrored"] or not account["active"] or lacking(identity, account):
        return account
    try:
        with runtime.writing(SYSTEM, plugin="host") as ctx:
            give_row(ctx, identity, account)
    except Conflict as error:
        log.error("an account cannot be used: %s", error.detail)
        return None
    return {**account, "mirrored": True}


def give_rows(runtime: Runtime) -> int:
    """Give every account that has none, and all that one needs, its row; how many. Raises NumberTaken with every clash, and
    nothing is written."""
    identity = runtime.registry.identity
    if identity is None:
        return 0
    if told := clashes(runtime):
        raise NumberTaken("; ".join(told))
    accounts = without_row(runtime)
    complete = [account for account in accounts if lacking(identity, account) is None]
    with runtime.writing(SYSTEM, plugin="host") as ctx:
        for account in complete:
            give_row(ctx, identity, account)
        if identity_of(identity).key == "number" and accounts:  # those without a row keep their numbers, too
            count_on(ctx, identity, max(account["number"] for account in accounts))
    return len(complete)


def clashes(runtime: Runtime) -> tuple[str, ...]:
    """The accounts that cannot get a row, because somebody else's has their key."""
    identity = runtime.registry.identity
    if identity is None:
        return ()
    form = identity_of(identity).key
    with runtime.database.reading() as connection:
        pairs = [
            (account, fetched(runtime, connection, identity, account[form]))
            for account in without_row(runtime)
        ]
    return tuple(
        clash_text(identity, account, row)
        for account, row in pairs
        if row is not None and not is_same(identity, account, row)
    )


def clash_text(identity: Model, account: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """What an operator has to know of two who have the same key."""
    names, form = fields_of(identity), identity_of(identity).key
    return (
        f"the account {account['username'] or account['email']} has the {form} {account[form]}, which in"
        f" {identity.table.name} is {row[names['username']]}"
    )


def without_row(runtime: Runtime) -> list[Row]:
    """The accounts that have no row yet, in the order in which they were made."""
    table = runtime.registry.model(ACCOUNT).table
    wanted = sa.select(table.c.id).where(table.c.mirrored.is_not(True)).order_by(table.c.number)
    with runtime.reading(SYSTEM, plugin="host") as ctx:
        found = (row_of_account(ctx, str(key)) for (key,) in ctx.execute(wanted).all())
        return [row for row in found if row is not None]


def _identity(registry: Registry) -> Model:
    assert registry.identity is not None  # asked for where there is one
    return registry.identity
