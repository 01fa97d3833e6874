"""One provider of OpenID Connect: where it is, which keys it signs with, and what its answers say once they are checked.

Authlib makes the requests and validates metadata and claims, joserfc (its companion) the signatures; `outbound` fetches.
Signatures are asymmetric ones of a list of our own: neither `none` nor one made with a public key as a password counts.
"""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import orjson

from host.errors import UpstreamError
from host.outbound import Outbound
from host.settings import OidcProvider

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
KEY_TYPES: Final = frozenset({"RSA", "EC", "OKP"})
FRESH_SECONDS = 3600.0
UNKNOWN_KEY_SECONDS = 30.0  # between two looks for a key that is not known: tokens could ask for any
RESTING_SECONDS = 5.0  # after the provider could not be asked
SKEW = 60
log = logging.getLogger("hostwright.oidc")


@dataclass(frozen=True, slots=True)
class External:
    """Who somebody is at a provider; `email` only where the provider says that it is verified."""

    issuer: str
    subject: str
    email: str | None
    name: str | None
    username: str | None


@dataclass(frozen=True, slots=True)
class Proof:
    """What an authorization is tied to: the state that comes back, and secrets that never leave the host and the provider."""

    state: str
    nonce: str
    verifier: str
    redirect: str


@dataclass
class _Seen:
    metadata: Mapping[str, Any] | None = None
    keys: KeySet | None = None
    read_at: float = 0.0
    keys_at: float = 0.0
    failed_at: float | None = None
    lock: Lock = field(default_factory=Lock)


@dataclass(frozen=True, eq=False)
class Provider:
    """One provider as the settings name it; asks nothing before it is used."""

    settings: OidcProvider
    outbound: Outbound
    clock: Callable[[], float] = time.monotonic
    _seen: _Seen = field(default_factory=_Seen)

    def authorization_url(self, proof: Proof) -> str:
        """Where to send the browser."""
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        url: str = prepare_grant_uri(
            self._metadata()["authorization_endpoint"], self.settings.client_id, "code", proof.redirect,
            " ".join(self.settings.scopes), proof.state, nonce=proof.nonce,
            code_challenge=create_s256_code_challenge(proof.verifier), code_challenge_method="S256",
        )  # fmt: skip
        return url

    def identify(self, code: str, proof: Proof) -> External:
        """Exchange a code and say whose it is. Raises UpstreamError for whatever is not as it should be."""
        tokens = self._exchange(code, proof)
        claims = self._claims(tokens, proof.nonce)
        if "email" not in claims:
            claims = {**claims, **self._userinfo(tokens, claims["sub"])}
        is_verified = claims.get("email_verified") in (True, "true")
        email = claims.get("email")
        return External(
            issuer=self.settings.issuer, subject=str(claims["sub"])[:255],
            email=email if is_verified and isinstance(email, str) else None,
            name=_text(claims.get("name"), 200), username=_text(claims.get("preferred_username"), 150),
        )  # fmt: skip

    # -- tokens --

    def _exchange(self, code: str, proof: Proof) -> Mapping[str, Any]:
        from authlib.oauth2.auth import ClientAuth

        metadata = self._metadata()
        methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        method = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        form = urlencode({
            "grant_type": "authorization_code", "code": code, "redirect_uri": proof.redirect, "code_verifier": proof.verifier,
        })  # fmt: skip
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        client = ClientAuth(self.settings.client_id, self.settings.client_secret, method)
        url, headers, body = client.prepare("POST", metadata["token_endpoint"], headers, form)
        headers.pop("Content-Length", None)
        return self._json("POST", url, headers, body.encode())

    def _claims(self, tokens: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        """The claims of the id token: signature first, then issuer, audience, times and the nonce."""
        from authlib.oidc.core import CodeIDToken
        from joserfc.errors import JoseError

        text = tokens.get("id_token")
        if not isinstance(text, str):
            raise self._failed("its answer holds no id token")
        try:
            token = self._decoded(text)
            options = {"iss": {"essential": True, "value": self.settings.issuer}, "sub": {"essential": True}}
            options["aud"] = {"essential": True, "value": self.settings.client_id}
            told = {"nonce": nonce, "client_id": self.settings.client_id}
            if isinstance(tokens.get("access_token"), str):
                told["access_token"] = tokens["access_token"]
            claims = CodeIDToken(token.claims, token.header, options, told)
            claims.validate(leeway=SKEW)
        except (JoseError, ValueError, TypeError) as error:
            raise self._failed(f"its id token does not count ({type(error).__name__}: {error})") from error
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise self._failed("its id token belongs to another sign-in")
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise self._failed("its id token names nobody")
        return dict(claims)

    def _decoded(self, text: str) -> Any:
        from joserfc import jwt
        from joserfc.errors import BadSignatureError, InvalidKeyIdError

        said = self._metadata().get("id_token_signing_alg_values_supported") or ["RS256"]
        allowed = sorted(ALGORITHMS.intersection(said))
        try:
            return jwt.decode(text, self._keys(), algorithms=allowed)
        except (InvalidKeyIdError, BadSignatureError):  # the provider may sign with a new key by now
            if not self._may_look_again():
                raise
            return jwt.decode(text, self._keys(), algorithms=allowed)

    def _userinfo(self, tokens: Mapping[str, Any], subject: str) -> Mapping[str, Any]:
        url, token = self._metadata().get("userinfo_endpoint"), tokens.get("access_token")
        if not url or not isinstance(token, str):
            return {}
        found = self._json("GET", url, {"Authorization": f"Bearer {token}", "Accept": "application/json"})
        if found.get("sub") != subject:
            raise self._failed("it tells of somebody else")
        return {
            name: found[name]
            for name in ("email", "email_verified", "name", "preferred_username")
            if name in found
        }

    # -- what the provider says of itself --

    def _metadata(self) -> Mapping[str, Any]:
        seen = self._seen
        with seen.lock:
            if seen.metadata is None or seen.read_at + FRESH_SECONDS <= self.clock():
                if seen.failed_at is not None and seen.failed_at + RESTING_SECONDS > self.clock():
                    raise self._failed("it was away a moment ago")  # else everybody would wait for it in turn
                seen.failed_at = self.clock()
                seen.metadata, seen.read_at = self._discovered(), self.clock()
                seen.failed_at = None
            return seen.metadata

    def _discovered(self) -> Mapping[str, Any]:
        from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url

        found = self._json("GET", get_well_known_url(self.settings.issuer, external=True), {})
        if found.get("issuer") != self.settings.issuer:
            raise self._failed(f"it calls itself {str(found.get('issuer'))[:100]!r}")
        try:
            metadata = OpenIDProviderMetadata(found)
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if not isinstance(found.get(name), str):
                    raise ValueError(f"{name} is missing")
                if (
                    not self.outbound.allows_private
                ):  # it wants https, which a provider on this machine has not
                    getattr(metadata, f"validate_{name}")()
        except ValueError as error:
            raise self._failed(f"its description is wrong: {error}") from error
        return found

    def _keys(self) -> KeySet:
        url = self._metadata()["jwks_uri"]
        seen = self._seen
        with seen.lock:
            if seen.keys is None or seen.keys_at + FRESH_SECONDS <= self.clock():
                seen.keys, seen.keys_at = self._imported(self._json("GET", url, {})), self.clock()
            return seen.keys

    def _imported(self, found: Mapping[str, Any]) -> KeySet:
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        listed = found.get("keys")
        usable = [
            key for key in (listed if isinstance(listed, list) else ())
            if isinstance(key, dict) and key.get("kty") in KEY_TYPES and key.get("use", "sig") == "sig"
        ]  # fmt: skip
        try:
            if not usable:
                raise ValueError("none of them signs")
            return KeySet.import_key_set({"keys": usable})
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise self._failed(f"its keys cannot be read: {error}") from error

    def _may_look_again(self) -> bool:
        seen = self._seen
        with seen.lock:
            if seen.keys_at + UNKNOWN_KEY_SECONDS > self.clock():
                return False
            seen.keys = None
            return True

    def _json(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Mapping[str, Any]:
        try:
            found = self.outbound.fetch(method, url, headers=headers, body=body)
        except UpstreamError as error:
            raise self._failed(error.detail) from error
        try:
            document = orjson.loads(found.body)
        except ValueError:
            document = None
        if found.status != 200 or not isinstance(document, dict):
            said = document.get("error") if isinstance(document, dict) else None
            raise self._failed(f"it answered {found.status}{f' ({str(said)[:60]})' if said else ''}")
        return document

    def _failed(self, why: str) -> UpstreamError:
        """What the log says, and what the caller is told: no more than that it went wrong there."""
        log.warning("signing in with %s failed: %s", self.settings.name, why)
        return UpstreamError(f"{self.settings.label} could not sign you in; try again")


def _text(value: Any, longest: int) -> str | None:
    if not isinstance(value, str):
        return None
    return "".join(letter for letter in value if letter.isprintable())[:longest].strip() or None
