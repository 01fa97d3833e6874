"""Accounts: signing up and in, and what an operator does to them. The web layer and `hostwright user` call it.

All of it runs as the host itself; who may call what is decided above. A password is hashed before any transaction
begins, so that the number that the server counts is held for moments only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from host.actor import SYSTEM, Actor
from host.auth.admission import admitted, replace_hash
from host.auth.identities import newcomer
from host.auth.lookup import Row, by_any, by_id, by_name, by_text, is_id, somebody
from host.auth.names import full_name, names_of, usernames_for
from host.auth.origins import Origin
from host.auth.passwords import Passwords
from host.auth.sessions import Sessions, forgotten
from host.auth.throttling import Attempt, Throttle
from host.compiler.models import ACCOUNT
from host.errors import Duplicate, FieldError, Invalid, NotFound, Unauthenticated
from host.service.context import Context
from host.service.keys import hex24
from host.service.runtime import Runtime

_ROLE = re.compile(r"[a-z][a-z0-9_]{0,49}")


@dataclass(frozen=True, eq=False)
class Accounts:
    """The accounts of one app. Rows are native ones, with the hash of the password in them: never answer one whole."""

    runtime: Runtime
    passwords: Passwords
    forget: Callable[[str], None] = forgotten
    throttle: Throttle | None = None
    greet: Callable[[Row], None] | None = None  # told of each new account, once that is committed

    @cached_property
    def sessions(self) -> Sessions:
        """The sign-ins of these accounts."""
        return Sessions(self.runtime, self.forget)

    def sign_up(
        self, values: Mapping[str, Any], *, role: str = "user", request_id: str = "", is_verified: bool = False
    ) -> Row:  # fmt: skip
        """A new account; `is_verified` where somebody trusted says whose the address is. Raises Invalid, or Duplicate when
        the name or the address is taken."""
        names = names_of(values)
        self.passwords.check(values["password"], *names.values())
        check_role(role)
        row = {
            "email": names.get("email"), "name": full_name(values), "role": role, "hex": hex24(),
            "first_name": values.get("first_name"), "last_name": values.get("last_name"),
            "password": self.passwords.hash(values["password"]), "email_verified": is_verified,
        }  # fmt: skip
        if "username" not in names:
            return self._store_named(row, request_id)
        try:
            return self._store({**row, "username": names["username"]}, request_id)
        except Duplicate as error:
            raise _at_given(error, values) from error

    def sign_in(
        self, *, username: str | None, email: str | None, password: str, request_id: str = "",
        origin: Origin | None = None, role: str | None = None,
    ) -> Row:  # fmt: skip
        """The account of these credentials, with `role` only if it has that one. Raises Unauthenticated, saying and costing
        the same whatever was wrong.

        Whoever has failed too often is told to wait by TooManyRequests, before the password is looked at.
        """
        if not username and not email:
            raise Invalid.at("/username", "required", "give a user name or an e-mail address")
        with self.runtime.database.reading() as connection:
            if email:
                row = by_text(self.runtime, connection, "email", email)
            else:
                row = by_name(self.runtime, connection, username or "")
            names = {"email": email or username} if email else {"username": username, "email": username}
            row = row or newcomer(self.runtime, connection, names)
            stand_in = somebody(self.runtime, connection, email or username or "") if row is None else None
        attempt = self._attempt("sign_in", email or username or "", row, origin)
        is_right = self.passwords.verify(password, row["password"] if row else None, stand_in)
        if row is None or not is_right or not row["active"] or role not in (None, row["role"]):
            raise Unauthenticated("the name or the password is wrong", subject=row["id"] if row else None)
        account = admitted(self.runtime, row, request_id)
        if row["id"] != account:
            row = self.get(account)
        if attempt is not None:
            attempt.succeeded(row["id"])
        if self.passwords.is_outdated(row["password"]):
            self._renew_hash(row, password, request_id)
        return row

    def prove(
        self, account: str, password: str, origin: Origin | None = None, *, at: str = "/password"
    ) -> Row:
        """The account, if this is its present password: before something that a stolen token must not do. Raises Invalid."""
        row = self.get(account)
        attempt = self._attempt("prove", account, row, origin)
        if not self.passwords.verify(password, row["password"]):
            raise Invalid.at(at, "wrong", "this is not the present password")
        if attempt is not None:
            attempt.succeeded(account)
        return row

    # -- finding --

    def get(self, account: str) -> Row:
        """The account with this id. Raises NotFound, also for a text that is no id, as a plugin's actor may have."""
        with self.runtime.database.reading() as connection:
            row = by_id(self.runtime, connection, account) if is_id(account) else None
        if row is None:
            raise NotFound("there is no such account")
        return row

    def named(self, text: str) -> Row:
        """The account that an operator means by a user name, an address or an id. Raises NotFound."""
        with self.runtime.database.reading() as connection:
            return by_any(self.runtime, connection, text)

    def listed(self) -> list[Row]:
        """Every account, oldest first."""
        with self.runtime.reading(SYSTEM) as ctx:
            return ctx.records(ACCOUNT).find_all(sort="number", limit=1_000_000)

    # -- by their owners --

    def change_password(self, account: Row, password: str, *, kept: str | None) -> None:
        """Another password, after `prove`; every session ends but the one that is kept."""
        self.passwords.check(password, account["username"], account["email"], at="/new_password")
        self._change(account, {"password": self.passwords.hash(password)}, ends_tokens=True, kept=kept)

    def change_profile(self, actor: Actor, values: Row, request_id: str = "") -> None:
        """Other names of the actor's own account, as far as the fields' rules let it write them."""
        with self.runtime.writing(actor, request_id, "host") as ctx:
            ctx.records(ACCOUNT).update(actor.id, values)

    # -- by an operator --

    def set_password(self, account: Row, password: str) -> None:
        """Another password; every session ends, and with it every token issued so far."""
        self.passwords.check(password, account["username"], account["email"])
        self._change(account, {"password": self.passwords.hash(password)}, ends_tokens=True)

    def set_role(self, account: Row, role: str) -> None:
        """Another role; tokens go on counting, with the new role in force."""
        check_role(role)
        self._change(account, {"role": role})

    def set_active(self, account: Row, *, active: bool) -> None:
        """Let an account sign in, or end its sessions and refuse it."""
        self._change(account, {"active": active}, ends_tokens=not active)

    def set_verified(self, account: Row) -> None:
        """Take its address for confirmed. Raises Invalid for an account without one."""
        if not account["email"]:
            raise Invalid.at("/email", "required", "the account has no e-mail address")
        self._change(account, {"email_verified": True})

    def delete(self, account: Row) -> None:
        """Remove an account with its sessions. Raises Referenced when rows refer to it that may not go with it."""
        with self.runtime.writing(SYSTEM, plugin="host") as ctx:
            self.sessions.remove(ctx, account["id"])
            ctx.records(ACCOUNT).delete(account["id"])

    # -- inside --

    def _attempt(self, what: str, name: str, row: Row | None, origin: Origin | None) -> Attempt | None:
        if self.throttle is None:
            return None
        return self.throttle.attempt(what, name, row["id"] if row else None, origin)

    def _store(self, values: Row, request_id: str) -> Row:
        given = {name: value for name, value in values.items() if value is not None}
        with self.runtime.writing(SYSTEM, request_id, "host") as ctx:
            row = ctx.records(ACCOUNT).create(given)
            if self.greet is not None:
                ctx.after_commit(partial(self.greet, row))
            return row

    def _store_named(self, values: Row, request_id: str) -> Row:
        """Store under the first derived user name that is free; somebody else's name is no reason to refuse."""
        *names, last = usernames_for(values["email"])
        for name in names:
            try:
                return self._store({**values, "username": name}, request_id)
            except Duplicate as error:
                if all(item.pointer != "/username" for item in error.errors):
                    raise
        return self._store({**values, "username": last}, request_id)

    def _change(
        self, account: Row, values: Row, *, ends_tokens: bool = False, kept: str | None = None
    ) -> None:
        with self.runtime.writing(SYSTEM, plugin="host") as ctx:
            self.change(ctx, account, values, ends_tokens=ends_tokens, kept=kept)

    def change(
        self, ctx: Context, account: Row, values: Row, *, ends_tokens: bool = False, kept: str | None = None
    ) -> None:
        """Within a transaction of the system: other values, and the end of every session but one where these want it."""
        records = ctx.records(ACCOUNT)
        version = records.lock(account["id"])["token_version"] + ends_tokens
        records.update(account["id"], {**values, "token_version": version})
        if ends_tokens:
            self.sessions.end_others(ctx, account["id"], kept, version)

    def _renew_hash(self, account: Row, password: str, request_id: str) -> None:
        """Store today's kind of hash, unless the password has been changed in the meantime."""
        renewed = self.passwords.hash(password)
        with self.runtime.writing(SYSTEM, request_id, "host") as ctx:
            _replace_hash(ctx, account, renewed)


def _replace_hash(ctx: Context, account: Row, renewed: str) -> None:
    table = ctx.table(ACCOUNT)
    is_same = (table.c.id == account["id"], table.c.password == account["password"])
    ctx.execute(table.update().where(*is_same).values(password=renewed))
    replace_hash(ctx, account, renewed)


def _at_given(error: Duplicate, values: Mapping[str, Any]) -> Duplicate:
    """The error at what the caller sent: an address that was taken from the user name is not in the body."""
    if values.get("email"):
        return error
    return Duplicate(error.detail, [FieldError("/username", item.code, item.detail) for item in error.errors])


def check_role(role: str) -> None:
    """Raise Invalid for what is no word of lower-case letters."""
    if _ROLE.fullmatch(role) is None:
        raise Invalid.at("/role", "pattern", "a role is a word of lower-case letters, digits and _")
