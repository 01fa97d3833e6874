"""Signing in with OpenID Connect at a real provider, on both databases; and everything that a provider may say wrongly."""

import base64
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPMessage
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from werkzeug.test import Client, TestResponse

from host.auth import oidc_provider
from host.settings import IdentitySettings, OidcProvider, OidcSettings
from tests.support.oidc import CLIENT_ID, CLIENT_SECRET, LocalProvider, local_provider
from tests.web.identity import IdentitySite, running

BASE = "http://localhost"
CALLBACK = f"{BASE}/api/auth/oidc/acme/callback"
FRONT = "https://front.example.org/signed-in"


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: Any, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Nowhere: the test looks at the address."""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[LocalProvider]:
    with pytest.MonkeyPatch.context() as patch, local_provider() as found:
        patch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # the provider speaks plain HTTP on this machine
        found.redirect = CALLBACK
        yield found


@pytest.fixture
def provider(elsewhere: LocalProvider) -> LocalProvider:
    """The provider as it is when nothing is wrong."""
    fresh = LocalProvider(key=elsewhere.key)
    for name in ("person", "published", "tamper", "metadata", "thin"):
        setattr(elsewhere, name, getattr(fresh, name))
    elsewhere.asked.clear()
    return elsewhere


def settings(provider: LocalProvider, **more: Any) -> dict[str, Any]:
    known = OidcProvider(
        name="acme", issuer=provider.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, label="Acme"
    )
    chosen = {"names": ("acme",), "providers": (known,), "private_addresses": True, "timeout": 5, **more}
    return {"oidc": OidcSettings(**chosen), "public_url": BASE}


@pytest.fixture
def site(tmp_path: Path, database_url: str, provider: LocalProvider) -> Iterator[IdentitySite]:
    with running(tmp_path, database_url, **settings(provider)) as found:
        yield found


@pytest.fixture
def local(tmp_path: Path, provider: LocalProvider) -> Iterator[IdentitySite]:
    """On SQLite alone, for what is decided before any database."""
    with running(tmp_path, f"sqlite:///{tmp_path / 'local.db'}", **settings(provider)) as found:
        yield found


def at_provider(url: str) -> str:
    """Sign in at the provider; where it sends the browser back to."""
    try:
        urllib.request.build_opener(_Stay).open(url, timeout=10)
    except urllib.error.HTTPError as error:
        with error:
            assert error.code == 302, error.read()
            return str(error.headers["Location"])
    raise AssertionError("the provider did not send the browser back")


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def begin(browser: Client) -> str:
    """Where the site sends the browser."""
    answer = browser.get("/api/auth/oidc/acme")
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def sign_in(site: IdentitySite, browser: Client | None = None) -> TestResponse:
    """The whole way there and back."""
    browser = browser or site.client()
    return browser.get(path_of(at_provider(begin(browser))))


def account(site: IdentitySite, name: str) -> dict[str, Any]:
    return site.app.authentication.accounts.named(name)


def confirm(site: IdentitySite, name: str) -> None:
    with site.app.runtime.database.writing() as connection:
        table = site.app.runtime.registry.models["host.account"].table
        connection.execute(table.update().where(table.c.username == name).values(email_verified=True))


def test_new_person_gets_an_account(site: IdentitySite) -> None:
    answer = sign_in(site)
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    profile = site.me(answer.json["token"]).json
    assert profile is not None
    assert (profile["email"], profile["email_verified"], profile["name"]) == (
        "ann@x.org",
        True,
        "Ann Elsewhere",
    )


def test_same_person_keeps_the_account(site: IdentitySite, provider: LocalProvider) -> None:
    first = sign_in(site).json
    provider.person.email = "ann@new.example"
    second = sign_in(site).json
    assert first is not None
    assert second is not None
    assert first["user_id"] == second["user_id"]
    assert account(site, first["user_id"])["email"] == "ann@x.org"


def test_request_carries_challenge_state_and_nonce(local: IdentitySite) -> None:
    answer = local.client().get("/api/auth/oidc/acme")
    asked = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert {"state", "nonce", "code_challenge"} <= asked.keys()
    assert (asked["redirect_uri"], asked["scope"]) == ([CALLBACK], ["openid email profile"])
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert asked["nonce"][0] not in cookie


def test_accounts_with_verified_addresses_are_linked(site: IdentitySite) -> None:
    site.register(username="ann", email="Ann@X.org")
    confirm(site, "ann")
    answer = sign_in(site).json
    assert answer is not None
    assert answer["user_id"] == account(site, "ann")["id"]


def test_squatter_is_not_linked(site: IdentitySite) -> None:
    site.register(username="squatter", email="ann@x.org")
    answer = sign_in(site)
    assert answer.status_code == 409
    assert "nobody has confirmed" in answer.json["detail"]  # type: ignore[index]
    table = site.app.runtime.registry.models["host.external_identity"].table
    with site.app.runtime.database.writing() as connection:
        assert connection.execute(table.select()).all() == []


@pytest.mark.parametrize("email", ["ann@x.org", None])
def test_unverified_address_signs_nobody_in(
    site: IdentitySite, provider: LocalProvider, email: str | None
) -> None:
    site.register(username="ann", email="ann@x.org")
    confirm(site, "ann")
    provider.person.email, provider.person.email_verified = email, False
    answer = sign_in(site)
    assert answer.status_code == 403
    assert "not verified your e-mail address" in answer.json["detail"]  # type: ignore[index]


def test_closed_sign_up_counts_here_too(tmp_path: Path, database_url: str, provider: LocalProvider) -> None:
    closed = {**settings(provider), "identity": IdentitySettings(sign_up=False)}
    with running(tmp_path, database_url, **closed) as site:
        assert sign_in(site).json["code"] == "sign_up_closed"  # type: ignore[index]
        site.app.authentication.accounts.sign_up(
            {"email": "ann@x.org", "password": "correct horse"}, is_verified=True
        )
        assert sign_in(site).status_code == 200


def test_inactive_account_stays_out(site: IdentitySite) -> None:
    first = sign_in(site).json
    assert first is not None
    accounts = site.app.authentication.accounts
    accounts.set_active(accounts.get(first["user_id"]), active=False)
    assert sign_in(site).status_code == 403


def test_two_at_once_are_one_account(site: IdentitySite) -> None:
    browsers = [site.client() for _ in range(4)]
    backs = [path_of(at_provider(begin(browser))) for browser in browsers]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda at: browsers[at].get(backs[at]), range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json["user_id"] for answer in answers}) == 1  # type: ignore[index]


# --- what comes back ----------------------------------------------------------------------------------------------------


def test_answer_counts_once(site: IdentitySite) -> None:
    browser = site.client()
    back = path_of(at_provider(begin(browser)))
    ticket = browser.get_cookie("hostwright_oidc", path="/api/auth/oidc")
    assert ticket is not None
    assert browser.get(back).status_code == 200
    browser.set_cookie("hostwright_oidc", ticket.value, path="/api/auth/oidc")
    again = browser.get(back)
    assert again.status_code == 400
    assert "finished already" in again.json["detail"]  # type: ignore[index]


def test_answer_that_comes_often_at_once_counts_once(site: IdentitySite) -> None:
    browser = site.client()
    back = path_of(at_provider(begin(browser)))
    ticket = browser.get_cookie("hostwright_oidc", path="/api/auth/oidc")
    assert ticket is not None

    def come_back(_: int) -> int:
        other = site.client()
        other.set_cookie("hostwright_oidc", ticket.value, path="/api/auth/oidc")
        return other.get(back).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(come_back, range(4)))
    assert sorted(statuses) == [200, 400, 400, 400]


def test_answer_counts_in_its_browser_only(local: IdentitySite) -> None:
    back = path_of(at_provider(begin(local.client())))
    assert local.client().get(back).status_code == 400  # no ticket
    other = local.client()
    begin(other)
    assert other.get(back).status_code == 400  # another's ticket


@pytest.mark.parametrize("ticket", ["", "nonsense", "a.b.c.d.e", "acme.x.99999999999..0000"])
def test_made_up_ticket_is_refused(local: IdentitySite, ticket: str) -> None:
    browser = local.client()
    browser.set_cookie("hostwright_oidc", ticket, path="/api/auth/oidc")
    assert browser.get("/api/auth/oidc/acme/callback?state=x&code=y").status_code == 400


def test_provider_that_refuses_is_said(local: IdentitySite) -> None:
    browser = local.client()
    state = parse_qs(urlsplit(begin(browser)).query)["state"][0]
    answer = browser.get(f"/api/auth/oidc/acme/callback?error=access_denied&state={state}")
    assert answer.status_code == 401
    assert answer.json["detail"] == "the provider refused: access_denied"  # type: ignore[index]
    browser = local.client()
    state = parse_qs(urlsplit(begin(browser)).query)["state"][0]
    answer = browser.get(f"/api/auth/oidc/acme/callback?error=%3Cscript%3E&state={state}")
    assert answer.json["detail"] == "the provider refused: no reason"  # type: ignore[index]


def test_answer_of_another_issuer_is_refused(local: IdentitySite) -> None:
    browser = local.client()
    back = path_of(at_provider(begin(browser)))
    assert browser.get(f"{back}&iss=https://evil.example").status_code == 400


# --- id tokens ------------------------------------------------------------------------------------------------------------


def claim(**changed: Any) -> Any:
    """A provider that says something else in its id tokens."""

    def tamper(provider: LocalProvider, header: dict[str, Any], claims: dict[str, Any]) -> None:
        for name, value in changed.items():
            claims.pop(name, None)
            if value is not None:
                claims[name] = value

    return tamper


def foreign_key(provider: LocalProvider, header: dict[str, Any], claims: dict[str, Any]) -> str:
    return jwt.encode(header, claims, RSAKey.generate_key(2048, {"kid": header["kid"]}))


def unsigned(provider: LocalProvider, header: dict[str, Any], claims: dict[str, Any]) -> str:
    signed = jwt.encode(header, claims, provider.key)
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    return f"{head}.{signed.split('.')[1]}."


def public_key_as_password(provider: LocalProvider, header: dict[str, Any], claims: dict[str, Any]) -> str:
    secret = OctKey.import_key(provider.key.as_pem(private=False))
    return jwt.encode({"alg": "HS256", "kid": header["kid"]}, claims, secret, ["HS256"])


def client_secret_as_key(provider: LocalProvider, header: dict[str, Any], claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(CLIENT_SECRET.encode() * 3), ["HS256"])


def changed_after_signing(provider: LocalProvider, header: dict[str, Any], claims: dict[str, Any]) -> str:
    real = jwt.encode(header, claims, provider.key).split(".")
    other = jwt.encode(header, {**claims, "sub": "admin"}, provider.key).split(".")
    return f"{real[0]}.{other[1]}.{real[2]}"


def key_in_the_header(provider: LocalProvider, header: dict[str, Any], claims: dict[str, Any]) -> str:
    key = RSAKey.generate_key(2048, {"kid": "mine"})
    return jwt.encode({"alg": "RS256", "kid": "mine", "jwk": key.as_dict(private=False)}, claims, key)


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize(
    "tamper",
    [
        foreign_key,
        unsigned,
        public_key_as_password,
        client_secret_as_key,
        changed_after_signing,
        key_in_the_header,
        lambda provider, header, claims: "nonsense",
        claim(nonce="another"),
        claim(nonce=None),
        claim(iss="https://evil.example"),
        claim(aud=["somebody-else"]),
        claim(aud=[CLIENT_ID, "somebody-else"], azp="somebody-else"),
        claim(exp=1_000_000_000),
        claim(exp=None),
        claim(iat=4_000_000_000),
        claim(sub=None),
        claim(sub=5),
        claim(at_hash="another-token"),
    ],
)
def test_tampered_id_token_is_refused(local: IdentitySite, provider: LocalProvider, tamper: Any) -> None:
    provider.tamper = tamper
    answer = sign_in(local)
    assert (answer.status_code, answer.json["code"]) == (502, "upstream")  # type: ignore[index]
    assert answer.json["detail"] == "Acme could not sign you in; try again"  # type: ignore[index]
    assert local.app.authentication.accounts.listed() == []


def test_new_keys_are_fetched(local: IdentitySite, provider: LocalProvider) -> None:
    assert sign_in(local).status_code == 200
    provider.rotate()
    assert (
        sign_in(local).status_code == 502
    )  # just looked: whoever makes up keys does not make us ask each time
    assert provider.asked.count("/jwks") == 1
    later(local, oidc_provider.UNKNOWN_KEY_SECONDS + 1)
    assert sign_in(local).status_code == 200
    assert provider.asked.count("/jwks") == 2


def later(site: IdentitySite, seconds: float) -> None:
    """As if so much time had passed."""
    found = next(item for item in site.app.operations if item.path == "/api/auth/oidc/acme")
    known = found.handler.func.__self__.oidc.providers["acme"]  # type: ignore[attr-defined]
    object.__setattr__(known, "clock", lambda: time.monotonic() + seconds)


def test_address_may_come_from_userinfo(site: IdentitySite, provider: LocalProvider) -> None:
    provider.thin = True
    answer = sign_in(site).json
    assert answer is not None
    assert account(site, answer["user_id"])["email"] == "ann@x.org"


# --- the provider itself --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "https://evil.example"},
        {"jwks_uri": None},
        {"token_endpoint": 5},
        {"authorization_endpoint": None},
    ],
)
def test_wrong_description_is_refused(
    local: IdentitySite, provider: LocalProvider, wrong: dict[str, Any]
) -> None:
    provider.metadata = wrong
    for _ in range(2):
        assert local.client().get("/api/auth/oidc/acme").status_code == 502
    assert provider.asked == ["/.well-known/openid-configuration"]  # and is then left alone for a moment


@pytest.mark.parametrize(
    "keys", [[], [{"kty": "oct", "k": "AAAA", "kid": "one"}], [{"kty": "RSA"}], ["nonsense"]]
)
def test_useless_keys_are_refused(local: IdentitySite, provider: LocalProvider, keys: list[Any]) -> None:
    provider.published = keys
    assert sign_in(local).status_code == 502


def test_provider_on_this_machine_wants_a_setting(tmp_path: Path, provider: LocalProvider) -> None:
    shut = settings(provider, private_addresses=False)
    with running(tmp_path, f"sqlite:///{tmp_path / 'local.db'}", **shut) as site:
        assert site.client().get("/api/auth/oidc/acme").status_code == 502
    assert provider.asked == []


def test_secret_is_sent_to_nobody_else(local: IdentitySite, provider: LocalProvider) -> None:
    url = begin(local.client())
    assert CLIENT_SECRET not in url
    assert CLIENT_SECRET not in repr(local.app.settings)


# --- front ends, linking --------------------------------------------------------------------------------------------------


@pytest.fixture
def fronted(tmp_path: Path, database_url: str, provider: LocalProvider) -> Iterator[IdentitySite]:
    with running(tmp_path, database_url, **settings(provider, return_url=FRONT)) as found:
        yield found


def test_front_end_gets_a_code(fronted: IdentitySite) -> None:
    answer = sign_in(fronted)
    assert answer.status_code == 303
    location = answer.headers["Location"]
    assert location.startswith(f"{FRONT}?code=")
    code = parse_qs(urlsplit(location).query)["code"][0]
    signed_in = fronted.send("POST", "/api/auth/oidc/token", {"code": code})
    assert signed_in.status_code == 200
    assert fronted.me(signed_in.json["token"]).status_code == 200  # type: ignore[index]
    assert fronted.send("POST", "/api/auth/oidc/token", {"code": code}).status_code == 422


def test_front_end_may_want_cookies(fronted: IdentitySite) -> None:
    code = parse_qs(urlsplit(sign_in(fronted).headers["Location"]).query)["code"][0]
    browser = fronted.client()
    body = {"code": code, "cookies": True}
    signed_in = browser.post("/api/auth/oidc/token", json=body, headers={"Origin": BASE})
    assert signed_in.status_code == 200, signed_in.text
    assert signed_in.json["token"] is None  # type: ignore[index]
    assert browser.get("/api/auth/me").status_code == 200


def test_front_end_is_told_what_went_wrong(fronted: IdentitySite, provider: LocalProvider) -> None:
    provider.person.email_verified = False
    told = parse_qs(urlsplit(sign_in(fronted).headers["Location"]).query)
    assert told["error"] == ["sign_in_refused"]


def test_account_is_linked_by_its_owner(site: IdentitySite) -> None:
    token = site.token(username="bob", email="bob@other.org")
    bearer = {"Authorization": f"Bearer {token}"}
    browser = site.client()
    begun = browser.post("/api/auth/oidc/acme/link", headers=bearer)
    assert begun.status_code == 200, begun.text
    assert browser.get(path_of(at_provider(begun.json["url"]))).status_code == 200  # type: ignore[index]
    listed = browser.get("/api/auth/identities", headers=bearer).json
    assert listed is not None
    (identity,) = listed["items"]
    assert (identity["provider"], identity["email"]) == ("acme", "ann@x.org")
    again = sign_in(site).json
    assert again is not None
    assert again["user_id"] == account(site, "bob")["id"]
    stranger = site.token(username="eve")
    path = f"/api/auth/identities/{identity['id']}"
    assert site.send("DELETE", path, Authorization=f"Bearer {stranger}").status_code == 404
    assert site.send("DELETE", path, Authorization=f"Bearer {token}").status_code == 204
    assert browser.get("/api/auth/identities", headers=bearer).json == {"items": []}


def test_identity_of_another_is_not_linked(site: IdentitySite) -> None:
    sign_in(site)
    token = site.token(username="bob")
    browser = site.client()
    begun = browser.post("/api/auth/oidc/acme/link", headers={"Authorization": f"Bearer {token}"})
    assert browser.get(path_of(at_provider(begun.json["url"]))).status_code == 409  # type: ignore[index]
    assert browser.post("/api/auth/oidc/acme/link").status_code == 401


def test_providers_are_listed(local: IdentitySite) -> None:
    listed = local.send("GET", "/api/auth/oidc").json
    assert listed == {"items": [{"name": "acme", "label": "Acme", "url": "/api/auth/oidc/acme"}]}


def test_without_providers_nothing_is_served(tmp_path: Path) -> None:
    with running(tmp_path, f"sqlite:///{tmp_path / 'local.db'}") as site:
        assert site.send("GET", "/api/auth/oidc").status_code == 404
