"""The Authorization header (RFC 6750): which token it holds, or what is wrong with it."""

from __future__ import annotations

from host.errors import BadRequest, Unauthenticated


def bearer_token(header: str | None) -> str | None:
    """The token; None without a header. A credential that was sent and cannot be read is never passed over."""
    if not header:
        return None
    scheme, _, rest = header.strip().partition(" ")
    token = rest.strip()
    if scheme.lower() != "bearer":
        raise Unauthenticated("send the token as `Authorization: Bearer <token>`")
    if not token:
        raise Unauthenticated("the Authorization header holds no token")
    if " " in token or "," in token:
        error = BadRequest("the Authorization header has to hold exactly one token")
        error.headers = {"WWW-Authenticate": 'Bearer realm="hostwright", error="invalid_request"'}
        raise error
    return token
