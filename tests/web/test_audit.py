"""The audit log: every write is noted in its own transaction, refusals are counted, and only admins read it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from host.cli import main
from host.errors import Forbidden
from host.web.audit import Audit
from host.web.door import Door
from host.web.http import Answer, Request
from host.web.pipeline import Pipeline
from host.web.router import Router
from host.web.steps import Seen
from tests.support.sites import Caller, Core, Declare

YAML = """
types:
  word: {type: object, fields: {text: string}}
resources:
  tag:
    fields: {name: {type: string, required: true}}
    access: authenticated
  folder:
    mixins: [owned]
    fields: {name: {type: string, required: true}}
    access: owner
  note:
    mixins: [owned, stamped, versioned]
    fields:
      title: {type: string, max: 100, required: true}
      body: text
      price: decimal
      due: date
      extra: json
      pin: {type: string, secret: true, max: 20}
    relations:
      folder: {to: folder, on_delete: cascade}
      tags: {to: tag, many: true}
    access: {every: owner, delete: "owner and title != 'kept'"}
    actions:
      rename: {call: actions.rename, access: owner, in: word, out: note}
      system: {target: collection, call: actions.system, access: authenticated}
      half: {target: collection, call: actions.half, access: authenticated}
  marked:
    mixins: [owned, soft_delete]
    fields: {name: {type: string, required: true}}
    relations: {folder: {to: folder, on_delete: set_null}}
    access: owner
  counted:
    key: int
    fields: {name: {type: string, required: true}}
    access: authenticated
  quiet: {audit: false, fields: {name: string}, access: authenticated}
  partial: {audit: {fields: [name]}, fields: {name: string, other: string}, access: authenticated}
  names_only: {plural: names_only, audit: {values: false}, fields: {name: string}, access: authenticated}
"""
CODE = """
def rename(ctx, row, data):
    return ctx.records("note").update(row["id"], {"title": data["text"]})

def system(ctx, data):
    ctx.as_system().records("tag").create({"name": "by the plugin"})

def half(ctx, data):
    ctx.records("tag").create({"name": "outer"})
    try:
        with ctx.transaction.savepoint():
            ctx.records("tag").create({"name": "undone"})
            raise KeyError
    except KeyError:
        pass
"""
API = "/api/demo"
FROM = {"REMOTE_ADDR": "127.0.0.7"}


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(YAML, CODE)


@pytest.fixture
def user(core: Core) -> Caller:
    return core.user()


@pytest.fixture(scope="module")
def admin(core: Core) -> Caller:
    return core.user(role="admin")


def entries(admin: Caller, **filters: Any) -> list[dict[str, Any]]:
    """The entries that match, oldest first."""
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    reply = admin.get(f"/api/host/audit?{query}")
    assert reply.status == 200, reply.body
    found: list[dict[str, Any]] = reply.json["items"]
    return found[::-1]


def last(core: Core, admin: Caller, user: Caller, **filters: Any) -> dict[str, Any]:
    assert user.actor is not None
    return entries(admin, actor=user.actor.id, kind="write", **filters)[-1]


def test_create_is_noted(core: Core, user: Caller, admin: Caller) -> None:
    headers = {"User-Agent": "tests/1", "X-Request-Id": "request-7"}
    body = {"title": "a", "price": "1.50", "due": "2026-01-31"}
    row = user.send("POST", f"{API}/notes", body, headers, environ_base=FROM).json
    entry = last(core, admin, user)
    changes = entry.pop("changes")
    assert (
        changes["title"] == [None, "a"]
        and changes["price"] == [None, "1.50"]
        and changes["due"][1] == "2026-01-31"
    )
    assert "body" not in changes
    assert entry.items() >= {
        "kind": "write", "operation": "create", "resource": "demo.note", "key": row["id"], "actor": user.actor.id,
        "system": False, "address": "127.0.0.7", "agent": "tests/1", "request_id": "request-7", "api_key": None, "count": 1,
    }.items()  # fmt: skip
    assert entry["session"] is not None


def test_update_notes_what_changed(core: Core, user: Caller, admin: Caller) -> None:
    row = user.make(f"{API}/notes", title="a", body="same")
    user.patch(f"{API}/notes/{row['id']}", {"title": "b", "body": "same"})
    entry = last(core, admin, user, operation="update")
    assert entry["changes"] == {"title": ["a", "b"]}


def test_update_of_nothing_is_not_noted(core: Core, user: Caller, admin: Caller) -> None:
    row = user.make(f"{API}/notes", title="a")
    user.patch(f"{API}/notes/{row['id']}", {"title": "a"})
    assert entries(admin, key=row["id"], operation="update") == []


def test_delete_notes_what_was(core: Core, user: Caller, admin: Caller) -> None:
    row = user.make(f"{API}/notes", title="gone")
    user.delete(f"{API}/notes/{row['id']}")
    assert last(core, admin, user, operation="delete")["changes"]["title"] == ["gone", None]


def test_refused_write_is_not_noted(core: Core, user: Caller, admin: Caller) -> None:
    row = user.make(f"{API}/notes", title="kept")
    assert user.delete(f"{API}/notes/{row['id']}").status == 403
    assert entries(admin, key=row["id"], operation="delete") == []


def test_secrets_are_masked(core: Core, user: Caller, admin: Caller) -> None:
    row = user.make(f"{API}/notes", title="a", pin="1234-5678")
    user.patch(f"{API}/notes/{row['id']}", {"pin": "8765-4321"})
    assert last(core, admin, user, operation="create")["changes"]["pin"] == [None, "***"]
    assert last(core, admin, user, operation="update")["changes"]["pin"] == ["***", "***"]
    with core.reading() as ctx:
        stored = str(ctx.records("host.audit_entry").find_all())
    assert "1234-5678" not in stored and "8765-4321" not in stored


def test_unwatched_change_is_not_noted(core: Core, user: Caller, admin: Caller) -> None:
    row = user.make(f"{API}/partials", name="a", other="b")
    user.patch(f"{API}/partials/{row['id']}", {"other": "c"})
    assert entries(admin, key=row["id"], operation="update") == []


def test_passwords_are_masked(core: Core, admin: Caller) -> None:
    body = {"email": f"p-{core.dialect}@example.org", "password": "correct horse battery"}
    core.anonymous.send("POST", "/api/auth/register", body, environ_base=FROM)
    entry = entries(admin, resource="host.account", operation="create")[-1]
    assert entry["changes"]["password"] == [None, "***"]
    assert entry["system"] is True and entry["address"] == "127.0.0.7"


def test_long_values_are_cut(core: Core, user: Caller, admin: Caller) -> None:
    user.make(f"{API}/notes", title="a", body="x" * 5000, extra={"words": ["y" * 5000]})
    changes = last(core, admin, user)["changes"]
    assert changes["body"][1] == "x" * 500 + "… (5000 characters)"
    assert changes["extra"][1].startswith('{"words":["yyy') and len(changes["extra"][1]) < 530


def test_links_are_noted(core: Core, user: Caller, admin: Caller) -> None:
    one, two = (user.make(f"{API}/tags", name=name)["id"] for name in "ab")
    row = user.make(f"{API}/notes", title="a", tags=[one])
    user.patch(f"{API}/notes/{row['id']}", {"tags": [one, two]})
    assert last(core, admin, user, key=row["id"], operation="create")["changes"]["tags"] == [[], [one]]
    before, after = last(core, admin, user, key=row["id"], operation="update")["changes"]["tags"]
    assert (before, set(after)) == ([one], {one, two})


def test_cascades_are_noted(core: Core, user: Caller, admin: Caller) -> None:
    folder = user.make(f"{API}/folders", name="f")["id"]
    row = user.make(f"{API}/notes", title="in it", folder=folder)
    left = user.make(f"{API}/markeds", name="left", folder=folder)
    assert user.delete(f"{API}/folders/{folder}").status == 204
    assert entries(admin, key=row["id"])[-1]["operation"] == "delete"
    assert entries(admin, key=row["id"])[-1]["changes"]["title"] == ["in it", None]
    assert entries(admin, key=left["id"])[-1]["changes"] == {"folder": [folder, None]}
    assert user.get(f"{API}/notes/{row['id']}").status == 404


def test_bulk_is_noted_row_by_row(core: Core, user: Caller, admin: Caller) -> None:
    rows = user.post(f"{API}/notes/bulk", [{"title": str(number)} for number in range(1, 8)]).json["items"]
    user.send("PATCH", f"{API}/notes/bulk", [{"id": row["id"], "title": "x"} for row in rows])
    user.send("DELETE", f"{API}/notes/bulk", [row["id"] for row in rows[:3]])
    noted = entries(admin, actor=user.actor.id, kind="write")
    assert [entry["operation"] for entry in noted] == ["create"] * 7 + ["update"] * 7 + ["delete"] * 3


@pytest.mark.parametrize("resource", ["notes", "counteds"])
def test_import_is_noted(core: Core, user: Caller, admin: Caller, resource: str) -> None:
    name = "title" if resource == "notes" else "name"
    body = f"{name}\none\ntwo\nthree\n".encode()
    reply = user.send("POST", f"{API}/{resource}/import", body, {"Content-Type": "text/csv"})
    assert reply.json["created"] == 3
    noted = entries(admin, actor=user.actor.id, kind="write")
    assert [entry["changes"][name][1] for entry in noted] == ["one", "two", "three"]
    assert all(entry["key"] for entry in noted)


def test_many_entries_are_stored_in_parts(core: Core, user: Caller, admin: Caller) -> None:
    body = b"title\n" + b"".join(b"%d\n" % number for number in range(1300))
    user.send("POST", f"{API}/notes/import", body, {"Content-Type": "text/csv"})
    reply = admin.get(f"/api/host/audit?actor={user.actor.id}&kind=write&count=exact")
    assert reply.json["total"] == 1300


def test_failed_import_notes_nothing(core: Core, user: Caller, admin: Caller) -> None:
    body = b"title\n" + b"".join(b"%d\n" % number for number in range(700)) + b"\n,,,\n" + b"x" * 200 + b"\n"
    assert user.send("POST", f"{API}/notes/import", body, {"Content-Type": "text/csv"}).status == 422
    assert entries(admin, actor=user.actor.id, kind="write") == []


def test_actions_are_noted(core: Core, user: Caller, admin: Caller) -> None:
    row = user.make(f"{API}/notes", title="a")
    user.post(f"{API}/notes/{row['id']}/rename", {"text": "b"})
    assert last(core, admin, user)["changes"] == {"title": ["a", "b"]}


def test_system_writes_name_who_asked(core: Core, user: Caller, admin: Caller) -> None:
    user.post(f"{API}/notes/system")
    entry = last(core, admin, user)
    assert (entry["resource"], entry["system"]) == ("demo.tag", True)


def test_undone_part_notes_nothing(core: Core, user: Caller, admin: Caller) -> None:
    user.post(f"{API}/notes/half")
    assert [entry["changes"]["name"][1] for entry in entries(admin, actor=user.actor.id, kind="write")] == [
        "outer"
    ]


def test_commands_are_the_system(core: Core, admin: Caller) -> None:
    with core.writing() as ctx:
        row = ctx.records("demo.tag").create({"name": "by a command"})
    entry = entries(admin, key=row["id"])[0]
    assert (entry["actor"], entry["system"], entry["address"]) == (None, True, None)


@pytest.mark.parametrize(
    ("path", "body", "changes"),
    [
        ("quiets", {"name": "a"}, None),
        ("partials", {"name": "a", "other": "b"}, {"name": [None, "a"]}),
        ("names_only", {"name": "a"}, {"id": None, "name": None}),
    ],
)
def test_resources_say_what_is_noted(
    core: Core, user: Caller, admin: Caller, path: str, body: Any, changes: Any
) -> None:  # fmt: skip
    user.make(f"{API}/{path}", **body)
    noted = entries(admin, actor=user.actor.id, kind="write")
    assert [entry["changes"] for entry in noted] == ([] if changes is None else [changes])


# --- refusals -------------------------------------------------------------------------------------------------------


def test_refusals_are_counted_on_one_entry(core: Core, user: Caller, admin: Caller) -> None:
    row = user.make(f"{API}/notes", title="kept")
    for _ in range(9):
        user.delete(f"{API}/notes/{row['id']}")
    noted = entries(admin, actor=user.actor.id, kind="denied")
    assert [(entry["operation"], entry["status"], entry["count"]) for entry in noted] == [
        ("deleteDemoNote", 403, 8)
    ]
    assert (noted[0]["resource"], noted[0]["key"]) == ("demo.note", row["id"])


def test_bad_token_is_noted(core: Core, admin: Caller) -> None:
    Caller(core.door, "no.token").send("GET", f"{API}/tags", environ_base=FROM)
    noted = [
        entry for entry in entries(admin, kind="denied", status=401) if entry["operation"] == "listDemoTag"
    ]
    assert noted[-1]["address"] == "127.0.0.7"


def test_stranger_without_credential_is_no_news(core: Core, admin: Caller) -> None:
    core.anonymous.get(f"{API}/markeds")
    assert all(entry["operation"] != "listDemoMarked" for entry in entries(admin, kind="denied"))


def test_windows_close_and_refusals_are_bounded(core: Core, user: Caller, admin: Caller) -> None:
    now = [0.0]
    audit = Audit(core.site.runtime, lambda: now[0])
    app = core.site.app
    pipeline = Pipeline(
        Router(app.operations), app.authentication.authenticators, lambda request: None, steps=audit.steps()
    )
    row = user.make(f"{API}/notes", title="kept")
    caller = Caller(Door(pipeline), user.token)
    for _ in range(3):
        caller.delete(f"{API}/notes/{row['id']}")
    now[0] = 61.0
    caller.delete(f"{API}/notes/{row['id']}")
    noted = entries(admin, actor=user.actor.id, kind="denied")
    assert [entry["count"] for entry in noted] == [3, 1]


def test_many_networks_share_an_entry(core: Core, admin: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host.web.audit.MOST_ENTRIES", 5)
    audit = Audit(core.site.runtime)
    before = len(entries(admin, kind="denied", operation="*"))
    for number in range(40):
        request = Request("GET", "/", "", lambda name: None, lambda size: b"", 0, remote=f"192.0.2.{number}")
        audit.observe(Seen(request, None, Answer(), Forbidden(), 0.0))
    assert [entry["count"] for entry in entries(admin, kind="denied", operation="*")[before:]] == [32]


# --- reading --------------------------------------------------------------------------------------------------------


def test_only_admins_read_it(core: Core, user: Caller) -> None:
    assert core.anonymous.get("/api/host/audit").status == 401
    assert user.get("/api/host/audit").json["items"] == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nobody_changes_it(core: Core, admin: Caller, method: str) -> None:
    entry = entries(admin)[0]
    for path in (
        "/api/host/audit",
        f"/api/host/audit/{entry['id']}",
        "/api/host/audit/bulk",
        "/api/host/audit/import",
    ):
        assert admin.send(method, path, {}).status in (404, 405)


def test_it_is_filtered_by_time_and_paged(core: Core, user: Caller, admin: Caller) -> None:
    for number in range(3):
        user.make(f"{API}/tags", name=str(number))
    first = entries(admin, actor=user.actor.id)[0]
    assert entries(admin, actor=user.actor.id, **{"at[lt]": first["at"]}) == []
    page = admin.get(f"/api/host/audit?actor={user.actor.id}&kind=write&page_size=2").json
    rest = admin.get(
        f"/api/host/audit?actor={user.actor.id}&kind=write&page_size=2&cursor={page['next']}"
    ).json
    names = [entry["changes"]["name"][1] for entry in (*page["items"], *rest["items"])]
    assert (names, rest["next"]) == (["2", "1", "0"], None)


def test_agent_with_odd_letters_is_noted(core: Core, user: Caller, admin: Caller) -> None:
    user.send("POST", f"{API}/tags", {"name": "a"}, {"User-Agent": "a\tb\x7f" + "é" * 300})
    agent = last(core, admin, user)["agent"]
    assert len(agent) <= 200 and not re.search(r"[\x00-\x1f\x7f]", agent)


# --- accounts -------------------------------------------------------------------------------------------------------


def signed_up(core: Core, name: str) -> tuple[dict[str, str], str]:
    body = {"email": f"{name}@example.org", "password": "correct horse battery"}
    reply = core.anonymous.send("POST", "/api/auth/register", body, environ_base=FROM)
    return body, reply.json["user_id"]


def test_sign_in_and_out_are_noted(core: Core, admin: Caller) -> None:
    body, account = signed_up(core, "signer")
    reply = core.anonymous.send("POST", "/api/auth/login", body, environ_base=FROM)
    caller = Caller(core.door, reply.json["token"])
    assert caller.send("POST", "/api/auth/logout", {}, environ_base=FROM).status < 300
    noted = entries(admin, kind="identity", key=account)
    assert [entry["operation"] for entry in noted] == ["sign_in", "sign_in", "session_ended"]
    assert {(entry["actor"], entry["address"]) for entry in noted} == {(account, "127.0.0.7")}
    assert noted[1]["session"] == noted[2]["session"]


def test_failed_sign_ins_are_counted(core: Core, admin: Caller) -> None:
    body, account = signed_up(core, "guessed")
    for _ in range(3):
        reply = core.anonymous.send(
            "POST", "/api/auth/login", {**body, "password": "wrong horse"}, environ_base=FROM
        )
        assert reply.status == 401
    noted = entries(admin, kind="identity", key=account, status=401)
    assert [(entry["count"], entry["actor"], entry["address"]) for entry in noted] == [(2, None, "127.0.0.7")]
    assert "wrong horse" not in str(noted)


def test_password_and_role_changes_are_noted(core: Core, admin: Caller) -> None:
    _, account = signed_up(core, "changing")
    accounts = core.site.app.authentication.accounts
    accounts.set_role(accounts.get(account), "editor")
    accounts.set_password(accounts.get(account), "another horse battery")
    noted = entries(admin, kind="write", key=account, operation="update")
    assert noted[0]["changes"]["role"] == ["user", "editor"]
    assert noted[1]["changes"]["password"] == ["***", "***"]
    assert noted[1]["system"] is True and noted[1]["actor"] is None


def test_keys_are_noted(core: Core, admin: Caller) -> None:
    _, account = signed_up(core, "machine")
    keys = core.site.app.authentication.keys
    text, row = keys.make(account, "nightly", ["demo.tag:list,create"])
    made = Caller(core.door, text).post(f"{API}/tags", {"name": "by a key"})
    keys.revoke(row["id"])
    assert entries(admin, key=made.json["id"])[0]["api_key"] == row["id"]
    assert entries(admin, key=row["id"])[0]["changes"]["digest"] == [None, "***"]
    assert entries(admin, api_key=row["id"], kind="identity")[0]["operation"] == "key_revoked"


# --- the operator ---------------------------------------------------------------------------------------------------


@pytest.fixture
def command(core: Core, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    url = core.site.database.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("HOSTWRIGHT_DATABASE_URL", url)

    def run(*words: str) -> str:
        result = CliRunner().invoke(main, ["audit", *words, "--root", str(core.site.app.settings.root)])
        assert result.exit_code == 0, result.output
        return result.output

    return run


def test_operator_lists_entries(user: Caller, command: Callable[..., str]) -> None:
    row = user.make(f"{API}/tags", name="seen")
    account = user.actor.account["username"] if user.actor else ""
    lines = command("list", "--actor", account, "--resource", "demo.tag").splitlines()
    assert len(lines) == 1 and row["id"] in lines[0] and "create" in lines[0]
    document = json.loads(command("list", "--key", row["id"], "--json", "--since", "2020-01-01"))
    assert document["changes"] == {"name": [None, "seen"], "id": [None, row["id"]]}
    assert command("list", "--key", row["id"], "--kind", "denied") == ""


def test_old_entries_are_pruned(core: Core, user: Caller, admin: Caller, command: Callable[..., str]) -> None:
    old, new = (user.make(f"{API}/tags", name=name)["id"] for name in ("old", "new"))
    with core.writing() as ctx:
        table = ctx.table("host.audit_entry")
        ctx.execute(table.update().where(table.c.key == old).values(at=ctx.now - timedelta(days=366)))
    assert command("prune") == "removed 1 entries older than 365 days\n"
    assert (len(entries(admin, key=old)), len(entries(admin, key=new))) == (0, 1)
    assert entries(admin, operation="prune")[-1]["changes"] == {"entries": [1, 0]}
    assert command("prune") == "removed 0 entries older than 365 days\n"


def test_sign_in_forgets_old_entries(core: Core, user: Caller, admin: Caller) -> None:
    old = user.make(f"{API}/tags", name="old")["id"]
    with core.writing() as ctx:
        table = ctx.table("host.audit_entry")
        ctx.execute(table.update().where(table.c.key == old).values(at=ctx.now - timedelta(days=366)))
    core.user()
    assert entries(admin, key=old) == []
