"""Forgotten passwords and confirmed addresses, by links that are mailed. The web layer and `hostwright user` call it.

What a stranger may ask for is done in the background, so that neither the answer nor its time says whether an account exists.
Whoever follows a link has read the address's mail; that is all a link proves, and `email_verified` says nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from host.actor import SYSTEM
from host.auth.accounts import Accounts
from host.auth.admission import admitted
from host.auth.api_keys import ApiKeys
from host.auth.background import Background
from host.auth.identities import newcomer
from host.auth.links import Links, Purpose, spent
from host.auth.lookup import Row, by_id, by_text
from host.auth.names import names_of
from host.auth.origins import Origin
from host.errors import ConfigurationError, Duplicate, Invalid, Unavailable
from host.service.context import Context
from host.service.mail import Post
from host.settings import RecoverySettings

VERIFYING: Final[tuple[Purpose, ...]] = ("verify_email",)
MAILED: Final[tuple[Purpose, ...]] = ("reset_password", "verify_email")
EXTERNAL: Final = "host.external_identity"
PAGES: Final = {"reset_password": "/api/auth/reset-password", "verify_email": "/api/auth/verify-email"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Recovery:
    """Everything that a mailed link is for. `public_url` is the operator's: nothing of a link is taken from a request."""

    accounts: Accounts
    keys: ApiKeys
    links: Links
    mailer: Post
    settings: RecoverySettings
    public_url: str
    background: Background

    # -- asking --

    def forgot(self, email: str) -> None:
        """Mail a link to whoever has an account with this address, in the background. Raises Unavailable without mail."""
        self._demand()
        self.background.do(lambda: self._for_address(email, self._mail_reset))

    def verify(self, email: str) -> None:
        """Mail a link to confirm this address to whoever has an unconfirmed account with it, in the background."""
        self._demand()
        self.background.do(lambda: self._for_address(email, self._mail_verification))

    def welcome(self, account: Row) -> None:
        """After a sign-up: ask for a confirmation of the address, if there is one and mail is on."""
        if account["email"] and self.mailer.is_on and self.public_url:
            self.background.do(lambda: self._for_address(account["email"], self._mail_verification))

    def change_email(
        self, account: str, email: str, password: str, origin: Origin, *, at: str = "/password"
    ) -> None:
        """Mail a link to a new address; it is in force once the link is followed. Raises Invalid."""
        self._demand()
        wanted = names_of({"email": email})["email"]
        row = self.accounts.prove(account, password, origin, at=at)
        with self._writing() as ctx:
            if self.links.lately(ctx, account, wanted) >= self.settings.hourly_mails:
                raise Unavailable("too many mails went to this address; try again in an hour")
            self.links.end(ctx, account, VERIFYING)
            taken = by_text(ctx.runtime, ctx.transaction.driver, "email", wanted)
            if (
                taken is None or taken["id"] == account
            ):  # else nothing is sent, and nothing tells whose address it is
                self._mail(ctx, row, "verify_email", wanted)

    def reset_link(self, account: Row) -> str:
        """A link for an operator to hand over by other means than mail."""
        with self._writing() as ctx:
            text = self.links.make(ctx, "reset_password", self.settings.reset_seconds, account)
        return self._address("reset_password", text)

    # -- following --

    def reset(self, token: str, password: str, origin: Origin) -> Row:
        """Another password for the account of the link; every session and every other link ends. Raises Invalid."""
        with self.accounts.runtime.reading(SYSTEM, plugin="host") as ctx:
            account = self._account(ctx, self.links.look(ctx, "reset_password", token))
        self.accounts.passwords.check(password, account["username"], account["email"])
        hashed = self.accounts.passwords.hash(password)
        with self._writing() as ctx:
            link = self.links.take(ctx, "reset_password", token)
            account = self._account(ctx, link)
            proves = bool(link["detail"]) and link["detail"] == account["email"]
            if proves and not account["email_verified"]:
                self._take_over(ctx, account["id"])
            self.links.end(ctx, account["id"], MAILED)
            values = {"password": hashed, **({"email_verified": True} if proves else {})}
            self.accounts.change(ctx, account, values, ends_tokens=True)
        if self.accounts.throttle is not None:
            self.accounts.throttle.welcome(account["id"], origin)
        return self.accounts.get(account["id"])

    def confirm(self, token: str) -> Row:
        """The address of the link is the account's, and confirmed. Raises Invalid."""
        with self._writing() as ctx:
            link = self.links.take(ctx, "verify_email", token)
            account = self._account(ctx, link)
            before = account["email"]
            is_same = before is not None and before.lower() == link["detail"].lower()
            try:
                self.accounts.change(ctx, account, {"email": link["detail"], "email_verified": True})
            except Duplicate:
                raise Invalid.at("/token", "link", "this address belongs to another account by now") from None
            if not is_same:
                self.links.end(ctx, account["id"], MAILED)
                if before is not None and account["email_verified"] and self.mailer.is_on:
                    self._send(ctx, "email_changed", before, account)
        return self.accounts.get(account["id"])

    # -- inside --

    def _demand(self) -> None:
        self.mailer.demand()
        if not self.public_url:
            raise Unavailable(
                "this site does not know its address; its operator has to set HOSTWRIGHT_PUBLIC_URL"
            )

    def _writing(self) -> Any:  # a context manager of Context
        return self.accounts.runtime.writing(SYSTEM, plugin="host")

    def _for_address(self, email: str, send: Callable[[Context, Row], None]) -> None:
        self._settle(email)
        with self._writing() as ctx:
            row = by_text(ctx.runtime, ctx.transaction.driver, "email", email)
            if row is None or not row["active"] or not row["email"]:
                return
            if self.links.lately(ctx, row["id"], row["email"]) < self.settings.hourly_mails:
                send(ctx, row)

    def _settle(self, email: str) -> None:
        """Somebody of another system's user table, who has not signed in here yet, gets the account that a link needs."""
        runtime = self.accounts.runtime
        with runtime.database.reading() as connection:
            is_known = by_text(runtime, connection, "email", email) is not None
            row = None if is_known else newcomer(runtime, connection, {"email": email})
        if row is not None and row["active"]:
            admitted(runtime, row)

    def _mail_reset(self, ctx: Context, account: Row) -> None:
        self._mail(ctx, account, "reset_password", account["email"])

    def _mail_verification(self, ctx: Context, account: Row) -> None:
        if not account["email_verified"]:
            self._mail(ctx, account, "verify_email", account["email"])

    def _mail(self, ctx: Context, account: Row, purpose: Purpose, to: str) -> None:
        seconds = self.settings.reset_seconds if purpose == "reset_password" else self.settings.verify_seconds
        text = self.links.make(ctx, purpose, seconds, account, to)
        told = {"link": self._address(purpose, text), "hours": spoken(seconds)}
        self._send(ctx, purpose, to, account, **told)

    def _send(self, ctx: Context, name: str, to: str, account: Row, **told: Any) -> None:
        called = account["name"] or account["username"] or account["email"]
        self.mailer.send_template(ctx, f"host/{name}", to, {"name": called, **told})

    def _address(self, purpose: Purpose, text: str) -> str:
        if not self.public_url:
            raise ConfigurationError(
                "set HOSTWRIGHT_PUBLIC_URL to the address at which people reach the site"
            )
        page = self.settings.reset_page if purpose == "reset_password" else self.settings.verify_page
        page = page or self.public_url.rstrip("/") + PAGES[purpose]
        return f"{page}{'&' if '?' in page else '?'}token={text}"

    def _account(self, ctx: Context, link: Row) -> Row:
        row = by_id(ctx.runtime, ctx.transaction.driver, link["account"] or "")
        is_stale = (
            row is not None
            and link["purpose"] == "reset_password"
            and link["version"] != row["token_version"]
        )
        if row is None or not row["active"] or is_stale:  # another password has been chosen since
            raise spent()
        return row

    def _take_over(self, ctx: Context, account: str) -> None:
        """The address was never confirmed before: whoever made the account may have been somebody else. Whatever could let
        them in again goes: keys, and who they are at other providers."""
        self.keys.revoke_all(ctx, account)
        table = ctx.table(EXTERNAL)
        ctx.execute(sa.delete(table).where(table.c.account_id == account))


def spoken(seconds: int) -> str:
    """A time in words."""
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{seconds} seconds"
