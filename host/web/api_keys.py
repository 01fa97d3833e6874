"""The operations below `/api/host/keys`, with which people make, list and revoke keys for their machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from host.actor import Actor
from host.auth.accounts import Accounts
from host.auth.api_keys import API_KEY, START, ApiKeys
from host.auth.bearer import bearer_token
from host.auth.scopes import Target, check_scopes
from host.web.http import Answer, Request
from host.web.operations import Operation
from host.web.own import OwnEndpoint

PATH = "/api/host/keys"


@dataclass(frozen=True, eq=False)
class ApiKeyOperations:
    """The handlers. `known` answers everything that a scope may name, once all operations are known."""

    accounts: Accounts
    keys: ApiKeys
    known: Callable[[], Sequence[Target]]

    def operations(self) -> Iterator[Operation]:
        """All three operations."""
        one = {"id": self.keys.runtime.registry.model(API_KEY).keys[0]}
        doc = "The answer holds the key's text, which is never shown again."
        yield self._endpoint("list", "GET", "List your API keys", self.list, out="api_keys")
        yield self._endpoint(
            "make",
            "POST",
            "Make an API key",
            self.make,
            given="new_api_key",
            out="made_api_key",
            status=201,
            doc=doc,
        )
        yield self._endpoint(
            "revoke",
            "DELETE",
            "Revoke an API key",
            self.revoke,
            path=f"{PATH}/{{id}}",
            status=204,
            parameters=one,
        )

    def list(self, endpoint: OwnEndpoint, request: Request) -> Answer:
        """GET /api/host/keys."""
        return endpoint.answer({"items": self.keys.of(self._account(request))})

    def make(self, endpoint: OwnEndpoint, request: Request) -> Answer:
        """POST /api/host/keys."""
        given = endpoint.read(request)
        check_scopes(given["scopes"], self.known())
        text, row = self.keys.make(
            self._account(request), given["name"], given["scopes"], given.get("expires_at")
        )
        return endpoint.answer({**row, "key": text})

    def revoke(self, endpoint: OwnEndpoint, request: Request) -> Answer:
        """DELETE /api/host/keys/{id}."""
        self.keys.revoke(request.params["id"].lower(), self._account(request))
        return endpoint.answer()

    def _account(self, request: Request) -> str:
        account: str = self.accounts.get(request.actor.id or "")["id"]  # a plugin's actor may have none
        return account

    def _endpoint(self, name: str, method: Any, summary: str, handler: Any, **more: Any) -> Operation:
        return OwnEndpoint(
            runtime=self.keys.runtime, name=name, noun="api_key", method=method, summary=summary, handler=handler,
            **{"path": PATH, **more},
        ).operation()  # fmt: skip


def key_authenticator(keys: ApiKeys) -> Callable[[Request], Actor | None]:
    """A key in the Authorization header."""

    def authenticate(request: Request) -> Actor | None:
        header = request.header("authorization")
        if header is None or START not in header:
            return None
        token = bearer_token(header)
        return keys.actor(token) if token is not None and token.startswith(START) else None

    return authenticate
