"""A real provider of OpenID Connect for tests: Authlib's authorization server in Flask, served on a free port.

What a test wants to be wrong with it is changed on the running record: claims, keys, the person who signs in there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, Response, jsonify, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

CLIENT_ID, CLIENT_SECRET = "the-site", "secret of the site"
Tamper = Callable[["LocalProvider", dict[str, Any], dict[str, Any]], str | None]


@dataclass
class Person:
    """Whoever is signed in at the provider."""

    sub: str = "person-1"
    email: str | None = "ann@x.org"
    email_verified: bool = True
    name: str = "Ann Elsewhere"


class Client(ClientMixin):
    """The site, as registered at the provider."""

    def __init__(self, redirect: str) -> None:
        self.redirect = redirect

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> str:
        return self.redirect

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class Code(AuthorizationCodeMixin):
    """An authorization code and what it was given out for."""

    code: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str | None
    code_challenge_method: str | None
    user: Person

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


@dataclass
class LocalProvider:
    """The running provider. `tamper` may change header and claims of an id token, or make another text of them."""

    issuer: str = ""
    redirect: str = ""
    person: Person = field(default_factory=Person)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    published: list[dict[str, Any]] | None = None
    tamper: Tamper | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    tokens: dict[str, Person] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    thin: bool = False  # the id token holds no address; it has to be asked for

    def rotate(self) -> None:
        """Sign with another key from now on."""
        self.key = RSAKey.generate_key(2048, {"kid": f"key-{time.monotonic_ns()}"})

    def keys(self) -> list[dict[str, Any]]:
        """What it publishes."""
        return (
            self.published
            if self.published is not None
            else [{**self.key.as_dict(private=False), "use": "sig"}]
        )

    def described(self) -> dict[str, Any]:
        """What it says of itself."""
        return {
            "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo", "response_types_supported": ["code"],
            "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            **self.metadata,
        }  # fmt: skip


def grant_of(provider: LocalProvider) -> type[AuthorizationCodeGrant]:
    """The code flow over the provider's codes."""

    class Grant(AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

        def save_authorization_code(self, code: str, request: Any) -> None:
            data = request.payload.data
            provider.codes[code] = Code(
                code, request.payload.redirect_uri, request.payload.scope, data.get("nonce"),
                data.get("code_challenge"), data.get("code_challenge_method"), request.user,
            )  # fmt: skip

        def query_authorization_code(self, code: str, client: Client) -> Code | None:
            return provider.codes.get(code)

        def delete_authorization_code(self, authorization_code: Code) -> None:
            del provider.codes[authorization_code.code]

        def authenticate_user(self, authorization_code: Code) -> Person:
            return authorization_code.user

    return Grant


def connect_of(provider: LocalProvider) -> OpenIDCode:
    """Id tokens of the provider's person, signed with its key."""

    class Connect(OpenIDCode):
        def exists_nonce(self, nonce: str, request: Any) -> bool:
            return False

        def get_client_claims(self, client: Client) -> dict[str, Any]:
            return {"iss": provider.issuer, "aud": [CLIENT_ID]}

        def generate_user_info(self, user: Person, scope: str) -> UserInfo:
            return UserInfo(sub=user.sub) if provider.thin else UserInfo(_told(user))

        def encode_id_token(self, token: dict[str, Any], request: Any) -> str:
            claims = self.get_compatible_claims(request)
            claims |= self.get_authorization_code_claims(request.authorization_code)
            claims |= self.generate_user_info(request.user, token["scope"])
            header: dict[str, Any] = {"alg": "RS256", "kid": provider.key.kid}
            made = provider.tamper(provider, header, claims) if provider.tamper else None
            return made if made is not None else jwt.encode(header, claims, provider.key)

    return Connect(require_nonce=True)


def make_app(provider: LocalProvider) -> Flask:
    """The provider's endpoints."""
    app = Flask("provider")
    server = AuthorizationServer(
        app, lambda name: Client(provider.redirect) if name == CLIENT_ID else None,
        lambda token, asked: provider.tokens.update({token["access_token"]: asked.user}),
    )  # fmt: skip
    server.register_grant(grant_of(provider), [connect_of(provider), CodeChallenge(required=True)])

    @app.before_request
    def note() -> None:
        provider.asked.append(request.path)

    @app.get("/.well-known/openid-configuration")
    def description() -> Response:
        return jsonify(provider.described())

    @app.get("/jwks")
    def jwks() -> Response:
        return jsonify({"keys": provider.keys()})

    @app.get("/authorize")
    def authorize() -> Any:
        grant = server.get_consent_grant(end_user=provider.person)
        return server.create_authorization_response(grant=grant, grant_user=provider.person)

    @app.post("/token")
    def token() -> Any:
        return server.create_token_response()

    @app.get("/userinfo")
    def userinfo() -> Any:
        person = provider.tokens.get(request.headers["Authorization"].removeprefix("Bearer "))
        return jsonify(_told(person)) if person else Response(status=401)

    return app


def _told(person: Person) -> dict[str, Any]:
    told: dict[str, Any] = {"sub": person.sub, "name": person.name}
    return (
        told
        if person.email is None
        else {**told, "email": person.email, "email_verified": person.email_verified}
    )


@contextmanager
def local_provider() -> Iterator[LocalProvider]:
    """A provider on a port of its own, until the block ends."""
    provider = LocalProvider()
    server = make_server("127.0.0.1", 0, make_app(provider), threaded=True)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
