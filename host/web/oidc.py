"""The operations below `/api/auth/oidc`: signing in with each provider of the settings, and who an account is elsewhere.

Without a provider none of them is served. The browser keeps a short-lived ticket in a cookie between leaving and coming
back, so that an answer counts only in the browser that asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from host.auth.lookup import Row, is_id
from host.auth.oidc import FLOW_SECONDS, IDENTITY, Begun, Oidc
from host.compiler.schemas import camel
from host.errors import BadRequest, NotFound, RequestError
from host.limiting import Limit, Rate
from host.settings import OidcProvider
from host.web.accounts import Asked, IdentityOperations
from host.web.http import Answer, Request
from host.web.operations import Operation
from host.web.origins import origin_of
from host.web.own import AUTH_ERRORS, NO_STORE, OwnEndpoint

PATH: Final = "/api/auth/oidc"
TICKET: Final = "hostwright_oidc"
BEGINNING: Final = Limit("oidc", Rate(60, 60), "address", is_always=True)
REDIRECT: Final = {
    "description": "On to the next page.",
    "headers": {"Location": {"schema": {"type": "string"}, "description": "Where to go."}},
}


@dataclass(frozen=True, eq=False)
class OidcOperations:
    """The handlers; `identity` begins the sessions."""

    oidc: Oidc
    identity: IdentityOperations

    def operations(self) -> Iterator[Operation]:
        """Every operation, if there is a provider."""
        if not self.oidc.settings.providers:
            return
        own, account = self._own, "/api/auth/identities"
        one = {"id": self.oidc.accounts.runtime.registry.model(IDENTITY).keys[0]}
        listed: dict[str, Any] = {"out": "sign_in_providers", "is_open": True}
        code: dict[str, Any] = {
            "given": "one_time_code",
            "out": "signed_in",
            "is_open": True,
            "limits": (BEGINNING,),
        }
        gone: dict[str, Any] = {"status": 204, "parameters": one}
        mine: dict[str, Any] = {"out": "external_identities"}
        yield own("sign_in_providers", "GET", PATH, "List the sign-in providers", self.list, **listed)
        yield own(
            "exchange_code", "POST", f"{PATH}/token", "Sign in with a one-time code", self.exchange, **code
        )
        yield own("identities", "GET", account, "List who you are elsewhere", self.identities, **mine)
        yield own("unlink", "DELETE", f"{account}/{{id}}", "Unlink an identity", self.unlink, **gone)
        for provider in self.oidc.settings.providers:
            yield from self._of_provider(provider)

    def _of_provider(self, provider: OidcProvider) -> Iterator[Operation]:
        start, label = f"{PATH}/{provider.name}", provider.label
        link = partial(self.link, provider.name)
        mine: dict[str, Any] = {"out": "link_address"}
        yield self._own(
            f"link_{provider.name}", "POST", f"{start}/link", f"Link your account with {label}", link, **mine
        )
        yield self._browser(provider, "begin", start, f"Sign in with {label}", self.begin)
        yield self._browser(provider, "finish", f"{start}/callback", f"Come back from {label}", self.finish)

    # -- for programs --

    def list(self, endpoint: OwnEndpoint, request: Request) -> Answer:
        """GET /api/auth/oidc."""
        found = self.oidc.settings.providers
        items = [{"name": it.name, "label": it.label, "url": f"{PATH}/{it.name}"} for it in found]
        return endpoint.answer({"items": items})

    def exchange(self, endpoint: OwnEndpoint, request: Request) -> Answer:
        """POST /api/auth/oidc/token."""
        given = endpoint.read(request)
        if given.get("cookies"):
            self.identity.csrf.check_origin(request)
        return self._signed_in(endpoint, request, given, self.oidc.take_over(given["code"]))

    def link(self, provider: str, endpoint: OwnEndpoint, request: Request) -> Answer:
        """POST /api/auth/oidc/{provider}/link."""
        begun = self.oidc.begin(provider, self._account(request))
        answer = endpoint.answer({"url": begun.url})
        answer.headers.append(self._kept(request, begun.ticket, FLOW_SECONDS))
        return answer

    def identities(self, endpoint: OwnEndpoint, request: Request) -> Answer:
        """GET /api/auth/identities."""
        return endpoint.answer({"items": self.oidc.of(self._account(request))})

    def unlink(self, endpoint: OwnEndpoint, request: Request) -> Answer:
        """DELETE /api/auth/identities/{id}."""
        self.oidc.unlink(_uuid(request.params["id"]), self._account(request))
        return endpoint.answer()

    # -- for browsers --

    def begin(self, endpoint: OwnEndpoint, provider: str, request: Request) -> Answer:
        """GET /api/auth/oidc/{provider}."""
        begun: Begun = self.oidc.begin(provider)
        kept = self._kept(request, begun.ticket, FLOW_SECONDS)
        return Answer(303, b"", None, [("Location", begun.url), NO_STORE, kept])

    def finish(self, endpoint: OwnEndpoint, provider: str, request: Request) -> Answer:
        """GET /api/auth/oidc/{provider}/callback: with a front end on to it, with a code or what went wrong; else the sign-in."""
        target = self.oidc.settings.return_url
        try:
            account = self.oidc.finish(provider, _query(request), request.cookie(self._cookie()))
            answer = (
                _onward(target, code=self.oidc.hand_over(account))
                if target else self._signed_in(endpoint, request, {}, account)
            )  # fmt: skip
        except RequestError as error:
            if not target:
                raise
            answer = _onward(target, error=error.code, error_description=error.detail)
        answer.headers.append(self._kept(request, "", 0))
        return answer

    # -- inside --

    def _signed_in(
        self, endpoint: OwnEndpoint, request: Request, given: dict[str, Any], account: Row
    ) -> Answer:
        if self.oidc.accounts.throttle is not None:
            self.oidc.accounts.throttle.know(account["id"], origin_of(request))
        done = self.identity.begun(Asked(request, endpoint.node, given), account, "You are signed in")
        answer = endpoint.answer(done.values)
        answer.headers += done.headers
        return answer

    def _account(self, request: Request) -> str:
        account: str = self.oidc.accounts.get(request.actor.id or "")["id"]
        return account

    def _cookie(self) -> str:
        return f"__Secure-{TICKET}" if self._is_secure() else TICKET

    def _is_secure(self) -> bool:
        return self.oidc.public_url.startswith("https://")

    def _kept(self, request: Request, ticket: str, seconds: int) -> tuple[str, str]:
        """A provider sends the browser back from another site: only `Lax` cookies come along then."""
        parts = [
            f"{self._cookie()}={ticket}",
            f"Max-Age={seconds}",
            f"Path={PATH}",
            "HttpOnly",
            "SameSite=Lax",
        ]
        return "Set-Cookie", "; ".join([*parts, *(["Secure"] if self._is_secure() else [])])

    def _endpoint(
        self, name: str, method: Any, path: str, summary: str, handler: Any, **more: Any
    ) -> OwnEndpoint:
        return OwnEndpoint(
            runtime=self.oidc.accounts.runtime, name=name, noun="account", method=method, path=path, summary=summary,
            handler=handler, errors=AUTH_ERRORS, **more,
        )  # fmt: skip

    def _own(self, name: str, method: Any, path: str, summary: str, handler: Any, **more: Any) -> Operation:
        return self._endpoint(name, method, path, summary, handler, **more).operation()

    def _browser(self, provider: OidcProvider, verb: str, path: str, summary: str, handler: Any) -> Operation:
        answers: dict[str, Any] = {"303": REDIRECT}
        endpoint = self._endpoint(
            f"{verb}_{provider.name}", "GET", path, summary, handler, out="signed_in", is_open=True
        )
        return Operation(
            id=f"{verb}Oidc{camel(provider.name)}", method="GET", path=path, kind="page", plugin="host", summary=summary,
            handler=partial(handler, endpoint, provider.name), is_public=True, is_open=True, errors=AUTH_ERRORS,
            limits=(BEGINNING,), details={"document": {"responses": answers}},
        )  # fmt: skip


def _query(request: Request) -> dict[str, str]:
    try:
        return dict(parse_qsl(request.query, keep_blank_values=True, max_num_fields=20))
    except ValueError:
        raise BadRequest("the query string cannot be read") from None


def _onward(target: str, **told: str) -> Answer:
    location = f"{target}{'&' if '?' in target else '?'}{urlencode(told)}"
    return Answer(303, b"", None, [("Location", location), NO_STORE])


def _uuid(text: str) -> str:
    if not is_id(text):
        raise NotFound("there is no such identity")
    return text.lower()
