"""A plugin's own sign-in surface, beside others and alone; what `--only` serves, and what it leaves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from host.application import describe
from host.errors import ConfigurationError
from host.web.documents import build_document
from host.web.door import Door
from tests.web.identity import PASSWORD, IdentitySite, running

BOARD = """
grammar: 1
types:
  asked: {type: object, fields: {username: {type: string, required: true}, password: {type: string, required: true}}}
  answered:
    type: object
    fields:
      message: string
      token: string
      user: {type: object, fields: {id: {type: integer, required: true}, username: string, email: string}}
  short: {type: object, fields: {id: integer, username: string}}
  healthy: {type: object, fields: {status: string}}
wires:
  pages:
    unknown: ignore
    errors: {keys: [error]}
    credential: {cookie: true, csrf_cookie: csrftoken, csrf_header: X-CSRFToken}
resources:
  card:
    path: /api/cards
    mixins: [owned]
    fields: {text: string}
    access: owner
    wire: {like: pages}
endpoints:
  enter:
    path: /auth/login/
    identity: sign_in
    like: pages
    media: [form, json]
    cookies: true
    redirect: /dashboard/
    token: page_seconds
    in: asked
    out: answered
    by: number
    message: Welcome back
  leave: {method: GET, path: /auth/logout/, identity: sign_out, like: pages, redirect: /auth/login/}
  login: {path: /api/auth/login, identity: sign_in, alone: true, like: pages, in: asked, out: answered, by: number, token: 3600}
  whoami: {method: GET, path: /api/auth/me, identity: me, alone: true, out: short, by: number}
  health: {method: GET, path: /health, call: actions.health, access: public, alone: true, out: healthy}
"""
SHELF = "grammar: 1\nresources:\n  book: {path: /api/books, fields: {title: string}, access: authenticated}\n"
OTHER = """
grammar: 1
resources:
  leaf: {path: /api/leaves, fields: {text: string}, access: authenticated}
endpoints:
  login: {path: /api/auth/login, identity: sign_in, alone: true}
"""
MANIFEST = 'name: {}\nversion: "1.0"\n'
PLUGINS = {
    "shelf": (SHELF, ""),
    "board": (BOARD, "depends: [shelf]\nsettings: {page_seconds: {type: integer, default: 7200}}\n"),
    "other": (OTHER, ""),
}


def write(root: Path) -> None:
    """The three plugins."""
    for name, (declared, manifest) in PLUGINS.items():
        folder = root / "plugins" / name
        folder.mkdir(parents=True)
        (folder / "plugin.yaml").write_text(MANIFEST.format(name) + manifest)
        (folder / "resources.yaml").write_text(declared)
        (folder / "actions.py").write_text("def health(ctx, data):\n    return {'status': 'fine'}\n")


@pytest.fixture
def together(tmp_path: Path, database_url: str) -> Iterator[IdentitySite]:
    write(tmp_path)
    with running(tmp_path, database_url, plugins=PLUGINS) as site:
        site.register(username="ann", email="ann@x.org")
        yield site


@pytest.fixture
def alone(together: IdentitySite) -> Iterator[IdentitySite]:
    """The board alone, on the same database."""
    settings = together.app.settings
    with running(settings.root, settings.database_url, plugins=PLUGINS, only="board") as site:
        yield site


def page(site: IdentitySite) -> Client:
    """A browser."""
    return Client(Door(site.app.pipeline(lambda request: None)))


def enter(client: Client, **form: str) -> TestResponse:
    given = {"username": "ann", "password": PASSWORD, "csrfmiddlewaretoken": "x", **form}
    return client.post("/auth/login/", data=given, base_url="http://127.0.0.1:8000")


def test_form_signs_in_by_cookies_and_is_sent_on(together: IdentitySite) -> None:
    client = page(together)
    answer = enter(client)
    assert (answer.status_code, answer.headers["Location"], answer.data) == (303, "/dashboard/", b"")
    csrf = client.get_cookie("csrftoken", domain="127.0.0.1")
    access = client.get_cookie("hostwright_access", domain="127.0.0.1")
    assert csrf is not None and access is not None
    assert access.max_age == pytest.approx(7200, abs=3)
    assert client.get_cookie("hostwright_refresh", domain="127.0.0.1") is None
    options: dict[str, Any] = {"base_url": "http://127.0.0.1:8000", "json": {"text": "x"}}
    assert client.post("/api/cards", **options).status_code == 403
    made = client.post("/api/cards", headers={"X-CSRFToken": csrf.value}, **options)
    assert made.status_code == 201


def test_wrong_form_stays_where_it_is(together: IdentitySite) -> None:
    answer = enter(page(together), password="wrong")
    assert (answer.status_code, answer.json["error"]) == (401, "the name or the password is wrong")  # type: ignore[index]
    assert "Set-Cookie" not in answer.headers


def test_nothing_of_a_request_decides_where_it_is_sent(together: IdentitySite) -> None:
    given = {"username": "ann", "password": PASSWORD, "next": "//evil.example", "redirect": "//evil.example"}
    answer = page(together).post(
        "/auth/login/?next=//evil.example", data=given, base_url="http://127.0.0.1:8000"
    )
    assert answer.headers["Location"] == "/dashboard/"


def test_form_of_a_foreign_page_is_refused(together: IdentitySite) -> None:
    given = {"username": "ann", "password": PASSWORD}
    answer = page(together).post("/auth/login/", data=given, headers={"Origin": "http://evil.example"})
    assert (answer.status_code, answer.json["code"]) == (403, "csrf")  # type: ignore[index]


def test_json_is_answered_instead(together: IdentitySite) -> None:
    body = {"username": "ann", "password": PASSWORD}
    answer = page(together).post("/auth/login/", json=body, base_url="http://127.0.0.1:8000")
    assert answer.status_code == 200
    assert answer.json == {
        "message": "Welcome back", "token": None, "user": {"id": 1, "username": "ann", "email": "ann@x.org"},
    }  # fmt: skip


def test_other_media_are_refused(together: IdentitySite) -> None:
    answer = page(together).post("/auth/login/", data=b"<xml/>", content_type="text/xml")
    assert answer.status_code == 415


def test_link_signs_out_and_is_sent_on(together: IdentitySite) -> None:
    client = page(together)
    enter(client)
    answer = client.get("/auth/logout/", base_url="http://127.0.0.1:8000")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/login/")
    assert client.get("/api/cards", base_url="http://127.0.0.1:8000").status_code == 401


def test_shared_paths_are_the_plugins_own_alone(alone: IdentitySite) -> None:
    body = alone.login(username="ann").json
    assert body is not None
    assert body.keys() == {"message", "token", "user"}
    assert body["user"]["id"] == 1
    assert alone.me(body["token"]).json == {"id": 1, "username": "ann"}
    assert alone.send("GET", "/health").json == {"status": "fine"}


def test_shared_paths_are_the_hosts_together(together: IdentitySite) -> None:
    body = together.login(username="ann").json
    assert body is not None
    assert body["token_type"] == "Bearer"
    assert together.send("GET", "/health").json != {"status": "fine"}


def test_others_are_not_served_alone(together: IdentitySite, alone: IdentitySite) -> None:
    token = alone.login(username="ann").json["token"]  # type: ignore[index]
    asked = {"Authorization": f"Bearer {token}"}
    assert together.send("GET", "/api/leaves", **asked).status_code == 200
    assert alone.send("GET", "/api/leaves", **asked).status_code == 404
    assert alone.send("GET", "/api/notes", **asked).status_code == 404
    assert alone.send("GET", "/api/books", **asked).status_code == 200  # the board cannot do without it


def test_tables_of_the_others_stay(together: IdentitySite, alone: IdentitySite) -> None:
    tables = together.app.runtime.registry.metadata.tables
    assert alone.app.runtime.registry.metadata.tables.keys() == tables.keys()


def test_rest_of_the_hosts_paths_stays(alone: IdentitySite) -> None:
    assert alone.register(username="bob").status_code == 201
    assert alone.send("POST", "/api/auth/logout").status_code == 200


def test_document_and_routes_agree_alone(alone: IdentitySite) -> None:
    document = build_document(alone.app)
    served = {(operation.method.lower(), operation.path) for operation in alone.app.operations}
    said = {
        (method, path)
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert served <= said
    assert document["paths"]["/api/auth/login"]["post"]["operationId"] == "boardLogin"
    listed = describe(alone.app.settings.root, {}, "board").operations
    assert {operation.id for operation in listed} == {operation.id for operation in alone.app.operations}


def test_form_and_cookies_are_documented(together: IdentitySite) -> None:
    paths = build_document(together.app)["paths"]
    login = paths["/auth/login/"]["post"]
    assert set(login["requestBody"]["content"]) == {"application/x-www-form-urlencoded", "application/json"}
    assert "303" in login["responses"]
    create = paths["/api/cards"]["post"]
    assert {"cookieAuth": []} in create["security"]
    assert {"name": "X-CSRFToken", "in": "header"}.items() <= next(
        it for it in create["parameters"] if it["name"] == "X-CSRFToken"
    ).items()
    assert {"cookieAuth": []} not in paths["/api/books"]["get"]["security"]


def test_unknown_plugin_is_not_served(together: IdentitySite) -> None:
    for name in ("bord", "host"):
        with pytest.raises(ConfigurationError, match="there is no plugin"):
            describe(together.app.settings.root, {}, name)
