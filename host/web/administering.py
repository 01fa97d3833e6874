"""Accounts as administrators look after them: listed, made, changed, removed. The identity endpoints of `accounts` call it.

The host has the command for this; plugins whose clients have a surface of their own declare endpoints. Nobody but accounts with
the role `admin` comes here, which `accounts` sees to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from host.actor import SYSTEM
from host.auth.accounts import Accounts, check_role
from host.auth.lookup import Row
from host.auth.profiles import changed_profile
from host.compiler.models import ACCOUNT
from host.errors import Invalid
from host.web.http import Request

STANDARD_SIZE: Final = 100


@dataclass(frozen=True, eq=False)
class Administration:
    """The accounts of one app, each as administrators may change it."""

    accounts: Accounts

    def listed(self, given: Mapping[str, Any]) -> list[Row]:
        """A slice of the accounts, oldest first, as they are stored here."""
        before, size = given.get("offset") or 0, given.get("limit") or STANDARD_SIZE
        with self.accounts.runtime.reading(SYSTEM) as ctx:
            return ctx.records(ACCOUNT).find_all(sort="number", limit=before + size)[before:]

    def get(self, given: Mapping[str, Any]) -> Row:
        """One account. Raises NotFound."""
        return self.accounts.get(given["id"])

    def make(self, request: Request, given: Mapping[str, Any]) -> Row:
        """A new account, which nobody is signed in to. Its address is taken for confirmed, as the operator's is."""
        role = given.get("role") or "user"
        return self.accounts.sign_up(
            given, role=role, request_id=request.id, is_verified=bool(given.get("email"))
        )

    def change(self, request: Request, given: Mapping[str, Any]) -> Row:
        """Other names, another role, or whether it may sign in. Raises Invalid where administrators would lock themselves out."""
        account = self.get(given)
        if account["id"] == request.actor.id and (
            given.get("active") is False or given.get("role") not in (None, account["role"])
        ):
            raise Invalid.at("/id", "own", "another administrator has to do this to your own account")
        told = {key: given[key] for key in ("role", "active") if given.get(key) is not None}
        if "role" in told:
            check_role(told["role"])
        values = {**changed_profile(account, given), **told}
        if values:
            with self.accounts.runtime.writing(SYSTEM, request.id, "host") as ctx:
                self.accounts.change(ctx, account, values, ends_tokens=told.get("active") is False)
        return self.get(given)

    def remove(self, request: Request, given: Mapping[str, Any]) -> str:
        """Remove an account with its sessions and with what goes with it. Raises Invalid for one's own."""
        account = self.get(given)
        if account["id"] == request.actor.id:
            raise Invalid.at("/id", "own", "another administrator has to remove your own account")
        self.accounts.delete(account)
        return "The account has been removed"

    def set_password(self, given: Mapping[str, Any]) -> str:
        """Another password; every session of the account ends."""
        password = given.get("new_password") or given.get("password")
        if not password:
            raise Invalid.at("/new_password", "required", "give the new password")
        self.accounts.set_password(self.get(given), password)
        return "The password has been set"
