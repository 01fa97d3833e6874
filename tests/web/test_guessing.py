"""Guessing passwords: slowed down for strangers, never for long for whom the account belongs to."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from host.auth import pruning
from host.settings import SignInSettings
from tests.web.identity import PASSWORD, IdentitySite, running

HOME, THIEF = "192.0.2.1", "198.51.100.7"
SECURE = "https://localhost"
FEW = SignInSettings(account_failures=3, address_failures=8, longest_wait=60)


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[IdentitySite]:
    with running(tmp_path, database_url, sign_in=FEW) as found:
        yield found


def sign_in(
    site: IdentitySite, name: str, password: str = PASSWORD, *, at: str = HOME, **headers: str
) -> TestResponse:
    """Sign in from an address."""
    key = "email" if "@" in name else "username"
    body = {key: name, "password": password}
    environ = {"REMOTE_ADDR": at}
    sent = {"json": body, "environ_overrides": environ, "headers": headers, "base_url": SECURE}
    return site.client().post("/api/auth/login", **sent)


def statuses(site: IdentitySite, name: str, times: int, *, at: str = THIEF) -> list[int]:
    """The statuses of so many wrong guesses."""
    return [sign_in(site, name, f"wrong {time}", at=at).status_code for time in range(times)]


@pytest.fixture
def victim(site: IdentitySite) -> IdentitySite:
    """The site with an account that has signed in at home."""
    site.register(username="ann", email="ann@x.org")
    assert sign_in(site, "ann").status_code == 200
    return site


def test_guesses_are_slowed_down(victim: IdentitySite) -> None:
    assert statuses(victim, "ann", 6) == [401, 401, 401, 401, 429, 429]
    refused = sign_in(victim, "ann", at=THIEF)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 4
    assert refused.json["code"] == "too_many_requests"


def test_victim_signs_in_at_home(victim: IdentitySite) -> None:
    statuses(victim, "ann", 8)
    assert sign_in(victim, "ann", at=THIEF).status_code == 429
    assert sign_in(victim, "ann", at=HOME).status_code == 200
    assert sign_in(victim, "ann@x.org", at=HOME).status_code == 200


def test_known_browser_signs_in_anywhere(victim: IdentitySite) -> None:
    browser = victim.client()

    def browse(address: str, password: str = PASSWORD) -> int:
        answer = browser.post(
            "/api/auth/login",
            json={"username": "ann", "password": password},
            environ_overrides={"REMOTE_ADDR": address},
            headers={"Sec-Fetch-Mode": "cors"},
            base_url=SECURE,
        )
        return answer.status_code

    assert browse(HOME) == 200
    cookie = browser.get_cookie("__Host-hostwright_device")
    assert cookie is not None
    assert (cookie.http_only, cookie.secure, cookie.same_site) == (True, True, "Strict")
    statuses(victim, "ann", 8)
    assert sign_in(victim, "ann", at=THIEF).status_code == 429
    assert browse(THIEF) == 200
    assert [browse(THIEF, "wrong") for _ in range(5)] == [401, 401, 401, 401, 429]


@pytest.mark.parametrize("device", ["nonsense", "x" * 22 + ".someone." + "0" * 32])
def test_made_up_device_is_a_stranger(victim: IdentitySite, device: str) -> None:
    statuses(victim, "ann", 5)
    browser = victim.client()
    browser.set_cookie("__Host-hostwright_device", device, secure=True)
    sent = {"environ_overrides": {"REMOTE_ADDR": THIEF}, "base_url": SECURE}
    answer = browser.post("/api/auth/login", json={"username": "ann", "password": PASSWORD}, **sent)
    assert answer.status_code == 429


def test_signing_up_makes_a_home(site: IdentitySite) -> None:
    body = {"username": "bob", "password": PASSWORD}
    home = {"environ_overrides": {"REMOTE_ADDR": HOME}, "base_url": SECURE}
    assert site.client().post("/api/auth/register", json=body, **home).status_code == 201
    statuses(site, "bob", 5)
    assert sign_in(site, "bob", at=HOME).status_code == 200


def test_home_is_slowed_down_by_itself(victim: IdentitySite) -> None:
    assert statuses(victim, "ann", 5, at=HOME) == [401, 401, 401, 401, 429]


def test_unknown_names_are_answered_alike(victim: IdentitySite) -> None:
    assert statuses(victim, "nobody", 6) == [401, 401, 401, 401, 429, 429]
    known = [sign_in(victim, "ann", "wrong", at="203.0.113.5") for _ in range(5)][-1].json
    unknown = sign_in(victim, "nobody", "wrong", at="203.0.113.6").json
    for body in (known, unknown):
        body.pop("trace_id")
        body["detail"] = body["error"] = body["message"] = body["msg"] = ""
    assert known == unknown


def test_spraying_is_slowed_down(victim: IdentitySite) -> None:
    sprayed = [sign_in(victim, f"user{at}", "wrong", at=THIEF).status_code for at in range(12)]
    assert sprayed == [401] * 9 + [429] * 3
    assert sign_in(victim, "other", "wrong", at="203.0.113.9").status_code == 401


def test_neighbour_of_a_sprayer_signs_in(victim: IdentitySite) -> None:
    for at in range(12):
        sign_in(victim, f"user{at}", "wrong", at=HOME)
    assert sign_in(victim, "ann", at=HOME).status_code == 200


def test_success_forgets_the_failures(victim: IdentitySite) -> None:
    for _ in range(4):
        assert statuses(victim, "ann", 3, at=HOME) == [401, 401, 401]
        assert sign_in(victim, "ann", at=HOME).status_code == 200


def test_own_account_does_not_reset_the_address(victim: IdentitySite) -> None:
    victim.register(username="thief")
    found = []
    for at in range(12):
        sign_in(victim, "thief", at=THIEF)
        found.append(sign_in(victim, f"user{at}", "wrong", at=THIEF).status_code)
    assert found[-1] == 429


def test_addresses_of_one_ipv6_network_count_together(victim: IdentitySite) -> None:
    found = [
        sign_in(victim, f"user{at}", "wrong", at=f"2001:db8:1:2::{at:x}").status_code for at in range(12)
    ]
    assert found[-1] == 429
    assert sign_in(victim, "user1", "wrong", at="2001:db8:1:3::1").status_code == 401


def test_guesses_at_once_are_counted(victim: IdentitySite) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda at: sign_in(victim, "ann", f"wrong {at}", at=THIEF).status_code, range(16))
        )
    assert found.count(401) <= 4
    assert set(found) == {401, 429}


def test_processes_count_together(victim: IdentitySite) -> None:
    settings = victim.app.settings
    with running(settings.root, settings.database_url, sign_in=FEW) as other:
        found = [
            sign_in(victim if at % 2 else other, "ann", "wrong", at=THIEF).status_code for at in range(6)
        ]
    assert found == [401, 401, 401, 401, 429, 429]


def test_failures_are_forgotten_in_time(tmp_path: Path, database_url: str) -> None:
    brief = SignInSettings(account_failures=2, longest_wait=1, memory=1)
    with running(tmp_path, database_url, sign_in=brief) as site:
        site.register(username="ann")
        assert statuses(site, "ann", 4)[-1] == 429
        wait_for(lambda: sign_in(site, "ann", at=THIEF).status_code == 200)


def wait_for(condition: Any, seconds: float = 20.0) -> None:
    """Until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_operator_unlocks(victim: IdentitySite) -> None:
    statuses(victim, "ann", 5)
    accounts = victim.app.authentication.accounts
    assert accounts.throttle is not None
    assert accounts.throttle.unlock(accounts.named("ann")["id"]) == 1
    assert sign_in(victim, "ann", at=THIEF).status_code == 200


def test_table_of_attempts_is_bounded(victim: IdentitySite, monkeypatch: pytest.MonkeyPatch) -> None:
    for at in range(12):
        sign_in(victim, f"user{at}", "wrong", at=f"203.0.113.{at}")
    monkeypatch.setattr(pruning, "MOST_ROWS", 5)
    pruning.prune(victim.app.runtime, datetime.now(UTC), chance=1)
    table = victim.app.runtime.registry.models["host.attempt"].table
    with victim.app.runtime.database.writing() as connection:
        assert len(connection.execute(table.select()).all()) == 5
