"""What a browser does: it signs in by a form, holds cookies, and sends the CSRF token with what it changes."""

from __future__ import annotations

import pytest
from werkzeug.test import Client, TestResponse

from plugins.investigations.tests.board import PASSWORD, Board, Person, Station


class Browser:
    """A browser with its cookie jar, on the site's own origin."""

    def __init__(self, station: Station) -> None:
        self.client = Client(station.door)

    def log_in(self, person: Person, password: str = PASSWORD) -> TestResponse:
        """Send the form."""
        form = {"username": person.user["username"], "password": password}
        return self.client.post("/auth/login/", data=form)

    @property
    def csrf(self) -> str:
        """What the page's script reads out of the cookie."""
        cookie = self.client.get_cookie("csrftoken")
        assert cookie is not None
        return cookie.value


@pytest.fixture
def browser(station: Station, shared: Board) -> Browser:
    """A browser in which the shared board's owner has signed in."""
    found = Browser(station)
    assert found.log_in(shared.owner).status_code == 303
    return found


def test_form_signs_in_and_goes_on(station: Station, shared: Board) -> None:
    browser = Browser(station)
    answer = browser.log_in(shared.owner)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard/")
    jar = answer.headers.getlist("Set-Cookie")
    assert any(cookie.startswith("csrftoken=") and "HttpOnly" not in cookie for cookie in jar)
    assert all("HttpOnly" in cookie for cookie in jar if "csrf" not in cookie.partition("=")[0])
    assert all("SameSite" in cookie for cookie in jar)


def test_wrong_password_sets_no_cookie(station: Station, shared: Board) -> None:
    browser = Browser(station)
    answer = browser.log_in(shared.owner, "wrong horse battery")
    assert (answer.status_code, answer.headers.getlist("Set-Cookie")) == (401, [])


def test_cookie_reads_both_surfaces(browser: Browser, shared: Board) -> None:
    for path in (f"{shared.page}/entities/", f"{shared.page}/presence/", f"{shared.path}/entities"):
        assert browser.client.get(path).status_code == 200, path


def test_change_wants_the_csrf_token(browser: Browser, shared: Board) -> None:
    body = {"type": "person", "title": "by a browser"}
    assert browser.client.post(f"{shared.page}/entities/", json=body).status_code == 403
    wrong = browser.client.post(f"{shared.page}/entities/", json=body, headers={"X-CSRFToken": "x" * 32})
    assert wrong.status_code == 403
    said = browser.client.post(f"{shared.page}/entities/", json=body, headers={"X-CSRFToken": browser.csrf})
    assert said.status_code == 200, said.text
    path = f"{shared.page}/entity/{said.json['id']}/"  # type: ignore[index]  # an object
    assert browser.client.delete(path, headers={"X-CSRFToken": browser.csrf}).status_code == 200


def test_heartbeat_and_join_work_by_cookie(browser: Browser, shared: Board) -> None:
    headers = {"X-CSRFToken": browser.csrf}
    assert browser.client.post(f"{shared.page}/presence/heartbeat/", headers=headers).status_code == 200


def test_browser_without_cookies_is_nobody(station: Station, shared: Board) -> None:
    assert Browser(station).client.get(f"{shared.page}/entities/").status_code == 401
