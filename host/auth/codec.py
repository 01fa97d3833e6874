"""Tokens as texts: flask-jwt-extended signs and reads them. The one module of `auth` that knows Flask.

The library reads its configuration from a Flask app; a bare one is held here, so that commands, sockets and jobs
verify tokens without a web server.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from host.errors import Unauthenticated

if TYPE_CHECKING:
    from flask import Flask

Kind = Literal["access", "refresh"]
ALGORITHM = "HS256"
SKEW = (
    30  # seconds that the clock of another server of the same app may be ahead; never added to a token's life
)


class TokenCodec:
    """Signs and reads the tokens of one app."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def encode(
        self, subject: str, claims: Mapping[str, Any], issued: int, expires: int, kind: Kind = "access"
    ) -> str:  # fmt: skip
        """A signed token; times in seconds since 1970."""
        from flask_jwt_extended import create_access_token, create_refresh_token

        create = create_access_token if kind == "access" else create_refresh_token
        times = {"iat": issued, "exp": expires}
        with self._app.app_context():
            token: str = create(subject, additional_claims={**claims, **times}, expires_delta=False)
        return token

    def decode(self, token: str, now: float, kind: Kind = "access") -> Mapping[str, Any]:
        """The claims of a token of this kind that this app signed and that has not expired. Raises Unauthenticated."""
        from flask_jwt_extended import decode_token
        from flask_jwt_extended.exceptions import JWTExtendedException
        from jwt.exceptions import PyJWTError

        try:
            with self._app.app_context():
                claims: dict[str, Any] = decode_token(token)
        except (PyJWTError, JWTExtendedException, ValueError, RecursionError):
            raise refused() from None
        expires = claims.get("exp")
        if claims["type"] != kind or not isinstance(expires, int) or expires <= now:
            raise refused()
        return claims

    @cached_property
    def _app(self) -> Flask:
        from flask import Flask  # costs start-up time that commands do not have
        from flask_jwt_extended import JWTManager

        app = Flask("host.auth", static_folder=None, template_folder=None)
        app.config.update(
            JWT_SECRET_KEY=self._secret,
            JWT_ALGORITHM=ALGORITHM,
            JWT_DECODE_ALGORITHMS=[ALGORITHM],
            JWT_TOKEN_LOCATION=["headers"],
            JWT_ENCODE_NBF=False,
            JWT_COOKIE_CSRF_PROTECT=False,  # else every token carries a claim for cookies
            JWT_DECODE_LEEWAY=timedelta(seconds=SKEW),
        )
        JWTManager(app)
        return app


def refused() -> Unauthenticated:
    """What is said of any token that does not count; why stays inside."""
    return Unauthenticated("the token is not valid or has expired; sign in again", invalid_token=True)
