"""One's own account: read, changed, given another password. The identity endpoints of `accounts` call it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from host.auth.accounts import Accounts
from host.auth.extensions import changed, seen
from host.auth.lookup import Row
from host.auth.profiles import changed_profile
from host.auth.recovery import Recovery
from host.errors import Invalid
from host.web.http import Request
from host.web.origins import origin_of

PRESENT = ("current_password", "old_password", "password")


@dataclass(frozen=True, eq=False)
class Profiles:
    """The accounts of one app, each as its owner may change it."""

    accounts: Accounts
    recovery: Recovery

    def get(self, request: Request) -> Row:
        """The account that asks."""
        return self._seen(request, self.accounts.get(request.actor.id or ""))

    def update(self, request: Request, given: Mapping[str, Any]) -> Row:
        """The account with other names; another address wants the present password too."""
        account = self.get(request)
        values = {**changed_profile(account, given), **changed(self.accounts.runtime, given)}
        if "email" in values:
            self._change_email(request, given, values)
        if values:
            self.accounts.change_profile(request.actor, values, request.id)
        return self._seen(request, self.accounts.get(account["id"]))

    def _seen(self, request: Request, account: Row) -> Row:
        return seen(self.accounts.runtime.context(request.actor, request_id=request.id), account)

    def change_password(self, request: Request, given: Mapping[str, Any]) -> str:
        """Another password. Every other session ends; this one goes on."""
        account = self._prove(request, given, "give the present password")
        self.accounts.change_password(account, given.get("new_password") or "", kept=request.actor.session)
        return "The password has been changed"

    def _change_email(self, request: Request, given: Mapping[str, Any], values: dict[str, Any]) -> None:
        """Where mail is on, another address is in force once the link that goes there has been followed."""
        wanted = "another e-mail address wants the present password"
        if values["email"] is None or not self.recovery.mailer.is_on:
            self._prove(request, given, wanted)
            return
        key = _present(given, wanted)
        address = values.pop("email")
        del values["email_verified"]
        self.recovery.change_email(
            request.actor.id or "", address, given[key], origin_of(request), at=f"/{key}"
        )

    def _prove(self, request: Request, given: Mapping[str, Any], wanted: str) -> Row:
        key = _present(given, wanted)
        return self.accounts.prove(request.actor.id or "", given[key], origin_of(request), at=f"/{key}")


def _present(given: Mapping[str, Any], wanted: str) -> str:
    """The key under which the present password came."""
    key = next((key for key in PRESENT if given.get(key)), None)
    if key is None:
        raise Invalid.at(f"/{PRESENT[0]}", "required", wanted)
    return key
