"""The history of a row: for whoever sees the row, and of each change only what that actor may read now."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.sites import Caller, Core, Declare

YAML = """
resources:
  tag: {fields: {name: {type: string, required: true}}, access: authenticated}
  note:
    mixins: [{owned: {by: number}}, versioned]
    operations: [list, get, create, update, delete, bulk, history]
    fields:
      title: {type: string, required: true}
      price: decimal
      margin: {type: decimal, read: "role('admin')"}
      pin: {type: string, secret: true}
      shared: {type: boolean, default: false}
    relations: {tags: {to: tag, many: true}}
    access: {every: "owner or shared or role('admin')", create: authenticated}
    wires:
      main: {}
      legacy: {path: /api/old/notes, operations: [get, history], names: {title: headline}, hide: [price]}
      without: {path: /api/without, operations: [get, update]}
  plain: {fields: {name: string}, access: authenticated}
  part:
    path: /api/notes/{note}/parts
    operations: [list, get, create, update, history]
    fields: {text: string}
    relations: {note: {to: note, required: true, on_delete: cascade}}
    access: authenticated
"""
PATH = "/api/notes"


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(YAML)


@pytest.fixture
def user(core: Core) -> Caller:
    return core.user()


def told(caller: Caller, path: str) -> list[tuple[str, dict[str, Any]]]:
    """The operations of a history, newest first, each with its changes by field."""
    reply = caller.get(f"{path}/history")
    assert reply.status == 200, reply.body
    return [
        (entry["operation"], {it["field"]: (it["before"], it["after"]) for it in entry["changes"]})
        for entry in reply.json["items"]
    ]


def test_history_tells_newest_first(user: Caller) -> None:
    row = user.make(PATH, title="a", price="1.00")["id"]
    user.patch(f"{PATH}/{row}", {"title": "b"})
    (update, changed), (create, made) = told(user, f"{PATH}/{row}")
    assert (update, changed, create) == ("update", {"title": ("a", "b")}, "create")
    assert made["title"] == (None, "a") and made["price"] == (None, "1.00")


def test_actor_is_told_as_the_owner_is(user: Caller) -> None:
    row = user.make(PATH, title="a")
    entry = user.get(f"{PATH}/{row['id']}/history").json["items"][0]
    assert entry["actor"] == row["owner"] == (user.actor.number if user.actor else None)
    assert entry.keys() == {"at", "actor", "operation", "changes"}


def test_stranger_sees_no_history(core: Core, user: Caller) -> None:
    row = user.make(PATH, title="a")["id"]
    assert core.user().get(f"{PATH}/{row}/history").status == 404
    assert (
        core.anonymous.get(f"{PATH}/{row}/history").status
        == core.anonymous.get(f"{PATH}/{row}").status
        == 404
    )
    tag = user.make("/api/tags", name="x")["id"]
    assert core.anonymous.get(f"/api/tags/{tag}").status == 401


def test_rules_of_now_decide(core: Core, user: Caller) -> None:
    row, other = user.make(PATH, title="a")["id"], core.user()
    user.patch(f"{PATH}/{row}", {"shared": True})
    assert [operation for operation, _ in told(other, f"{PATH}/{row}")] == ["update", "create"]
    user.patch(f"{PATH}/{row}", {"shared": False})
    assert other.get(f"{PATH}/{row}/history").status == 404


def test_hidden_fields_are_not_told(core: Core, user: Caller) -> None:
    admin = core.user(role="admin")
    row = admin.make(PATH, title="a", margin="0.20", shared=True, pin="1234")["id"]
    admin.patch(f"{PATH}/{row}", {"margin": "0.30"})
    admin.patch(f"{PATH}/{row}", {"pin": "4321"})
    seen = told(user, f"{PATH}/{row}")
    assert [operation for operation, _ in seen] == ["create"]
    assert not {"margin", "pin"} & seen[0][1].keys()
    assert told(admin, f"{PATH}/{row}")[0][1] == {"margin": ("0.20", "0.30")}
    assert "pin" not in str(told(admin, f"{PATH}/{row}"))


def test_linked_rows_are_not_named(user: Caller) -> None:
    tag = user.make("/api/tags", name="x")["id"]
    row = user.make(PATH, title="a")["id"]
    user.patch(f"{PATH}/{row}", {"tags": [tag]})
    assert told(user, f"{PATH}/{row}")[0][1] == {"tags": (None, None)}


def test_wire_names_and_hides(user: Caller) -> None:
    row = user.make(PATH, title="a", price="1.00")["id"]
    ((_, made),) = told(user, f"/api/old/notes/{row}")
    assert made["headline"] == (None, "a") and not {"title", "price"} & made.keys()


def test_history_is_asked_for(user: Caller) -> None:
    row = user.make(PATH, title="a")["id"]
    assert user.get(f"/api/without/{row}/history").status == 404
    plain = user.make("/api/plains", name="a")["id"]
    assert user.get(f"/api/plains/{plain}/history").status == 404


def test_history_is_paged(user: Caller) -> None:
    row = user.make(PATH, title="0")["id"]
    for number in range(1, 6):
        user.patch(f"{PATH}/{row}", {"title": str(number)})
    seen, cursor = [], ""
    while True:
        reply = user.get(f"{PATH}/{row}/history?page_size=2{cursor}")
        seen += [entry["changes"] for entry in reply.json["items"]]
        if reply.json["next"] is None:
            break
        assert reply.json["next"] in reply.headers["Link"]
        cursor = f"&cursor={reply.json['next']}"
    assert [len(seen), seen[0][0]["after"]] == [6, "5"]


@pytest.mark.parametrize("query", ["page_size=0", "page_size=201", "page_size=x", "cursor=forged", "wrong=1"])
def test_wrong_query_is_refused(user: Caller, query: str) -> None:
    row = user.make(PATH, title="a")["id"]
    assert user.get(f"{PATH}/{row}/history?{query}").status == 422


def test_cursor_of_another_row_is_refused(user: Caller) -> None:
    rows = [user.make(PATH, title="a")["id"] for _ in range(2)]
    for row in rows:
        user.patch(f"{PATH}/{row}", {"title": "b"})
    cursor = user.get(f"{PATH}/{rows[0]}/history?page_size=1").json["next"]
    assert user.get(f"{PATH}/{rows[1]}/history?page_size=1&cursor={cursor}").status == 422


def test_history_of_a_gone_row_is_gone(user: Caller) -> None:
    row = user.make(PATH, title="a")["id"]
    user.delete(f"{PATH}/{row}")
    assert user.get(f"{PATH}/{row}/history").status == 404


def test_nested_row_has_its_history(core: Core, user: Caller) -> None:
    note = user.make(PATH, title="a")["id"]
    part = user.make(f"{PATH}/{note}/parts", text="x")["id"]
    user.patch(f"{PATH}/{note}/parts/{part}", {"text": "y"})
    assert told(user, f"{PATH}/{note}/parts/{part}")[0] == ("update", {"text": ("x", "y")})
    assert core.user().get(f"{PATH}/{note}/parts/{part}/history").status == 404


def test_key_needs_the_scope_to_read(core: Core, user: Caller) -> None:
    row = user.make(PATH, title="a")["id"]
    keys = core.site.app.authentication.keys
    account = user.actor.id if user.actor and user.actor.id else ""
    may, _ = keys.make(account, "may", ["site.note:get"])
    may_not, _ = keys.make(account, "may not", ["site.note:list"])
    assert Caller(core.door, may).get(f"{PATH}/{row}/history").status == 200
    assert Caller(core.door, may_not).get(f"{PATH}/{row}/history").status == 403
