"""Signing in with OpenID Connect: the code flow with PKCE, and which account somebody at a provider is.

A person known at a provider by issuer and subject stays the same account. Otherwise only an address that both sides have
verified makes the two one: an unconfirmed account with that address may have been made by anybody, in wait for its owner.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

from host.actor import SYSTEM
from host.auth.accounts import Accounts
from host.auth.links import Links
from host.auth.lookup import Row, by_id, by_text
from host.auth.oidc_provider import External, Proof, Provider
from host.errors import (
    BadRequest,
    Conflict,
    Duplicate,
    NotFound,
    SignInRefused,
    SignUpClosed,
    Unauthenticated,
)
from host.fields.inputs import EMAIL
from host.outbound import Outbound
from host.service.context import Context
from host.settings import OidcSettings

IDENTITY: Final = "host.external_identity"
FLOW_SECONDS = 600
CODE_SECONDS = 60
AT_ONCE = 5
_ERROR = re.compile(r"[a-z_]{1,60}")


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the browser, and what it has to keep until it comes back."""

    url: str
    ticket: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Oidc:
    """The flows of one app. `public_url` is the operator's; nothing of an address is taken from a request."""

    accounts: Accounts
    links: Links
    settings: OidcSettings
    public_url: str
    secret: str
    is_open: bool  # whether people may sign up

    @cached_property
    def providers(self) -> Mapping[str, Provider]:
        """Each provider by its name."""
        outbound = Outbound(
            allows_private=self.settings.private_addresses, seconds=float(self.settings.timeout)
        )
        return {found.name: Provider(found, outbound) for found in self.settings.providers}

    # -- the flow --

    def begin(self, provider: str, account: str = "") -> Begun:
        """Start signing in, or linking where an account is given."""
        state = secrets.token_urlsafe(32)
        said = f"{provider}.{state}.{int(time.time()) + FLOW_SECONDS}.{account}"
        url = self.providers[provider].authorization_url(self._proof(provider, state))
        return Begun(url, f"{said}.{self._derived('ticket', said)}")

    def finish(self, provider: str, query: Mapping[str, str], ticket: str) -> Row:
        """The account of whoever comes back from a provider. Raises what is wrong."""
        state, account = self._opened(provider, query, ticket)
        with self._writing() as ctx:
            if not self.links.use_up(ctx, "oidc_state", state, 2 * FLOW_SECONDS):
                raise BadRequest("this sign-in has been finished already; start again")
        if "error" in query or "code" not in query:
            said = query.get("error", "")
            raise Unauthenticated(f"the provider refused: {said if _ERROR.fullmatch(said) else 'no reason'}")
        issuer = self.providers[provider].settings.issuer
        if query.get("iss", issuer) != issuer:  # RFC 9207: an answer of another provider
            raise BadRequest("this answer comes from another provider; start again")
        external = self.providers[provider].identify(query["code"], self._proof(provider, state))
        if account:
            return self._link(provider, external, account)
        for _ in range(AT_ONCE):
            with suppress(Duplicate):  # the same person is coming another time just now
                return self._account(provider, external)
        return self._account(provider, external)

    def hand_over(self, account: Row) -> str:
        """A code that a front end exchanges for the sign-in, once and soon."""
        with self._writing() as ctx:
            return self.links.make(ctx, "oidc_code", CODE_SECONDS, account)

    def take_over(self, code: str) -> Row:
        """The account of such a code. Raises Invalid."""
        with self._writing() as ctx:
            link = self.links.take(ctx, "oidc_code", code)
        row = self.accounts.get(link["account"])
        if not row["active"]:
            raise _inactive()
        return row

    # -- what an account is linked with --

    def of(self, account: str) -> list[Row]:
        """Who an account is elsewhere."""
        with self.accounts.runtime.reading(SYSTEM, plugin="host") as ctx:
            return ctx.records(IDENTITY).find_all(account=account, sort="created_at")

    def unlink(self, identity: str, account: str) -> None:
        """Be that no longer. Raises NotFound."""
        with self._writing() as ctx:
            records = ctx.records(IDENTITY)
            found = records.find(identity)
            if found is None or found["account"] != account:
                raise NotFound("there is no such identity")
            records.delete(identity)

    # -- inside --

    def _account(self, provider: str, external: External) -> Row:
        with self._writing() as ctx:
            found = self._known(ctx, external)
            if found is not None:
                return _counting(found)
            email = _address(external)
            local = by_text(ctx.runtime, ctx.transaction.driver, "email", email)
            if local is not None:
                if not local["email_verified"]:
                    raise Conflict(
                        "there is an account with your address, and nobody has confirmed yet whose it is;"
                        " choose a new password by mail, then sign in"
                    )
                self._store(ctx, provider, external, _counting(local))
                return local
        if not self.is_open:
            raise SignUpClosed("nobody can sign up here by themselves; ask the operator for an account")
        made = self.accounts.sign_up(
            {"email": email, "name": external.name, "password": secrets.token_urlsafe(32)}, is_verified=True
        )
        with self._writing() as ctx:
            self._store(ctx, provider, external, made)
        return made

    def _link(self, provider: str, external: External, account: str) -> Row:
        with self._writing() as ctx:
            found = self._known(ctx, external)
            if found is not None and found["id"] != account:
                raise Conflict("this identity belongs to another account")
            row = by_id(ctx.runtime, ctx.transaction.driver, account)
            if found is None and row is not None:
                self._store(ctx, provider, external, _counting(row))
        return _counting(row)

    def _known(self, ctx: Context, external: External) -> Row | None:
        rows = ctx.records(IDENTITY).find_all(issuer=external.issuer, subject=external.subject)
        return by_id(ctx.runtime, ctx.transaction.driver, rows[0]["account"]) if rows else None

    def _store(self, ctx: Context, provider: str, external: External, account: Row) -> None:
        ctx.records(IDENTITY).create({
            "account": account["id"], "provider": provider, "issuer": external.issuer, "subject": external.subject,
            "email": external.email, "created_at": ctx.now,
        })  # fmt: skip

    def _opened(self, provider: str, query: Mapping[str, str], ticket: str) -> tuple[str, str]:
        """The state and the account of a ticket, if it is ours, of this provider and of this answer."""
        said, _, signature = ticket.rpartition(".")
        parts = said.split(".")
        is_ours = hmac.compare_digest(signature.encode(), self._derived("ticket", said).encode())
        if not is_ours or len(parts) != 4 or parts[0] != provider or int(parts[2]) < time.time():
            raise BadRequest("this sign-in was not started in this browser, or too long ago; start again")
        if not hmac.compare_digest(query.get("state", "").encode(), parts[1].encode()):
            raise BadRequest("this answer belongs to another sign-in; start again")
        return parts[1], parts[3]

    def _proof(self, provider: str, state: str) -> Proof:
        """Nonce and verifier follow from the state by a secret, so that nothing has to be kept of who never comes back."""
        redirect = f"{self.public_url.rstrip('/')}/api/auth/oidc/{provider}/callback"
        return Proof(state, self._derived("nonce", state), self._derived("verifier", state), redirect)

    def _derived(self, label: str, text: str) -> str:
        key = sha256(b"hostwright oidc " + self.secret.encode()).digest()
        return hmac.new(key, f"{label}\0{text}".encode(errors="replace"), sha256).hexdigest()

    def _writing(self) -> Any:  # a context manager of Context
        return self.accounts.runtime.writing(SYSTEM, plugin="host")


def _address(external: External) -> str:
    if external.email is None or EMAIL.fullmatch(external.email) is None or len(external.email) > 254:
        raise SignInRefused(
            "the provider has not verified your e-mail address; without that you cannot sign in here"
        )
    return external.email


def _counting(account: Row | None) -> Row:
    if account is None or not account["active"]:
        raise _inactive()
    return account


def _inactive() -> SignInRefused:
    return SignInRefused("this account may not sign in")
