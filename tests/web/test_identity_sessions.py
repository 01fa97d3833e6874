"""Sessions over HTTP: refreshing, signing out, listing and ending; how soon another process knows."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from werkzeug.test import TestResponse

from host.settings import IdentitySettings
from tests.web.identity import PASSWORD, IdentitySite, running

AT_ONCE = 8
OTHER = "another horse battery"


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[IdentitySite]:
    with running(tmp_path, database_url) as found:
        yield found


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def refreshing(site: IdentitySite, name: str = "ann") -> dict[str, Any]:
    """A sign-up that refreshes."""
    body: dict[str, Any] = site.register(username=name, refresh=True).json  # type: ignore[assignment]
    return body


def refresh(site: IdentitySite, token: str) -> TestResponse:
    return site.send("POST", "/api/auth/refresh", {"refresh_token": token})


def sessions(site: IdentitySite, token: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = site.send("GET", "/api/auth/sessions", **bearer(token)).json["items"]  # type: ignore[index]
    return rows


def test_client_that_refreshes_gets_a_short_token(site: IdentitySite) -> None:
    body = refreshing(site)
    left = datetime.fromisoformat(body["expires_at"]).timestamp() - time.time()
    assert left == pytest.approx(900, abs=10)
    assert body["expires_in"] == pytest.approx(900, abs=10)
    assert body["refresh_token"]


def test_client_that_does_not_keeps_its_week(site: IdentitySite) -> None:
    body = site.register(username="ann", refresh=False).json
    assert body is not None
    left = datetime.fromisoformat(body["expires_at"]).timestamp() - time.time()
    assert (left, body["refresh_token"]) == (pytest.approx(7 * 86400, abs=10), None)


def test_refresh_answers_the_next_pair(site: IdentitySite) -> None:
    first = refreshing(site)
    answer = refresh(site, first["refresh_token"])
    assert answer.status_code == 200
    second = answer.json
    assert second is not None
    assert second.keys() == first.keys()
    assert second["user"] == first["user"]
    assert site.me(second["token"]).status_code == 200
    assert site.me(first["token"]).status_code == 200  # until it expires by itself


def test_stale_token_in_the_header_does_not_matter(site: IdentitySite) -> None:
    body = {"refresh_token": refreshing(site)["refresh_token"]}
    assert site.send("POST", "/api/auth/refresh", body, **bearer("stale")).status_code == 200


def test_repeat_is_told_to_retry(site: IdentitySite) -> None:
    first = refreshing(site)["refresh_token"]
    second = refresh(site, first).json["refresh_token"]  # type: ignore[index]
    answer = refresh(site, first)
    assert (answer.status_code, answer.json["code"]) == (409, "already_refreshed")  # type: ignore[index]
    assert refresh(site, second).status_code == 200


@pytest.mark.parametrize("token", [None, "", "nonsense", "x" * 9000])
def test_wrong_refresh_token_is_refused(site: IdentitySite, token: str | None) -> None:
    answer = site.send("POST", "/api/auth/refresh", {"refresh_token": token})
    assert answer.status_code in (401, 422)
    if answer.status_code == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_refresh_token_is_no_access_token(site: IdentitySite) -> None:
    body = refreshing(site)
    assert site.me(body["refresh_token"]).status_code == 401
    assert refresh(site, body["token"]).status_code == 401


def test_racing_tabs_have_one_winner(site: IdentitySite) -> None:
    token = refreshing(site)["refresh_token"]
    barrier = Barrier(AT_ONCE)

    def race(_: int) -> TestResponse:
        barrier.wait()
        return refresh(site, token)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(race, range(AT_ONCE)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: AT_ONCE - 1}
    winner = next(answer for answer in answers if answer.status_code == 200)
    assert refresh(site, winner.json["refresh_token"]).status_code == 200  # type: ignore[index]


def test_logout_ends_this_session_alone(site: IdentitySite) -> None:
    here = site.token(username="ann")
    there = site.login(username="ann").json["token"]  # type: ignore[index]
    assert site.send("POST", "/api/auth/logout", **bearer(here)).json["message"]  # type: ignore[index]
    assert site.me(here).status_code == 401
    assert site.me(there).status_code == 200


def test_logout_takes_a_refresh_token(site: IdentitySite) -> None:
    body = refreshing(site)
    assert site.send("POST", "/api/auth/logout", {"refresh_token": body["refresh_token"]}).status_code == 200
    assert site.me(body["token"]).status_code == 401
    assert refresh(site, body["refresh_token"]).status_code == 401


def test_logout_of_nobody_is_no_error(site: IdentitySite) -> None:
    assert site.send("POST", "/api/auth/signout").status_code == 200
    assert site.send("POST", "/api/auth/logout", **bearer("stale")).status_code == 401


def test_logout_all_ends_every_session(site: IdentitySite) -> None:
    tokens = [site.token(username="ann"), *(site.login(username="ann").json["token"] for _ in range(2))]  # type: ignore[index]
    bob = site.token(username="bob")
    assert site.send("POST", "/api/auth/logout-all", **bearer(tokens[0])).status_code == 200
    assert {site.me(token).status_code for token in tokens} == {401}
    assert site.me(bob).status_code == 200


def test_sessions_are_listed_with_where_they_come_from(site: IdentitySite) -> None:
    site.send(
        "POST", "/api/auth/register", {"username": "ann", "password": PASSWORD}, User_Agent="A phone\x7f"
    )
    token = site.login(username="ann").json["token"]  # type: ignore[index]
    site.token(username="bob")
    listed = sessions(site, token)
    assert [row["current"] for row in listed] == [True, False]
    assert (listed[1]["user_agent"], listed[1]["kind"]) == ("A phone", "token")
    assert listed[0].keys() == {
        "id", "current", "kind", "user_agent", "address", "created_at", "used_at", "expires_at",
    }  # fmt: skip


def test_own_session_is_ended_by_id(site: IdentitySite) -> None:
    here = site.token(username="ann")
    there = site.login(username="ann").json["token"]  # type: ignore[index]
    other = next(row["id"] for row in sessions(site, here) if not row["current"])
    path = f"/api/auth/sessions/{other}"
    assert site.send("DELETE", path, **bearer(site.token(username="bob"))).status_code == 404
    assert site.me(there).status_code == 200
    assert site.send("DELETE", path, **bearer(here)).status_code == 200
    assert site.me(there).status_code == 401
    assert site.send("DELETE", path, **bearer(here)).status_code == 404
    assert site.send("DELETE", "/api/auth/sessions/nonsense", **bearer(here)).status_code == 404


def test_another_process_knows_within_five_seconds(site: IdentitySite) -> None:
    token = site.token(username="ann")
    other_token = site.login(username="ann").json["token"]  # type: ignore[index]
    with running(site.app.settings.root, site.app.settings.database_url) as other:
        assert other.me(token).status_code == 200
        site.send("POST", "/api/auth/logout", **bearer(token))
        ended = time.monotonic()
        while other.me(token).status_code == 200:
            assert time.monotonic() - ended < 5
            time.sleep(0.05)
        assert other.me(other_token).status_code == 200


def test_password_change_ends_the_others(site: IdentitySite) -> None:
    here, there = refreshing(site), site.login(username="ann", refresh=True).json
    assert there is not None
    body = {"current_password": PASSWORD, "new_password": OTHER}
    answer = site.send("POST", "/api/auth/change-password", body, **bearer(here["token"]))
    assert answer.status_code == 200, answer.text
    assert site.me(here["token"]).status_code == 200
    assert refresh(site, here["refresh_token"]).status_code == 200
    assert site.me(there["token"]).status_code == 401
    assert refresh(site, there["refresh_token"]).status_code == 401
    assert site.login(username="ann").status_code == 401
    assert site.login(username="ann", password=OTHER).status_code == 200


@pytest.mark.parametrize("key", ["current_password", "old_password", "password"])
def test_password_is_replaced_as_ledger_does(site: IdentitySite, key: str) -> None:
    token = site.token(username="ann")
    answer = site.send(
        "PUT", "/api/auth/change-password", {key: PASSWORD, "new_password": OTHER}, **bearer(token)
    )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"current_password": "wrong horse", "new_password": OTHER}, "/current_password"),
        ({"new_password": OTHER}, "/current_password"),
        ({"password": PASSWORD, "new_password": "short"}, "/new_password"),
        ({"password": PASSWORD}, "/new_password"),
    ],
)
def test_password_is_not_changed_without_the_present_one(
    site: IdentitySite, body: dict[str, str], pointer: str
) -> None:  # fmt: skip
    token = site.token(username="ann")
    answer = site.send("POST", "/api/auth/change-password", body, **bearer(token))
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]  # type: ignore[index]
    assert site.login(username="ann").status_code == 200


def test_deactivation_ends_sessions_for_good(site: IdentitySite) -> None:
    body = refreshing(site)
    accounts = site.app.authentication.accounts
    accounts.set_active(accounts.named("ann"), active=False)
    accounts.set_active(accounts.named("ann"), active=True)
    assert site.me(body["token"]).status_code == 401
    assert refresh(site, body["refresh_token"]).status_code == 401


def test_lives_are_settings(tmp_path: Path) -> None:
    chosen = IdentitySettings(token_seconds=100, access_seconds=200, session_seconds=300)
    with running(tmp_path, f"sqlite:///{tmp_path / 'lives.db'}", identity=chosen) as site:
        plain, short = site.register(username="ann").json, refreshing(site, "bob")
        assert plain is not None
        assert (plain["expires_in"], short["expires_in"]) == (
            pytest.approx(100, abs=2),
            pytest.approx(200, abs=2),
        )
        ends = datetime.fromisoformat(sessions(site, short["token"])[0]["expires_at"])
        assert ends.timestamp() - time.time() == pytest.approx(300, abs=5)


def test_aliases_answer_as_older_clients_expect(site: IdentitySite) -> None:
    made = {"name": "Ann", "email": "ann@x.org", "password": PASSWORD}
    answer = site.send("POST", "/api/auth/signup", made)
    assert (answer.status_code, answer.json["token_type"]) == (200, "Bearer")  # type: ignore[index]
    assert site.send("POST", "/api/auth/signup", made).status_code == 400
    signed_in = site.send("POST", "/api/auth/signin", {"email": "ann@x.org", "password": PASSWORD})
    token = signed_in.json["token"]  # type: ignore[index]
    wrong = site.send("POST", "/api/auth/signin", {"email": "ann@x.org", "password": "wrong"})
    assert (wrong.status_code, wrong.json["detail"]) == (401, "the name or the password is wrong")  # type: ignore[index]
    assert site.send("POST", "/api/auth/signout", **bearer(token)).json.keys() == {"message"}  # type: ignore[union-attr]
    assert site.me(token).status_code == 401
