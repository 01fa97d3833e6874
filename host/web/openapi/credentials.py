"""How callers say who they are, as the document says it: a token in the header, or cookies with a CSRF header."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from host.web.cookies import ACCESS
from host.web.csrf import SAFE
from host.web.openapi.components import Json
from host.web.operations import Operation

BEARER: Final = "bearerAuth"
COOKIE: Final = "cookieAuth"


def schemes(operations: Iterable[Operation]) -> Json:
    """The security schemes that the operations name."""
    found: Json = {
        BEARER: {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "The token that `POST /api/auth/login` answers.",
        },
    }  # fmt: skip
    if any(takes_cookies(operation) for operation in operations):
        about = "What `POST /api/auth/login` with `cookies` sets; `__Host-` stands before its name but on loopback."
        found[COOKIE] = {"type": "apiKey", "in": "cookie", "name": ACCESS, "description": about}
    return found


def takes_cookies(operation: Operation) -> bool:
    """Whether a cookie says who asks."""
    return not operation.is_open and operation.credential is not None and operation.credential.cookie


def security(operation: Operation) -> list[Json]:
    """The credentials of an operation, of which any will do."""
    if operation.is_open:
        return []
    ways: list[Json] = [{BEARER: []}, *([{COOKIE: []}] if takes_cookies(operation) else [])]
    return [{}, *ways] if operation.is_public else ways


def csrf_header(operation: Operation) -> list[Json]:
    """The header that goes with a cookie, where the operation changes something."""
    credential = operation.credential
    if credential is None or not takes_cookies(operation) or operation.method in SAFE:
        return []
    about = f"With a cookie: the value of the cookie `{credential.csrf_cookie}`."
    return [
        {"name": credential.csrf_header, "in": "header", "schema": {"type": "string"}, "description": about}
    ]
