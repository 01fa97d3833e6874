"""The shared paths of identity as clients see them, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from host.settings import IdentitySettings
from tests.web.identity import PASSWORD, IdentitySite, running

USER_KEYS = {"id", "username", "email", "name", "first_name", "last_name", "avatar", "role"}
ANSWER_KEYS = {
    "message", "token", "token_type", "refresh_token", "expires_at", "expires_in", "user_id", "username", "user",
}  # fmt: skip
ANN = {"username": "ann", "email": "ann@x.org", "first_name": "Ann", "last_name": "B"}


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[IdentitySite]:
    with running(tmp_path, database_url) as found:
        yield found


@pytest.fixture
def local(tmp_path: Path) -> Iterator[IdentitySite]:
    """On SQLite alone, for what is decided before any database."""
    with running(tmp_path, f"sqlite:///{tmp_path / 'local.db'}") as found:
        yield found


def assert_error(answer: Any, status: int, pointer: str | None = None) -> None:
    """One text under every key, beside problem+json."""
    body = answer.json
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert body["success"] is False
    assert {body["error"], body["message"], body["msg"]} == {body["detail"]}
    assert (body["status"], bool(body["trace_id"])) == (status, True)
    if pointer is not None:
        assert [error["pointer"] for error in body["errors"]] == [pointer]


def test_register_answers_every_known_key(site: IdentitySite) -> None:
    answer = site.register(**ANN)
    body = answer.json
    assert answer.status_code == 201
    assert body.keys() == ANSWER_KEYS
    assert body["user"].keys() == USER_KEYS
    assert (body["token_type"], body["refresh_token"], body["username"]) == ("Bearer", None, "ann")
    assert body["user"]["name"] == "Ann B"
    assert answer.headers["Cache-Control"] == "no-store"


def test_answer_holds_both_forms_of_key(site: IdentitySite) -> None:
    body = site.register(**ANN).json
    profile = site.me(body["token"]).json
    assert len(body["user"]["id"]) == 24
    assert len(body["user_id"]) == 36
    assert (profile["id"], profile["user_id"]) == (body["user"]["id"], body["user_id"])
    assert profile["number"] == 1


def test_token_lives_as_long_as_set(local: IdentitySite) -> None:
    expires = datetime.fromisoformat(local.register(**ANN).json["expires_at"])
    assert abs((expires - datetime.now(UTC)).total_seconds() - local.app.settings.identity.token_seconds) < 10


@pytest.mark.parametrize(
    "body",
    [
        {"username": "ann", "email": "ann@x.org", "first_name": "Ann", "last_name": "B"},
        {"name": "Ann", "email": "ann@x.org"},
        {"full_name": "Ann", "email": "ann@x.org", "remember": True},
        {"username": "ann"},
        {"username": "ann@x.org"},
    ],
)
def test_each_client_signs_up_and_in(site: IdentitySite, body: dict[str, Any]) -> None:
    registered = site.register(**body).json
    key = "email" if "email" in body else "username"
    login = site.login(**{key: body[key].upper()})
    assert login.status_code == 200
    assert login.json.keys() == ANSWER_KEYS
    assert login.json["user"] == registered["user"]


def test_profile_shows_no_secret(local: IdentitySite) -> None:
    answer = local.me(local.token(**ANN))
    assert answer.json.keys() == USER_KEYS | {"user_id", "number", "email_verified", "created_at"}
    assert "argon2" not in answer.text


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"email": "ANN@X.org"}, "/email"),
        ({"username": "Ann"}, "/username"),
        ({"username": "ann@x.ORG"}, "/username"),
        ({"username": "ann", "email": "other@x.org"}, "/username"),
    ],
)
def test_duplicate_is_conflict_with_pointer(site: IdentitySite, body: dict[str, str], pointer: str) -> None:
    site.register(**ANN)
    assert_error(site.register(**body), 409, pointer)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/username"),
        ({"username": "ann", "password": "short"}, "/password"),
        ({"username": "ann", "password": None}, "/password"),
        ({"username": "ann", "password": "x" * 1025}, "/password"),
        ({"username": "ann", "password": 12345678}, "/password"),
        ({"username": "b@x.org", "email": "ann@x.org"}, "/username"),
        ({"email": "nowhere"}, "/email"),
        ({"username": 5}, "/username"),
        ({"username": "a\x00b"}, "/username"),
        ({"username": "x" * 151}, "/username"),
        ({"username": "ann", "name": "x" * 201}, "/name"),
    ],
)
def test_wrong_sign_up_has_pointer(local: IdentitySite, body: dict[str, Any], pointer: str) -> None:
    assert_error(local.register(**body), 422, pointer)


def test_lone_surrogate_is_refused(site: IdentitySite) -> None:
    data = b'{"username": "ann", "password": "\\ud800 long enough"}'
    answer = site.client().post("/api/auth/register", data=data, content_type="application/json")
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 422),
        (b"username=ann", "application/x-www-form-urlencoded", 415),
        (b"[" * 50_000, "application/json", 400),
    ],
)
def test_wrong_body_keeps_error_form(
    local: IdentitySite, data: bytes, content_type: str, status: int
) -> None:
    for path in ("/api/auth/register", "/api/auth/login"):
        assert_error(local.client().post(path, data=data, content_type=content_type), status)


@pytest.mark.parametrize(
    "body", [{"username": "ann", "password": "wrong"}, {"username": "bob"}, {"email": "b@x.org"}]
)
def test_failed_login_says_one_thing(site: IdentitySite, body: dict[str, str]) -> None:
    site.register(**ANN)
    answer = site.login(**body)
    assert_error(answer, 401)
    assert answer.json["detail"] == "the name or the password is wrong"


def test_inactive_account_cannot_sign_in(site: IdentitySite) -> None:
    site.register(**ANN)
    accounts = site.app.authentication.accounts
    accounts.set_active(accounts.named("ann"), active=False)
    assert_error(site.login(username="ann"), 401)


def test_login_wants_a_name(local: IdentitySite) -> None:
    assert_error(local.login(), 422, "/username")


def test_login_ignores_a_stale_token(local: IdentitySite) -> None:
    local.register(**ANN)
    body = {"username": "ann", "password": PASSWORD}
    assert local.send("POST", "/api/auth/login", body, Authorization="Bearer stale").status_code == 200


@pytest.mark.parametrize("header", ["Bearer stale", "Bearer", "Basic YTpi", "Bearer null"])
def test_bad_credential_is_never_anonymous(local: IdentitySite, header: str) -> None:
    assert local.send("GET", "/api/notes").status_code == 200
    answer = local.send("GET", "/api/notes", Authorization=header)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_two_tokens_are_a_bad_request(local: IdentitySite) -> None:
    token = local.token(**ANN)
    answer = local.send("GET", "/api/auth/me", Authorization=f"Bearer {token}, Bearer {token}")
    assert_error(answer, 400)
    assert 'error="invalid_request"' in answer.headers["WWW-Authenticate"]


def test_missing_token_is_challenged(local: IdentitySite) -> None:
    answer = local.send("GET", "/api/auth/me")
    assert_error(answer, 401)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="hostwright"'


def test_token_is_asked_before_the_body(local: IdentitySite) -> None:
    assert local.send("POST", "/api/notes", {"nonsense": 1}).status_code == 401


def test_rules_see_the_account(site: IdentitySite) -> None:
    ann, bob = site.token(**ANN), site.token(username="bob", email="bob@x.org")
    made = site.send("POST", "/api/notes", {"text": "mine"}, Authorization=f"Bearer {ann}").json
    path = f"/api/notes/{made['id']}"
    assert site.send("GET", path, Authorization=f"Bearer {ann}").status_code == 200
    assert site.send("GET", path, Authorization=f"Bearer {bob}").status_code == 404


def test_rules_see_account_fields(site: IdentitySite) -> None:
    ann, bob = site.token(**ANN), site.token(username="bob", email="bob@x.org")
    letter = {"text": "dear", "address": "ann@x.org"}
    assert site.send("POST", "/api/letters", letter, Authorization=f"Bearer {bob}").status_code == 403
    assert site.send("POST", "/api/letters", letter, Authorization=f"Bearer {ann}").status_code == 201


def test_role_comes_from_the_account(site: IdentitySite) -> None:
    ann, root = site.token(**ANN), site.token(username="root", role="admin")
    made = site.send("POST", "/api/notes", {"text": "mine"}, Authorization=f"Bearer {ann}").json
    path = f"/api/notes/{made['id']}"
    assert site.send("GET", path, Authorization=f"Bearer {root}").status_code == 404
    accounts = site.app.authentication.accounts
    accounts.set_role(accounts.named("root"), "admin")
    token = site.login(username="root").json["token"]
    with running_again(site) as other:
        assert other.send("GET", path, Authorization=f"Bearer {token}").status_code == 200


def running_again(site: IdentitySite) -> Any:
    """A second process of the same site, which has seen nothing yet."""
    return running(site.app.settings.root, site.app.settings.database_url)


def test_other_process_takes_the_token(site: IdentitySite) -> None:
    token = site.token(**ANN)
    with running_again(site) as other:
        assert other.me(token).json["username"] == "ann"


def test_closed_sign_up_says_so(tmp_path: Path, database_url: str) -> None:
    with running(tmp_path, database_url, identity=IdentitySettings(sign_up=False)) as site:
        answer = site.register(**ANN)
        assert_error(answer, 403)
        assert answer.json["code"] == "sign_up_closed"
        site.app.authentication.accounts.sign_up({**ANN, "password": PASSWORD})
        assert site.login(username="ann").status_code == 200


def test_operations_carry_types_for_documents(local: IdentitySite) -> None:
    found = {operation.id: operation for operation in local.app.operations}
    register, me = found["registerHostAccount"], found["profileHostAccount"]
    assert (register.input.named, register.out.named) == ("host.sign_up", "host.signed_in")  # type: ignore[union-attr]
    assert (me.input, me.out.named, me.is_public) == (None, "host.profile", False)  # type: ignore[union-attr]


PLUGIN = """
from host.actor import Actor
from host.hookspecs import hookimpl

@hookimpl
def authenticate(request):
    device = request.header("x-device")
    return Actor(id="00000000-0000-7000-8000-000000000001", roles=frozenset({device})) if device else None
"""


def test_plugin_authenticates_before_the_host(tmp_path: Path) -> None:
    folder = tmp_path / "plugins" / "devices"
    folder.mkdir(parents=True)
    (folder / "plugin.yaml").write_text('name: devices\nversion: "1.0"\n')
    (folder / "hooks.py").write_text(PLUGIN)
    with running(tmp_path, f"sqlite:///{tmp_path / 'local.db'}", plugins=("devices",)) as site:
        assert site.send("GET", "/api/letters", X_Device="scanner").status_code == 200
        assert site.send("GET", "/api/letters", X_Device="s", Authorization="Bearer stale").status_code == 200
        assert site.send("GET", "/api/letters").status_code == 401


def test_administrators_have_a_door(site: IdentitySite) -> None:
    site.register(**ANN)
    site.register(username="root")
    accounts = site.app.authentication.accounts
    accounts.set_role(accounts.named("root"), "admin")
    answers = [
        site.send("POST", "/api/auth/admin/login", {"username": name, "password": password})
        for name, password in (("root", PASSWORD), ("ann", PASSWORD), ("root", "a wrong frase 71"))
    ]
    assert [answer.status_code for answer in answers] == [200, 401, 401]
    assert answers[0].json["username"] == "root"
    assert answers[1].json["detail"] == answers[2].json["detail"]
