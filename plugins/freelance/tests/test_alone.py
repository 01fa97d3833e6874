"""The plugin alone at the root: Orbix's own answers to signing up and in, over the same accounts and rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest

from plugins.freelance.tests.house import PASSWORD, House, User, open_house

ADA = {"email": "ada@example.org", "password": PASSWORD, "name": "Ada Lovelace"}


@pytest.fixture(scope="module")
def alone(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The site, serving freelance only, on the database of the other houses."""
    with open_house(tmp_path_factory.mktemp("alone"), address, only="freelance") as opened:
        yield opened


def signed_up(house: House, name: str) -> dict[str, Any]:
    body = {**ADA, "email": f"{name}@example.org"}
    answer = User(house).send("POST", "/api/auth/register", body)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.body
    return found


def test_register_answers_as_orbix_does(alone: House) -> None:
    body = signed_up(alone, "ada1")
    assert body.keys() == {"user", "token"}
    assert body["user"].keys() == {"id", "email", "name", "avatar"}
    assert (len(body["user"]["id"]), body["user"]["name"]) == (24, "Ada Lovelace")


def test_login_answers_the_same_user(alone: House) -> None:
    made = signed_up(alone, "ada2")
    credentials = {"email": "ADA2@example.org", "password": PASSWORD}
    answer = User(alone).send("POST", "/api/auth/login", {**credentials, "remember": True})
    assert (answer.status, answer.body["user"]) == (200, made["user"])


def test_script_names_its_user_in_full(alone: House) -> None:
    body = {"email": "ada3@example.org", "password": PASSWORD, "full_name": "Ada L."}
    assert User(alone).send("POST", "/api/auth/register", body).body["user"]["name"] == "Ada L."


def test_refusals_are_told_as_clients_read_them(alone: House) -> None:
    signed_up(alone, "ada4")
    again = User(alone).send("POST", "/api/auth/register", {**ADA, "email": "ada4@example.org"})
    assert (again.status, again.body["error"]) == (409, again.body["message"])
    wrong = {"email": "ada4@example.org", "password": "wrong"}
    refused = User(alone).send("POST", "/api/auth/login", wrong)
    assert (refused.status, refused.body["error"]) == (401, refused.body["message"])
    assert User(alone).send("POST", "/api/auth/login", {"username": "ada4"}).status in (400, 422)


def test_token_counts_for_seven_days(alone: House) -> None:
    token = signed_up(alone, "ada5")["token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - datetime.now(UTC).timestamp() == pytest.approx(7 * 86400, abs=10)
    assert claims["sid"]


def test_life_of_the_token_is_a_setting(address: str, tmp_path: Path) -> None:
    environ = {"HOSTWRIGHT_FREELANCE__TOKEN_SECONDS": "3600"}
    with open_house(tmp_path / "short", address, environ, only="freelance") as house:
        claims = jwt.decode(signed_up(house, "ada6")["token"], options={"verify_signature": False})
        assert claims["exp"] - claims["iat"] == 3600


def test_tokens_and_rows_are_the_same_together(alone: House, house: House) -> None:
    token = signed_up(alone, "ada7")["token"]
    made = User(alone, token).post("/api/clients", {"name": "Acme", "email": "a@acme.example"})
    assert User(house, token).get(f"/api/clients/{made['id']}") == made
    together = User(house).send(
        "POST", "/api/auth/login", {"email": "ada7@example.org", "password": PASSWORD}
    )
    assert (together.status, together.body["token_type"]) == (200, "Bearer")


def test_together_the_shared_answer_stays(house: House) -> None:
    answer = User(house).send("POST", "/api/auth/register", {**ADA, "email": "ada8@example.org"})
    assert (answer.status, answer.body["message"]) == (201, "The account has been created")


def test_rest_of_identity_is_served_too(alone: House) -> None:
    user = User(alone, signed_up(alone, "ada9")["token"])
    assert user.get("/api/auth/me")["email"] == "ada9@example.org"
    assert len(user.get("/api/auth/sessions")["items"]) == 1
    assert user.send("POST", "/api/auth/logout").status == 200
    assert user.send("GET", "/api/auth/me").status == 401
