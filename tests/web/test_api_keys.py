"""API keys: what machines may do with them, and what they never may, on both databases."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from host.auth import api_keys
from tests.web.identity import PASSWORD, IdentitySite, running

PLUGIN = """
resources:
  shelf:
    fields: {name: {type: string, required: true}}
    access: {every: authenticated}
  book:
    mixins: [owned]
    fields: {title: {type: string, required: true}}
    relations: {shelf: {to: shelf}}
    query: {expand: [shelf]}
    access: {every: owner}
    actions:
      lend: {target: item, method: POST, call: actions.lend, access: owner}
endpoints:
  count:
    {method: GET, path: /api/library/count, call: actions.count, access: authenticated, out: counted}
types:
  counted: {type: object, fields: {total: integer}}
"""
CODE = """
def lend(ctx, row, data):
    return None

def count(ctx, data):
    return {"total": ctx.records("book").count()}
"""


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[IdentitySite]:
    folder = tmp_path / "plugins" / "library"
    folder.mkdir(parents=True)
    (folder / "plugin.yaml").write_text('name: library\nversion: "1.0"\n')
    (folder / "resources.yaml").write_text("grammar: 1\n" + PLUGIN)
    (folder / "actions.py").write_text(CODE)
    with running(tmp_path, database_url, plugins=("library",)) as found:
        yield found


@pytest.fixture
def token(site: IdentitySite) -> str:
    return site.token(username="ann", email="ann@x.org")


def make(site: IdentitySite, token: str, *scopes: str, **more: Any) -> TestResponse:
    body = {"name": "nightly", "scopes": list(scopes), **more}
    return site.send("POST", "/api/host/keys", body, Authorization=f"Bearer {token}")


def key_of(site: IdentitySite, token: str, *scopes: str) -> str:
    answer = make(site, token, *scopes)
    assert answer.status_code == 201, answer.text
    return str(answer.json["key"])  # type: ignore[index]  # JSON of an object


def ask(site: IdentitySite, key: str, method: str, path: str, body: Any = None) -> TestResponse:
    answer = site.send(method, path, body, Authorization=f"Bearer {key}")
    answer.get_data()  # a stream is read to its end
    return answer


def test_key_is_shown_once(site: IdentitySite, token: str) -> None:
    made = make(site, token, "library.book:list")
    text = made.json["key"]  # type: ignore[index]
    assert re.fullmatch(r"hw_[a-z0-9]{8}_[A-Za-z0-9]{40}", text)
    assert made.headers["Cache-Control"] == "no-store"
    listed = site.send("GET", "/api/host/keys", Authorization=f"Bearer {token}")
    (shown,) = listed.json["items"]  # type: ignore[index]
    assert shown.keys() == {"id", "name", "prefix", "scopes", "created_at", "expires_at", "last_used_at"}
    assert text[3:11] == shown["prefix"]
    assert text[12:] not in listed.text


def test_only_the_digest_is_stored(site: IdentitySite, token: str) -> None:
    text = key_of(site, token, "library.book:list")
    table = site.app.runtime.registry.models["host.api_key"].table
    with site.app.runtime.database.writing() as connection:
        row = connection.execute(table.select()).mappings().one()
    assert text[12:] not in str(dict(row))


def test_key_does_what_its_scopes_name(site: IdentitySite, token: str) -> None:
    key = key_of(site, token, "library.book:list,create")
    assert ask(site, key, "POST", "/api/library/books", {"title": "Emma"}).status_code == 201
    assert len(ask(site, key, "GET", "/api/library/books").json["items"]) == 1  # type: ignore[index]


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("library.book:list", {"list"}),
        ("library.book:get", {"get"}),
        ("library.book:read", {"list", "get"}),
        ("library.*:read", {"list", "get", "count"}),
        ("library:read", {"list", "get", "count"}),
        ("library.book:write", {"create", "update", "delete", "lend"}),
        ("library.book:lend", {"lend"}),
        ("library.count:call", {"count"}),
        ("library.book:*", {"list", "get", "create", "update", "delete", "lend"}),
        ("*.*:*", {"list", "get", "create", "update", "delete", "lend", "count"}),
        ("library.shelf:*", set()),
        ("host.account:me", set()),
    ],
)
def test_what_no_scope_names_is_refused(
    site: IdentitySite, token: str, scope: str, allowed: set[str]
) -> None:
    books = [
        ask(site, token, "POST", "/api/library/books", {"title": title}).json["id"]  # type: ignore[index]
        for title in ("Emma", "Persuasion")
    ]
    key = key_of(site, token, scope)
    path = f"/api/library/books/{books[0]}"
    answers = {
        "list": ask(site, key, "GET", "/api/library/books"),
        "get": ask(site, key, "GET", path),
        "create": ask(site, key, "POST", "/api/library/books", {"title": "Sanditon"}),
        "update": ask(site, key, "PATCH", path, {"title": "Emma!"}),
        "lend": ask(site, key, "POST", f"{path}/lend", {}),
        "delete": ask(site, key, "DELETE", f"/api/library/books/{books[1]}"),
        "count": ask(site, key, "GET", "/api/library/count"),
    }
    assert {name for name, answer in answers.items() if answer.status_code < 300} == allowed
    for name, answer in answers.items():
        if name not in allowed:
            assert (answer.status_code, answer.json["code"]) == (403, "insufficient_scope")
            assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


def test_expanding_wants_a_scope_too(site: IdentitySite, token: str) -> None:
    key = key_of(site, token, "library.book:read")
    assert ask(site, key, "GET", "/api/library/books?expand=shelf").status_code == 403
    assert ask(site, key, "GET", "/api/library/books?fields=title").status_code == 200
    both = key_of(site, token, "library.book:read", "library.shelf:get")
    assert ask(site, both, "GET", "/api/library/books?expand=shelf").status_code == 200


def test_bulk_and_export_have_scopes(site: IdentitySite, token: str) -> None:
    key = key_of(site, token, "library.book:list,get")
    assert ask(site, key, "POST", "/api/library/books/bulk", [{"title": "Emma"}]).status_code == 403
    assert ask(site, key, "GET", "/api/library/books/export").status_code == 200


def test_key_never_gives_more_than_the_account(site: IdentitySite, token: str) -> None:
    other = site.token(username="bob")
    book = ask(site, other, "POST", "/api/library/books", {"title": "Emma"}).json["id"]  # type: ignore[index]
    key = key_of(site, token, "*.*:*")
    assert ask(site, key, "GET", f"/api/library/books/{book}").status_code == 404


def test_key_cannot_make_or_list_keys(site: IdentitySite, token: str) -> None:
    key = key_of(site, token, "*.*:*", "host.*:*")
    assert make(site, key, "library.book:list").status_code == 403
    assert ask(site, key, "GET", "/api/host/keys").status_code == 403
    password = {"current_password": PASSWORD, "password": "another horse", "new_password": "another horse"}
    assert ask(site, key, "POST", "/api/auth/change-password", password).status_code in (403, 404, 405)
    assert ask(site, key, "GET", "/api/auth/me").json["username"] == "ann"  # type: ignore[index]


def test_public_pages_stay_open_to_keys(site: IdentitySite, token: str) -> None:
    key = key_of(site, token, "library.book:list")
    assert ask(site, key, "GET", "/health/live").status_code == 200


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ("library.bok:list", "did you mean 'book'?"),
        ("libary.book:list", "did you mean 'library'?"),
        ("library.book:lits", "did you mean 'list'?"),
        ("everything", "does not match"),
        ("library.book:", "does not match"),
    ],
)
def test_strange_scope_is_refused(site: IdentitySite, token: str, scope: str, said: str) -> None:
    answer = make(site, token, "library.book:get", scope)
    assert answer.status_code == 422
    (error,) = answer.json["errors"]  # type: ignore[index]
    assert error["pointer"] == "/scopes/1"
    assert said in error["detail"]


def test_revoked_key_ends_within_seconds(site: IdentitySite, token: str) -> None:
    made = make(site, token, "library.book:list").json
    assert made is not None
    assert ask(site, made["key"], "GET", "/api/library/books").status_code == 200
    revoked = site.send("DELETE", f"/api/host/keys/{made['id']}", Authorization=f"Bearer {token}")
    assert revoked.status_code == 204
    assert api_keys.FRESH_SECONDS < 5
    with running_again(site) as other:
        assert ask(other, made["key"], "GET", "/api/library/books").status_code == 401
    later(site)
    answer = ask(site, made["key"], "GET", "/api/library/books")
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def later(site: IdentitySite) -> None:
    """As if what is remembered of keys had become old."""
    keys = site.app.authentication.keys
    now = keys.clock()
    object.__setattr__(keys, "clock", lambda: now + api_keys.FRESH_SECONDS + 0.1)


def running_again(site: IdentitySite) -> Any:
    return running(site.app.settings.root, site.app.settings.database_url, plugins=("library",))


def test_key_of_inactive_account_ends(site: IdentitySite, token: str) -> None:
    key = key_of(site, token, "library.book:list")
    assert ask(site, key, "GET", "/api/library/books").status_code == 200
    accounts = site.app.authentication.accounts
    accounts.set_active(accounts.named("ann"), active=False)
    later(site)
    assert ask(site, key, "GET", "/api/library/books").status_code == 401


def test_expired_key_does_not_count(site: IdentitySite, token: str) -> None:
    assert make(site, token, "library.book:list", expires_at="2020-01-01T00:00:00Z").status_code == 422
    made = make(site, token, "library.book:list", expires_at="2999-01-01T00:00:00Z").json
    assert made is not None
    table = site.app.runtime.registry.models["host.api_key"].table
    with site.app.runtime.database.writing() as connection:
        connection.execute(table.update().values(expires_at=datetime(2020, 1, 1, tzinfo=UTC)))
    assert ask(site, made["key"], "GET", "/api/library/books").status_code == 401


def test_use_of_a_key_is_noted(site: IdentitySite, token: str) -> None:
    key = key_of(site, token, "library.book:list")
    ask(site, key, "GET", "/api/library/books")
    listed = site.send("GET", "/api/host/keys", Authorization=f"Bearer {token}").json
    assert listed["items"][0]["last_used_at"] is not None  # type: ignore[index]


def test_others_cannot_revoke_a_key(site: IdentitySite, token: str) -> None:
    made = make(site, token, "library.book:list").json
    bob = site.token(username="bob")
    assert made is not None
    assert (
        site.send("DELETE", f"/api/host/keys/{made['id']}", Authorization=f"Bearer {bob}").status_code == 404
    )
    assert site.send("DELETE", "/api/host/keys/nonsense", Authorization=f"Bearer {token}").status_code == 404


@pytest.mark.parametrize("text", ["hw_", "hw_abcdefgh_", "hw_abcdefgh_" + "x" * 40, "hw_" + "é" * 20])
def test_unknown_key_is_refused(site: IdentitySite, text: str) -> None:
    answer = site.send("GET", "/api/library/books", Authorization=f"Bearer {text}".encode().decode("latin-1"))
    assert answer.status_code == 401
