"""Served alone, the plugin answers the shared paths in the shape that its own clients know."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import jwt
import pytest

from plugins.investigations.tests.board import PASSWORD, Person, Said, Station, open_station


@pytest.fixture(scope="module")
def alone(address: str, tmp_path_factory: pytest.TempPathFactory, station: Station) -> Iterator[Station]:
    """The same database, served by this plugin alone."""
    folder: Path = tmp_path_factory.mktemp("alone")
    with open_station(folder, address, only="investigations") as opened:
        yield opened


def register(alone: Station, name: str, **more: str) -> Said:
    body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD, **more}
    return alone.nobody().send("POST", "/api/auth/register", body)


def test_registration_is_answered_as_the_contract_says(alone: Station) -> None:
    said = register(alone, "watson", first_name="John", last_name="Watson")
    assert (said.status, set(said.body)) == (201, {"message", "token", "user"})
    user = said.body["user"]
    assert set(user) == {"id", "username", "email", "first_name", "last_name"}
    assert (type(user["id"]), user["first_name"]) == (int, "John")


def test_taken_name_is_a_bad_request(alone: Station) -> None:
    register(alone, "lestrade")
    said = register(alone, "lestrade")
    assert (said.status, type(said.body["error"])) == (400, str)


def test_login_gives_a_token_of_seven_days(alone: Station) -> None:
    number = register(alone, "hudson").body["user"]["id"]
    said = alone.nobody().send("POST", "/api/auth/login", {"username": "hudson", "password": PASSWORD})
    assert (said.status, set(said.body)) == (200, {"message", "token", "user"})
    assert said.body["user"] == {"id": number, "username": "hudson", "email": "hudson@example.org"}
    claims = jwt.decode(said.body["token"], options={"verify_signature": False})
    left = datetime.fromtimestamp(claims["exp"], UTC) - datetime.now(UTC)
    assert 6.9 < left.total_seconds() / 86400 <= 7.01


@pytest.mark.parametrize("name", ["mycroft", "nobody-at-all"])
def test_wrong_credentials_are_unauthorised(alone: Station, name: str) -> None:
    register(alone, "mycroft")
    said = alone.nobody().send("POST", "/api/auth/login", {"username": name, "password": "wrong horse"})
    assert (said.status, type(said.body["error"])) == (401, str)


def test_own_account_is_shown(alone: Station) -> None:
    made = register(alone, "adler", first_name="Irene")
    me = Person(alone, made.body["token"], made.body["user"]).get("/api/auth/me")
    assert set(me) == {"id", "username", "email", "first_name", "last_name", "avatar", "created_at"}
    assert (me["id"], me["first_name"], me["avatar"]) == (made.body["user"]["id"], "Irene", None)


def test_account_is_one_for_both_ways_of_serving(alone: Station, station: Station) -> None:
    person = station.person()
    same = Person(alone, person.token, person.user)
    made = same.post("/api/investigations", {"title": "seen on both"})
    assert person.get(f"/api/investigations/{made['id']}")["title"] == "seen on both"
