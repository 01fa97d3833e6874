"""One's own account: read, changed, given another password. The identity endpoints of `accounts` call it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from host.auth.accounts import Accounts
from host.auth.lookup import Row
from host.auth.profiles import changed_profile
from host.errors import Invalid
from host.web.http import Request
from host.web.origins import origin_of

PRESENT = ("current_password", "old_password", "password")


@dataclass(frozen=True, eq=False)
class Profiles:
    """The accounts of one app, each as its owner may change it."""

    accounts: Accounts

    def get(self, request: Request) -> Row:
        """The account that asks."""
        return self.accounts.get(request.actor.id or "")

    def update(self, request: Request, given: Mapping[str, Any]) -> Row:
        """The account with other names; another address wants the present password too."""
        account = self.get(request)
        values = changed_profile(account, given)
        if "email" in values:
            self._prove(request, given, "another e-mail address wants the present password")
        if values:
            self.accounts.change_profile(request.actor, values, request.id)
        return self.accounts.get(account["id"])

    def change_password(self, request: Request, given: Mapping[str, Any]) -> str:
        """Another password. Every other session ends; this one goes on."""
        account = self._prove(request, given, "give the present password")
        self.accounts.change_password(account, given.get("new_password") or "", kept=request.actor.session)
        return "The password has been changed"

    def _prove(self, request: Request, given: Mapping[str, Any], wanted: str) -> Row:
        key = next((key for key in PRESENT if given.get(key)), None)
        if key is None:
            raise Invalid.at(f"/{PRESENT[0]}", "required", wanted)
        return self.accounts.prove(request.actor.id or "", given[key], origin_of(request), at=f"/{key}")
