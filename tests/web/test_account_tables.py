"""A plugin's own user table: the host writes every account's row in it, and what another system writes there counts."""

from __future__ import annotations

import hashlib
import time
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import hashers

from host.actor import SYSTEM
from host.auth import admission, hashes, identities
from host.auth.lookup import by_name
from host.compiler.models import ACCOUNT
from host.errors import Unauthenticated
from tests.support.sites import Caller, Core, Declare

if not settings.configured:
    settings.configure()
PASSWORD = "an unlikely frase 71"
BOARD = """
resources:
  user:
    table: legacy_user
    key: int
    stored: django
    operations: [list, get, update]
    identity:
      {key: number, username: username, email: email, password: password, active: is_active, hashes: [pbkdf2_sha256],
       first_name: first_name, last_name: last_name, last_login: last_login, joined: date_joined}
    fields:
      username: {type: string, max: 150, required: true, unique: true}
      email: {type: email, required: true, unique: true}
      password: {type: string, max: 128, required: true}
      first_name: {type: string, max: 150, required: true}
      last_name: {type: string, max: 150, required: true}
      is_active: {type: boolean, default: true}
      is_staff: {type: boolean, default: false, set: server}
      last_login: {type: datetime}
      date_joined: {type: datetime, required: true}
      motto: {type: string, max: 50}
    query: {filter: [username]}
    access: {list: authenticated, get: authenticated, update: row.id == me.number}
  board:
    key: uuid4
    stored: django
    mixins: [{owned: {as: created_by, to: user, column: created_by_id}}]
    fields: {title: {type: string, required: true}}
    relations:
      members: {to: user, many: true}
      memberships: {to: membership, many: true, by: board}
    query: {expand: [created_by]}
    wire: {through: {author: created_by.username}}
    access:
      read: [owner, member(members), member(memberships)]
      create: authenticated
      update: created_by == me
      delete: owner
  membership:
    key: int
    stored: django
    relations: {board: {to: board, required: true, on_delete: cascade}, user: {to: user, required: true, on_delete: cascade}}
    access: authenticated
"""


@pytest.fixture(scope="module")
def site(declare: Declare) -> Core:
    return declare(BOARD)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashes, "PBKDF2_ROUNDS", 1000)


@pytest.fixture(autouse=True)
def empty(site: Core) -> Iterator[None]:
    yield
    with site.site.database.writing() as connection:
        for table in ("site_membership", "site_board_members", "site_board", "legacy_user", "host_session"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
        connection.exec_driver_sql("DELETE FROM host_account")


def run(site: Core, sql: str) -> list[Any]:
    with site.site.database.writing() as connection:
        found = connection.exec_driver_sql(sql)
        return list(found) if found.returns_rows else []


def legacy(password: str = PASSWORD) -> str:
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), b"salt", 1000)
    return f"pbkdf2_sha256$1000$salt${b64encode(digest).decode()}"


def add(site: Core, name: str, email: str | None = None, password: str | None = None, active: int = 1) -> int:
    """A user that the other system makes."""
    true, false = (active, 0) if site.dialect == "sqlite" else (bool(active), False)
    now = "2024-05-01 10:00:00" + ("" if site.dialect == "sqlite" else "+00")
    return int(
        run(
            site,
            "INSERT INTO legacy_user (username, email, password, first_name, last_name, is_active, is_staff, date_joined)"
            f" VALUES ('{name}', '{email or name + '@example.org'}', '{password or legacy()}', 'Old', '', {true}, {false},"
            f" '{now}') RETURNING id",
        )[0][0]
    )


def row(site: Core, number: int) -> Any:
    return run(site, f"SELECT * FROM legacy_user WHERE id = {number}")


def sign_up(site: Core, name: str) -> dict[str, Any]:
    body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD, "first_name": "Ann"}
    reply = site.anonymous.post("/api/auth/register", body)
    assert reply.status == 201, reply.body
    found: dict[str, Any] = reply.json
    return found


def sign_in(site: Core, name: str, password: str = PASSWORD) -> Any:
    return site.anonymous.post("/api/auth/login", {"username": name, "password": password})


def caller(site: Core, answer: dict[str, Any]) -> Caller:
    return Caller(site.door, answer["token"])


def me(site: Core, answer: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = caller(site, answer).get("/api/auth/me").json
    return found


def test_sign_up_writes_the_row(site: Core) -> None:
    answer = sign_up(site, "ann")
    found = run(
        site,
        "SELECT id, username, email, password, first_name, last_name, is_active, is_staff FROM legacy_user",
    )
    assert len(found) == 1
    number, name, email, stored, first, last, active, staff = found[0]
    assert (name, email, first, last, bool(active), bool(staff)) == (
        "ann",
        "ann@example.org",
        "Ann",
        "",
        True,
        False,
    )
    assert hashers.check_password(PASSWORD, stored, setter=None)
    assert me(site, answer)["number"] == number
    assert sign_in(site, "ann").status == 200


def test_relations_show_and_compare_the_number(site: Core) -> None:
    ann, bob, eve = (caller(site, sign_up(site, name)) for name in ("ann", "bob", "eve"))
    board = ann.make("/api/boards", title="One")
    number = ann.get("/api/auth/me").json["number"]
    assert (board["created_by"], board["author"]) == (number, "ann")
    assert run(site, "SELECT created_by_id FROM site_board") == [(number,)]
    path = f"/api/boards/{board['id']}"
    assert ann.patch(path, {"title": "Two"}).status == 200
    assert bob.get(path).status == 404
    assert bob.get("/api/boards").json["items"] == []
    bobs = bob.get("/api/auth/me").json["number"]
    assert ann.patch(path, {"members": [bobs]}).status == 200
    assert [row["id"] for row in bob.get("/api/boards").json["items"]] == [board["id"]]
    assert bob.patch(path, {"title": "x"}).status == 403
    eves = eve.get("/api/auth/me").json["number"]
    ann.make("/api/memberships", board=board["id"], user=eves)
    assert eve.get(path).status == 200


def test_answers_of_the_table_hide_hashes(site: Core) -> None:
    ann = caller(site, sign_up(site, "ann"))
    found = ann.get("/api/users").json["items"]
    assert [set(item) & {"password", "username"} for item in found] == [{"username"}]
    path = f"/api/users/{found[0]['id']}"
    assert ann.patch(path, {"motto": "hi"}).json["motto"] == "hi"
    assert ann.patch(path, {"email": "x@example.org"}).status == 422


def test_row_of_other_system_becomes_account(site: Core) -> None:
    sign_up(site, "ann")
    number = add(site, "Otto")
    assert sign_in(site, "otto", "a wrong frase 71").status == 401
    answer = sign_in(site, "otto")
    assert answer.status == 200, answer.body
    told = me(site, answer.json)
    assert (told["number"], told["username"], told["email"]) == (number, "Otto", "Otto@example.org")
    again = sign_in(site, "Otto@example.org")
    assert me(site, again.json)["user_id"] == told["user_id"]
    assert run(site, f"SELECT last_login IS NULL, password FROM legacy_user WHERE id = {number}") in (
        [(0, legacy())], [(False, legacy())],
    )  # fmt: skip
    assert caller(site, answer.json).make("/api/boards", title="x")["created_by"] == number


def test_both_systems_count_in_one_sequence(site: Core) -> None:
    numbers = [
        me(site, sign_up(site, "a1"))["number"],
        add(site, "a2"),
        me(site, sign_up(site, "a3"))["number"],
        add(site, "a4"),
    ]
    assert numbers == sorted(set(numbers))
    assert numbers[3] - numbers[0] == 3


def test_password_of_other_system_counts(site: Core) -> None:
    answer = sign_up(site, "ann")
    run(site, f"UPDATE legacy_user SET password = '{legacy('quite another frase')}'")
    assert sign_in(site, "ann").status == 401
    assert sign_in(site, "ann", "quite another frase").status == 200
    assert me(site, answer)["username"] == "ann"


def test_names_of_other_system_count(site: Core) -> None:
    sign_up(site, "ann")
    run(site, "UPDATE legacy_user SET username = 'anna', email = 'anna@example.net'")
    assert sign_in(site, "ann").status == 401
    assert sign_in(site, "ann@example.org").status == 401
    assert me(site, sign_in(site, "anna").json)["email"] == "anna@example.net"
    assert run(site, "SELECT username, email FROM host_account") == [("anna", "anna@example.net")]


def test_former_name_may_be_anothers(site: Core) -> None:
    sign_up(site, "ann")
    run(site, "UPDATE legacy_user SET username = 'anna', email = 'anna@example.net'")
    number = add(site, "ann")
    answer = sign_in(site, "ann")
    assert answer.status == 200, answer.body
    assert me(site, answer.json)["number"] == number


def test_deactivation_by_other_system_ends_sessions(site: Core) -> None:
    answer = sign_up(site, "ann")
    false = 0 if site.dialect == "sqlite" else False
    run(site, f"UPDATE legacy_user SET is_active = {false}")
    site.site.app.authentication.tokens._states._recent._kept.clear()  # seconds later
    assert caller(site, answer).get("/api/auth/me").status == 401
    assert sign_in(site, "ann").status == 401


def test_row_removed_by_other_system_ends_account(site: Core) -> None:
    answer = sign_up(site, "ann")
    run(site, "DELETE FROM legacy_user")
    site.site.app.authentication.tokens._states._recent._kept.clear()
    assert caller(site, answer).get("/api/auth/me").status == 401
    assert sign_in(site, "ann").status == 401
    assert run(site, "SELECT count(*) FROM legacy_user") == [(0,)]


def accounts(site: Core) -> Any:
    return site.site.app.authentication.accounts


def test_operator_changes_reach_the_row(site: Core) -> None:
    number = me(site, sign_up(site, "ann"))["number"]
    accounts(site).set_password(accounts(site).named("ann"), "entirely different 9")
    stored = run(site, f"SELECT password FROM legacy_user WHERE id = {number}")[0][0]
    assert hashers.check_password("entirely different 9", stored, setter=None)
    accounts(site).set_active(accounts(site).named("ann"), active=False)
    assert [bool(value) for (value,) in run(site, "SELECT is_active FROM legacy_user")] == [False]
    false, true = (0, 1) if site.dialect == "sqlite" else (False, True)
    run(site, f"UPDATE legacy_user SET is_active = {true}")
    accounts(site).set_active(accounts(site).named("ann"), active=False)
    assert run(site, "SELECT is_active FROM legacy_user") == [(false,)]


def test_profile_changes_reach_the_row(site: Core) -> None:
    ann = accounts(site).named(sign_up(site, "ann")["username"])
    with site.site.runtime.writing(SYSTEM, plugin="host") as ctx:
        ctx.records(ACCOUNT).update(ann["id"], {"username": "anna", "first_name": None, "last_name": "Ample"})
    assert run(site, "SELECT username, first_name, last_name FROM legacy_user") == [("anna", "", "Ample")]


def test_deleted_account_takes_its_row_along(site: Core) -> None:
    ann, bob = (sign_up(site, name) for name in ("ann", "bob"))
    board = caller(site, ann).make("/api/boards", title="One")
    number = me(site, bob)["number"]
    caller(site, ann).patch(f"/api/boards/{board['id']}", {"members": [number]})
    caller(site, ann).make("/api/memberships", board=board["id"], user=number)
    with site.site.runtime.writing(SYSTEM, plugin="host") as ctx:
        ctx.records(ACCOUNT).delete(accounts(site).named("ann")["id"])
    assert run(site, "SELECT username FROM legacy_user") == [("bob",)]
    for table in ("site_board", "site_membership", "site_board_members"):
        assert run(site, f"SELECT count(*) FROM {table}") == [(0,)]


def test_taken_names_are_conflicts(site: Core) -> None:
    add(site, "Otto")
    for body in (
        {"username": "otto", "email": "o@example.org"},
        {"username": "o", "email": "OTTO@example.org"},
    ):
        reply = site.anonymous.post("/api/auth/register", {**body, "password": PASSWORD})
        assert (reply.status, reply.pointers) == (
            409,
            ["/username" if body["username"] == "otto" else "/email"],
        )
    assert run(site, "SELECT count(*) FROM host_account") == [(0,)]


def old_account(site: Core, name: str, number: int) -> str:
    """An account as it was before the table came."""
    stored = accounts(site).passwords.__class__().hash(PASSWORD)
    with site.site.runtime.writing(SYSTEM, plugin="host") as ctx:
        values = {"username": name, "email": f"{name}@example.org", "hex": f"{number:024x}", "number": number}
        made = ctx.records(ACCOUNT).create({**values, "password": stored, "mirrored": True})
        ctx.execute(
            ctx.table(ACCOUNT).update().where(ctx.table(ACCOUNT).c.id == made["id"]).values(mirrored=False)
        )
    return str(made["id"])


def test_old_accounts_get_rows(site: Core) -> None:
    first = me(site, sign_up(site, "first"))["number"]
    old_account(site, "ann", first + 7)
    old_account(site, "bob", first + 9)
    assert admission.give_rows(site.site.runtime) == 2
    assert run(site, "SELECT id, username, password FROM legacy_user WHERE username <> 'first' ORDER BY id") == [
        (first + 7, "ann", "!held by the host"), (first + 9, "bob", "!held by the host"),
    ]  # fmt: skip
    answer = sign_in(site, "ann")
    assert answer.status == 200, answer.body
    stored = run(site, "SELECT password FROM legacy_user WHERE username = 'ann'")[0][0]
    assert hashers.check_password(PASSWORD, stored, setter=None)
    assert sign_in(site, "ann").status == 200
    assert me(site, sign_up(site, "eve"))["number"] > first + 9


def test_old_account_gets_row_at_first_need(site: Core) -> None:
    number = me(site, sign_up(site, "first"))["number"] + 5
    old_account(site, "ann", number)
    assert caller(site, sign_in(site, "ann").json).make("/api/boards", title="x")["created_by"] == number
    assert [bool(value) for (value,) in run(site, "SELECT mirrored FROM host_account")] == [True, True]


def test_same_person_is_joined(site: Core) -> None:
    number = add(site, "ann")
    old_account(site, "ann", number)
    assert me(site, sign_in(site, "ann").json)["number"] == number
    assert run(site, "SELECT count(*) FROM legacy_user") == [(1,)]


def test_clashing_numbers_are_told_and_refused(site: Core) -> None:
    number = add(site, "otto")
    old_account(site, "ann", number)
    said = f"ann has the number {number}, which in legacy_user is otto"
    with pytest.raises(admission.NumberTaken, match=said):
        admission.give_rows(site.site.runtime)
    assert sign_in(site, "ann").status == 401
    assert sign_in(site, "otto").status == 401
    assert run(site, "SELECT username FROM legacy_user") == [("otto",)]


def nameless(site: Core, name: str) -> dict[str, Any]:
    """A new account without an e-mail address, which a row of the table needs."""
    reply = site.anonymous.post("/api/auth/register", {"username": name, "password": PASSWORD})
    assert reply.status == 201, reply.body
    found: dict[str, Any] = reply.json
    return found


def test_user_name_alone_gets_no_row(site: Core) -> None:
    ann = nameless(site, "ann")
    assert run(site, "SELECT count(*) FROM legacy_user") == [(0,)]
    assert me(site, ann)["username"] == "ann"
    assert sign_in(site, "ann").status == 200
    assert caller(site, ann).get("/api/boards").json["items"] == []
    refused = caller(site, ann).post("/api/boards", {"title": "One"})
    assert (refused.status, refused.pointers) == (422, ["/email"]), refused.body
    assert "e-mail address" in refused.json["detail"]


def test_address_brings_the_row(site: Core) -> None:
    ann = nameless(site, "ann")
    number = me(site, ann)["number"]
    change = {"email": "ann@example.org", "current_password": PASSWORD}
    assert caller(site, ann).patch("/api/auth/me", change).status == 200
    assert run(site, "SELECT id, username, email FROM legacy_user") == [(number, "ann", "ann@example.org")]
    assert caller(site, ann).make("/api/boards", title="One")["created_by"] == number
    assert caller(site, ann).patch("/api/auth/me", {"username": "anna"}).status == 200
    assert run(site, "SELECT username FROM legacy_user") == [("anna",)]


def test_numbers_without_rows_are_kept(site: Core) -> None:
    numbers = [
        me(site, nameless(site, "a1"))["number"],
        add(site, "a2"),
        me(site, sign_up(site, "a3"))["number"],
        me(site, nameless(site, "a4"))["number"],
        add(site, "a5"),
    ]
    assert numbers == list(range(numbers[0], numbers[0] + 5))


def test_accounts_without_address_wait_on(site: Core) -> None:
    number = me(site, nameless(site, "ann"))["number"]
    run(site, f"UPDATE host_account SET number = {number + 6}")
    assert admission.give_rows(site.site.runtime) == 0
    assert me(site, sign_up(site, "bob"))["number"] == number + 7


def test_user_name_alone_is_no_other_users(site: Core) -> None:
    add(site, "otto")
    reply = site.anonymous.post("/api/auth/register", {"username": "Otto", "password": PASSWORD})
    assert (reply.status, reply.pointers) == (409, ["/username"])


def test_nobody_learns_what_others_lack(site: Core) -> None:
    ann, bob = caller(site, sign_up(site, "ann")), me(site, nameless(site, "bob"))["number"]
    board = ann.make("/api/boards", title="One")
    refused = ann.post("/api/memberships", {"board": board["id"], "user": bob})
    assert (refused.status, refused.pointers) == (422, ["/user"])


def test_newcomers_are_no_accounts_before(site: Core) -> None:
    add(site, "otto")
    with site.site.database.reading() as connection:
        assert by_name(site.site.runtime, connection, "otto") is None
        assert identities.newcomer(site.site.runtime, connection, {"username": "OTTO"})["id"] is None  # type: ignore[index]


def test_joined_is_when_it_was_made(site: Core) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    sign_up(site, "ann")
    found = run(site, "SELECT date_joined FROM legacy_user")[0][0]
    joined = datetime.fromisoformat(found).replace(tzinfo=UTC) if isinstance(found, str) else found
    assert before <= joined <= datetime.now(UTC)


def test_numbers_are_never_given_twice(site: Core) -> None:
    number = me(site, sign_up(site, "ann"))["number"]
    with site.site.runtime.writing(SYSTEM, plugin="host") as ctx:
        ctx.records(ACCOUNT).delete(accounts(site).named("ann")["id"])
    assert me(site, sign_up(site, "bob"))["number"] == number + 1


@pytest.mark.parametrize("is_old", [False, True])
def test_unknown_names_cost_what_accounts_cost(
    site: Core, is_old: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashes, "PBKDF2_ROUNDS", 200_000)
    sign_up(site, "ann")
    if is_old:  # a format of long ago, which new hashes do not have
        run(site, f"UPDATE legacy_user SET password = '$2b$10${'a' * 53}'")

    def cost(name: str) -> float:
        def once() -> float:
            started = time.thread_time()
            with pytest.raises(Unauthenticated):
                accounts(site).sign_in(username=name, email=None, password="a wrong frase 71")
            return time.thread_time() - started

        once()
        return min(once() for _ in range(3))

    assert 0.5 < cost("nobody") / cost("ann") < 2
