"""The operations below `/api/auth`: register, login, me. `authentication` makes them; the work is done in `host.auth`.

Five systems' clients share these paths, so answers hold the keys of all of them and errors one text under each key
that any of them reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from host.actor import SYSTEM
from host.auth.accounts import Accounts
from host.auth.grants import Grants, Way
from host.auth.lookup import Row
from host.auth.sessions import Visitor
from host.declaration.nodes import Endpoint, Field, WireErrors, WireValues
from host.errors import SignUpClosed
from host.service.runtime import Runtime
from host.web.actions import read_input, shape_of
from host.web.http import Answer, Request, json_answer
from host.web.operations import Operation, operation_id
from host.web.origins import origin_of

ERRORS = WireErrors(keys=("error", "message", "detail", "msg"), constants={"success": False})
NO_STORE = ("Cache-Control", "no-store")
TOKEN_TYPE = "Bearer"


@dataclass(frozen=True, eq=False)
class AccountOperations:
    """The handlers; `is_open` says whether anybody may sign up."""

    accounts: Accounts
    grants: Grants
    is_open: bool

    def operations(self) -> Iterator[Operation]:
        """Every operation."""
        register, login, profile = self._register, self._login, self._profile
        yield self._operation(
            "register", register, self.register, "Make an account and sign in", is_open=True
        )
        yield self._operation("login", login, self.login, "Sign in", is_open=True)
        yield self._operation("me", profile, self.me, "Read your own account", is_open=False)

    def register(self, request: Request) -> Answer:
        """POST /api/auth/register."""
        if not self.is_open:
            raise SignUpClosed("nobody can sign up here by themselves; ask the operator for an account")
        given = self._input(request, self._register)
        account = self.accounts.sign_up(given, request_id=request.id)
        return self._signed_in(request, given, account, self._register, "The account has been created")

    def login(self, request: Request) -> Answer:
        """POST /api/auth/login."""
        given = self._input(request, self._login)
        account = self.accounts.sign_in(
            username=given.get("username"),
            email=given.get("email"),
            password=given["password"],
            request_id=request.id,
            origin=origin_of(request),
        )
        return self._signed_in(request, given, account, self._login, "You are signed in")

    def me(self, request: Request) -> Answer:
        """GET /api/auth/me."""
        account = self.accounts.get(request.actor.id or "")
        return self._answer(self._profile, {**account, "user_id": account["id"], "id": account["hex"]})

    # -- what they are --

    @cached_property
    def _register(self) -> Endpoint:
        return self._endpoint("POST", "register", "sign_up", "signed_in", 201)

    @cached_property
    def _login(self) -> Endpoint:
        return self._endpoint("POST", "login", "sign_in", "signed_in", 200)

    @cached_property
    def _profile(self) -> Endpoint:
        return self._endpoint("GET", "me", None, "profile", 200)

    def _endpoint(
        self, method: Literal["GET", "POST"], name: str, given: str | None, out: str, status: int
    ) -> Endpoint:  # fmt: skip
        return Endpoint(
            method=method, path=f"/api/auth/{name}", call="", access=("authenticated" if given is None else "public",),
            input=replace(self._type(given), required=True) if given else None, out=self._type(out),
            status=status, unknown="ignore", errors=ERRORS,
        )  # fmt: skip

    def _type(self, name: str) -> Field:
        return self._runtime.registry.declaration.types[f"host.{name}"]

    def _operation(
        self, name: str, node: Endpoint, handler: Callable[[Request], Answer], summary: str, *, is_open: bool
    ) -> Operation:  # fmt: skip
        return Operation(
            id=operation_id(name, "host.account"), method=node.method, path=node.path, kind="endpoint", plugin="host",
            handler=handler, summary=summary, access=node.access, is_public=is_open, is_open=is_open,
            status=node.status or 200, input=node.input, unknown=node.unknown, out=node.out, errors=node.errors,
            details={"scope": ("account", "me")} if name == "me" else {},
        )  # fmt: skip

    # -- in and out --

    @property
    def _runtime(self) -> Runtime:
        return self.accounts.runtime

    def _input(self, request: Request, node: Endpoint) -> dict[str, Any]:
        name = "HostSignUp" if node is self._register else "HostSignIn"
        return read_input(self._runtime, request, node, name, WireValues(), node.unknown)

    def _signed_in(
        self, request: Request, given: Mapping[str, Any], account: Row, node: Endpoint, message: str
    ) -> Answer:
        way = Way("refresh" if given.get("refresh") else "token")
        granted = self.grants.begin(account, way, visitor_of(request))
        return self._answer(node, {
            "message": message, "token": granted.token, "token_type": TOKEN_TYPE,
            "refresh_token": granted.refresh_token, "expires_at": granted.expires_at,
            "user_id": account["id"], "username": account["username"],
            "user": {**account, "id": account["hex"]},
        })  # fmt: skip

    def _answer(self, node: Endpoint, value: Mapping[str, Any]) -> Answer:
        """The declared keys of the value and no others."""
        out = node.out
        assert out is not None  # every operation here answers something
        shown = shape_of(self._runtime.context(SYSTEM), out, None)(value)
        return json_answer(shown, node.status or 200, [NO_STORE])


def visitor_of(request: Request) -> Visitor:
    """Where a sign-in comes from."""
    return Visitor(request.header("user-agent") or "", request.remote, request.id)
