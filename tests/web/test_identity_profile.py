"""One's own account: what its owner may change of it, and what that takes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.web.identity import PASSWORD, IdentitySite, running

ANN = {"username": "ann", "email": "ann@x.org", "first_name": "Ann", "last_name": "B"}


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[IdentitySite]:
    with running(tmp_path, database_url) as found:
        yield found


def change(site: IdentitySite, token: str, **body: Any) -> TestResponse:
    return site.send("PATCH", "/api/auth/me", body, Authorization=f"Bearer {token}")


def test_names_are_changed(site: IdentitySite) -> None:
    token = site.token(**ANN)
    answer = change(site, token, name="Ann Other", first_name="Anna", last_name=None, username="anna")
    assert answer.status_code == 200, answer.text
    profile = site.me(token).json
    assert profile == answer.json
    assert profile is not None
    assert (profile["name"], profile["first_name"], profile["last_name"]) == ("Ann Other", "Anna", None)
    assert (profile["username"], profile["email"]) == ("anna", "ann@x.org")
    assert site.login(username="anna").status_code == 200


def test_nothing_is_changed_by_nothing(site: IdentitySite) -> None:
    token = site.token(**ANN)
    before = site.me(token).json
    assert change(site, token).json == before
    assert change(site, token, full_name="Ann B", email="ann@x.org").json == before


@pytest.mark.parametrize(
    "key", ["role", "active", "number", "hex", "email_verified", "token_version", "password"]
)
def test_what_the_server_sets_is_passed_over(site: IdentitySite, key: str) -> None:
    token = site.token(**ANN)
    before = site.me(token).json
    assert change(site, token, **{key: "admin"}).json == before
    assert site.login(username="ann").status_code == 200


def test_another_address_wants_the_password(site: IdentitySite) -> None:
    token = site.token(**ANN)
    for body, pointer in (({}, "/current_password"), ({"password": "wrong"}, "/password")):
        answer = change(site, token, email="new@x.org", **body)
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json["errors"]] == [pointer]  # type: ignore[index]
    assert site.me(token).json["email"] == "ann@x.org"  # type: ignore[index]


def test_another_address_is_not_confirmed(site: IdentitySite) -> None:
    token = site.token(**ANN)
    accounts = site.app.authentication.accounts
    with accounts.runtime.database.writing() as connection:
        table = accounts.runtime.registry.model("host.account").table
        connection.execute(table.update().values(email_verified=True))
    answer = change(site, token, email="new@x.org", current_password=PASSWORD)
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    assert (answer.json["email"], answer.json["email_verified"]) == ("new@x.org", False)
    assert site.me(token).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"username": "bob"}, 409),
        ({"email": "bob@x.org", "current_password": PASSWORD}, 409),
        ({"username": "somebody@else.org"}, 422),
        ({"username": "x" * 151}, 422),
        ({"email": "nowhere", "current_password": PASSWORD}, 422),
        ({"name": "x" * 201}, 422),
        ({"username": None, "email": None, "current_password": PASSWORD}, 422),
    ],
)
def test_names_of_others_and_wrong_ones_are_refused(
    site: IdentitySite, body: dict[str, Any], status: int
) -> None:  # fmt: skip
    site.token(username="bob", email="bob@x.org")
    token = site.token(**ANN)
    before = site.me(token).json
    assert change(site, token, **body).status_code == status
    assert site.me(token).json == before


def test_profile_is_ones_own(site: IdentitySite) -> None:
    assert site.send("PATCH", "/api/auth/me", {"name": "x"}).status_code == 401
