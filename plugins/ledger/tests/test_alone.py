"""Served alone, the plugin answers the shared paths in the shape that its own clients know."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import jwt
import pytest

from plugins.ledger.tests.book import PASSWORD, Book, Keeper, Said, open_book


@pytest.fixture(scope="module")
def alone(address: str, tmp_path_factory: pytest.TempPathFactory, book: Book) -> Iterator[Book]:
    """The same database, served by this plugin alone."""
    with open_book(tmp_path_factory.mktemp("alone"), address, only="ledger") as opened:
        yield opened


def register(book: Book, name: str, password: str = PASSWORD) -> Said:
    return book.nobody().send("POST", "/api/auth/register", {"username": name, "password": password})


def test_health_is_a_text(alone: Book) -> None:
    said = alone.nobody().send("GET", "/health")
    assert (said.status, said.body, said.headers["Content-Type"]) == (200, b"OK", "text/plain; charset=utf-8")


def test_registration_is_answered_as_the_contract_says(alone: Book) -> None:
    said = register(alone, "charles")
    assert (said.status, set(said.body)) == (201, {"token", "user_id", "username"})
    assert (str(UUID(said.body["user_id"])), said.body["username"]) == (said.body["user_id"], "charles")
    assert Keeper(alone, said.body["token"]).get("/api/contacts") == []


@pytest.mark.parametrize("password", ["short", ""])
def test_short_password_is_a_bad_request(alone: Book, password: str) -> None:
    said = register(alone, "byron", password)
    assert (said.status, type(said.body["error"])) == (400, str)


def test_taken_name_is_a_conflict(alone: Book) -> None:
    register(alone, "mary")
    said = register(alone, "Mary")
    assert (said.status, type(said.body["error"])) == (409, str)


def test_login_gives_a_token_of_an_hour(alone: Book) -> None:
    register(alone, "augusta")
    said = alone.nobody().send("POST", "/api/auth/login", {"username": "augusta", "password": PASSWORD})
    assert (said.status, set(said.body)) == (200, {"token", "user_id", "username"})
    claims = jwt.decode(said.body["token"], options={"verify_signature": False})
    left = datetime.fromtimestamp(claims["exp"], UTC) - datetime.now(UTC)
    assert 3500 < left.total_seconds() <= 3600
    assert claims["user_id"] == said.body["user_id"]


def test_user_name_may_be_the_address(alone: Book, book: Book) -> None:
    book.registered(email="somerville@example.org")
    body = {"username": "Somerville@example.org", "password": PASSWORD}
    assert alone.nobody().send("POST", "/api/auth/login", body).status == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"username": "augusta", "password": "wrong horse battery"}, 401),
        ({"username": "nobody-at-all", "password": PASSWORD}, 401),
        ({"username": "", "password": ""}, 400), ({"username": "augusta"}, 400), ({}, 400),
    ],
)  # fmt: skip
def test_wrong_credentials(alone: Book, body: dict[str, str], status: int) -> None:
    said = alone.nobody().send("POST", "/api/auth/login", body)
    assert (said.status, type(said.body["error"])) == (status, str)


def test_administrators_sign_in(alone: Book, book: Book) -> None:
    path, (boss, ann) = "/api/auth/admin/login", (book.registered() for _ in range(2))
    accounts = alone.app.authentication.accounts
    accounts.set_role(accounts.named(boss.account["username"]), "admin")
    said = alone.nobody().send("POST", path, {"username": boss.account["username"], "password": PASSWORD})
    assert (said.status, set(said.body)) == (200, {"token", "user_id", "username"})
    refused = alone.nobody().send("POST", path, {"username": ann.account["username"], "password": PASSWORD})
    assert refused.status == 401


def test_password_is_changed(alone: Book) -> None:
    token = register(alone, "babbage").body["token"]
    body = {"current_password": PASSWORD, "new_password": "difference engine"}
    assert Keeper(alone, token).send("PUT", "/api/auth/change-password", body).status == 200
    login = {"username": "babbage", "password": "difference engine"}
    assert alone.nobody().send("POST", "/api/auth/login", login).status == 200


def test_account_is_one_for_both_ways_of_serving(alone: Book, book: Book) -> None:
    keeper = book.keeper()
    contact = Keeper(alone, keeper.token).contact(name="seen on both")
    assert keeper.get(f"/api/contacts/{contact}")["name"] == "seen on both"
