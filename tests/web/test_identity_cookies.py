"""Signing in by cookies: what is set, what may be asked for with it, and what a foreign page cannot do."""

from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from host.settings import IdentitySettings
from host.settings.protection import ProtectionSettings
from host.web.door import Door
from tests.web.identity import PASSWORD, IdentitySite, running

LOOPBACK = "http://127.0.0.1:8000"
PUBLIC = "https://example.org"
NAMES = {"hostwright_access", "hostwright_refresh", "hostwright_csrf"}
DECLARED = """
  memo:
    mixins: [owned]
    fields: {text: string}
    access: owner
    wire: {credential: {cookie: true, csrf_cookie: csrftoken, csrf_header: X-CSRFToken}}
"""


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[IdentitySite]:
    with running(tmp_path, database_url, more=DECLARED) as found:
        found.register(username="ann")
        yield found


class Browser:
    """Keeps cookies, and sends what pages of an address send."""

    def __init__(self, site: IdentitySite, base: str = LOOPBACK) -> None:
        self.client, self.base = Client(Door(site.app.pipeline(lambda request: None))), base

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {} if body is None else {"json": body}
        return self.client.open(path, method=method, base_url=self.base, headers=named, **given)

    def sign_in(self, **more: Any) -> TestResponse:
        body = {"username": "ann", "password": PASSWORD, "cookies": True, **more}
        return self.send("POST", "/api/auth/login", body)

    def csrf(self, name: str = "hostwright_csrf") -> str:
        domain = self.base.partition("://")[2].partition(":")[0]
        cookie = self.client.get_cookie(name, domain=domain)
        assert cookie is not None
        return cookie.value


@pytest.fixture
def browser(site: IdentitySite) -> Browser:
    found = Browser(site)
    assert found.sign_in().status_code == 200
    return found


def set_by(answer: TestResponse) -> dict[str, Any]:
    """The cookies that an answer sets, by name."""
    found: SimpleCookie = SimpleCookie()
    for header in answer.headers.getlist("Set-Cookie"):
        found.load(header)
    return dict(found)


def test_tokens_are_hidden_from_scripts(site: IdentitySite) -> None:
    answer = Browser(site).sign_in()
    cookies = set_by(answer)
    assert answer.status_code == 200
    assert cookies.keys() == {*NAMES, "csrftoken"}
    assert [bool(cookies[name]["httponly"]) for name in sorted(NAMES)] == [True, False, True]
    assert {cookies[name]["samesite"] for name in NAMES} == {"Lax", "Strict"}
    assert (answer.json["token"], answer.json["refresh_token"]) == (None, None)  # type: ignore[index]
    assert cookies["hostwright_access"].value not in answer.text


def test_cookies_of_a_public_address_are_secure(site: IdentitySite) -> None:
    cookies = set_by(Browser(site, PUBLIC).sign_in())
    assert cookies.keys() == {
        "__Host-hostwright_access",
        "__Host-hostwright_refresh",
        "hostwright_csrf",
        "csrftoken",
    }
    assert all(
        cookie["secure"] and cookie["path"] == "/" and not cookie["domain"] for cookie in cookies.values()
    )


def test_secure_cookies_are_secure_behind_a_proxy(site: IdentitySite) -> None:
    assert "__Host-hostwright_access" in set_by(Browser(site, "http://example.org").sign_in())


def test_access_cookie_counts_where_declared(browser: Browser) -> None:
    assert browser.send("GET", "/api/auth/me").json["username"] == "ann"  # type: ignore[index]
    assert browser.send("GET", "/api/memos").status_code == 200
    assert browser.send("GET", "/api/letters").status_code == 401  # not declared there


def test_access_cookie_does_not_count_elsewhere(browser: Browser) -> None:
    assert browser.send("POST", "/api/notes", {"text": "x"}, X_CSRF_Token=browser.csrf()).status_code == 401


def test_setting_lets_cookies_count_everywhere(tmp_path: Path) -> None:
    chosen = IdentitySettings(cookies=True)
    with running(tmp_path, f"sqlite:///{tmp_path / 'all.db'}", identity=chosen, more=DECLARED) as site:
        site.register(username="ann")
        browser = Browser(site)
        browser.sign_in()
        headers = {"X_CSRF_Token": browser.csrf()}
        assert browser.send("POST", "/api/notes", {"text": "x"}, **headers).status_code == 201
        assert browser.send("POST", "/api/notes", {"text": "x"}).json["code"] == "csrf"  # type: ignore[index]
        assert (
            browser.send("POST", "/api/memos", {"text": "x"}, **headers).status_code == 403
        )  # its own header


def test_change_wants_the_header(browser: Browser) -> None:
    path, body = "/api/memos", {"text": "x"}
    for headers in ({}, {"X_CSRFToken": "wrong"}, {"X_CSRFToken": "é"}, {"X_CSRF_Token": browser.csrf()}):
        answer = browser.send("POST", path, body, **headers)
        assert (answer.status_code, answer.json["code"]) == (403, "csrf")  # type: ignore[index]
    made = browser.send("POST", path, body, X_CSRFToken=browser.csrf("csrftoken"))
    assert made.status_code == 201
    for method in ("PATCH", "PUT", "DELETE"):
        assert browser.send(method, f"{path}/{made.json['id']}", {}).status_code == 403  # type: ignore[index]


def test_header_of_another_session_does_not_count(site: IdentitySite, browser: Browser) -> None:
    other = Browser(site)
    other.sign_in()
    answer = browser.send("POST", "/api/memos", {"text": "x"}, X_CSRFToken=other.csrf("csrftoken"))
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (LOOPBACK, 201),
        ("https://127.0.0.1:8000", 201),
        ("http://127.0.0.1:8001", 403),
        ("http://evil.example", 403),
        ("http://127.0.0.1:8000.evil.example", 403),
        ("null", 403),
        ("http://[", 403),
    ],
)
def test_page_of_another_origin_is_refused(browser: Browser, origin: str, status: int) -> None:
    headers = {"X_CSRFToken": browser.csrf("csrftoken"), "Origin": origin}
    assert browser.send("POST", "/api/memos", {"text": "x"}, **headers).status_code == status


def test_plain_page_does_not_count_on_https(site: IdentitySite) -> None:
    browser = Browser(site, PUBLIC)
    browser.sign_in()
    headers = {"X_CSRFToken": browser.csrf("csrftoken")}
    refused = browser.send("POST", "/api/memos", {"text": "x"}, Origin="http://example.org", **headers)
    assert refused.status_code == 403
    assert browser.send("POST", "/api/memos", {"text": "x"}, Origin=PUBLIC, **headers).status_code == 201


def test_trusted_origin_may_send_cookies(tmp_path: Path) -> None:
    chosen = ProtectionSettings(origins=("https://app.example.org",), credentials=True)
    with running(tmp_path, f"sqlite:///{tmp_path / 'cors.db'}", protection=chosen, more=DECLARED) as site:
        site.register(username="ann")
        browser = Browser(site)
        browser.sign_in()
        headers = {"X_CSRFToken": browser.csrf("csrftoken"), "Origin": "https://app.example.org"}
        assert browser.send("POST", "/api/memos", {"text": "x"}, **headers).status_code == 201


def test_foreign_page_cannot_sign_its_visitors_in(site: IdentitySite) -> None:
    body = {"username": "ann", "password": PASSWORD, "cookies": True}
    for headers in ({"Origin": "http://evil.example"}, {"Sec_Fetch_Site": "cross-site"}):
        answer = Browser(site).send("POST", "/api/auth/login", body, **headers)
        assert (answer.status_code, "Set-Cookie" in answer.headers) == (403, False)


def test_bearer_wins_over_a_cookie(site: IdentitySite, browser: Browser) -> None:
    bob = site.token(username="bob")
    answer = browser.send("GET", "/api/auth/me", Authorization=f"Bearer {bob}")
    assert answer.json["username"] == "bob"  # type: ignore[index]
    made = browser.send("POST", "/api/memos", {"text": "x"}, Authorization=f"Bearer {bob}")
    assert made.status_code == 201
    assert browser.send("GET", "/api/auth/me", Authorization="Bearer stale").status_code == 401


def test_wrong_cookie_is_never_anonymous(site: IdentitySite) -> None:
    browser = Browser(site)
    browser.client.set_cookie("hostwright_access", "nonsense", domain="127.0.0.1")
    answer = browser.send("GET", "/api/auth/me")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert browser.sign_in().status_code == 200


def test_refresh_cookie_is_no_access_cookie(site: IdentitySite, browser: Browser) -> None:
    token = browser.client.get_cookie("hostwright_refresh", domain="127.0.0.1")
    assert token is not None
    other = Browser(site)
    other.client.set_cookie("hostwright_access", token.value, domain="127.0.0.1")
    assert other.send("GET", "/api/auth/me").status_code == 401


def test_cookies_are_refreshed(browser: Browser) -> None:
    before = browser.client.get_cookie("hostwright_refresh", domain="127.0.0.1")
    assert browser.send("POST", "/api/auth/refresh").status_code == 403
    answer = browser.send("POST", "/api/auth/refresh", X_CSRF_Token=browser.csrf())
    after = browser.client.get_cookie("hostwright_refresh", domain="127.0.0.1")
    assert answer.status_code == 200, answer.text
    assert before is not None and after is not None and before.value != after.value
    assert answer.json["refresh_token"] is None  # type: ignore[index]
    assert browser.send("GET", "/api/auth/me").status_code == 200


def test_refreshing_without_anything_is_refused(site: IdentitySite) -> None:
    answer = Browser(site).send("POST", "/api/auth/refresh")
    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer.headers


def test_logout_clears_cookies_and_ends_the_session(browser: Browser) -> None:
    token = browser.client.get_cookie("hostwright_access", domain="127.0.0.1")
    assert token is not None
    assert browser.send("POST", "/api/auth/logout").status_code == 403
    answer = browser.send("POST", "/api/auth/logout", X_CSRF_Token=browser.csrf())
    assert answer.status_code == 200
    assert set_by(answer).keys() >= NAMES
    assert browser.client.get_cookie("hostwright_access", domain="127.0.0.1") is None
    browser.client.set_cookie("hostwright_access", token.value, domain="127.0.0.1")
    assert browser.send("GET", "/api/auth/me").status_code == 401


def test_logout_works_when_the_access_cookie_is_gone(browser: Browser) -> None:
    browser.client.delete_cookie("hostwright_access", domain="127.0.0.1")
    refresh = browser.client.get_cookie("hostwright_refresh", domain="127.0.0.1")
    csrf = browser.csrf()
    assert browser.send("POST", "/api/auth/logout", X_CSRF_Token=csrf).status_code == 200
    assert refresh is not None
    browser.client.set_cookie("hostwright_refresh", refresh.value, domain="127.0.0.1")
    assert browser.send("POST", "/api/auth/refresh", X_CSRF_Token=csrf).status_code == 401
