"""The outbox: every write is an event of its own transaction, with what has changed and what rules read."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from host.errors import Forbidden
from host.service.batches import create_batch, is_plain
from tests.support.sites import Core, Declare

YAML = """
rules:
  in_open_folder: {when: "folder.state == 'open' or member(folder.members)"}
types:
  word: {type: object, fields: {text: string}}
resources:
  folder:
    mixins: [owned]
    fields:
      name: {type: string, required: true}
      state: {type: enum, values: [open, closed], default: open}
    relations: {members: {to: member, many: true, by: folder}}
    access: owner
  member:
    relations: {folder: {to: folder, required: true, on_delete: cascade}, account: {to: account, required: true}}
    fields: {note: string}
    access: authenticated
  tag:
    fields: {name: {type: string, required: true}}
    access: authenticated
  note:
    mixins: [owned, stamped]
    fields:
      title: {type: string, max: 100, required: true}
      body: text
      price: decimal
      due: date
      pin: {type: string, secret: true, max: 20}
      level: {type: integer, read: "level < 3 or role('admin')"}
      hint: {type: string, transient: true}
    relations:
      folder: {to: folder, on_delete: cascade}
      tags: {to: tag, many: true}
    access: {read: "owner or in_open_folder", create: authenticated, update: owner, delete: owner}
    events:
      sent: {to: {type: string, required: true}, amount: decimal, day: date}
      renamed: {text: string, title: string, owner: uuid, price: decimal}
    actions:
      send: {call: actions.send, access: owner, in: word}
      rename: {call: actions.rename, access: owner, in: word, out: note, emits: renamed}
      start: {call: actions.start, target: collection, access: authenticated, in: word, out: note, emits: [renamed, sent]}
      half: {target: collection, call: actions.half, access: authenticated}
  marked:
    mixins: [owned, soft_delete]
    fields: {name: {type: string, required: true}}
    relations: {folder: {to: folder, on_delete: set_null}}
    access: owner
  counted: {plural: counted, key: int, audit: false, fields: {name: string}, access: authenticated}
"""
CODE = """
from datetime import date
from decimal import Decimal

def send(ctx, row, data):
    ctx.emit("note.sent", row, {"to": data["text"], "amount": Decimal("1.50"), "day": date(2026, 1, 2)})

def rename(ctx, row, data):
    return ctx.records("note").update(row["id"], {"title": data["text"]})

def start(ctx, data):
    return {**ctx.records("note").create({"title": data["text"], "price": Decimal("2.00")}), "to": "all"}

def half(ctx, data):
    ctx.records("tag").create({"name": "outer"})
    try:
        with ctx.transaction.savepoint():
            ctx.records("tag").create({"name": "undone"})
            raise KeyError
    except KeyError:
        pass
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(YAML, CODE)


def since(core: Core, mark: int) -> list[dict[str, Any]]:
    """What the outbox has got since."""
    with core.reading() as ctx:
        table = ctx.table("host.event")
        found = ctx.execute(sa.select(table).where(table.c.id > mark).order_by(table.c.id)).mappings()
        return [dict(row) for row in found]


def mark(core: Core) -> int:
    with core.reading() as ctx:
        return int(ctx.execute(sa.select(sa.func.max(ctx.table("host.event").c.id))).scalar() or 0)


def test_creating_tells_what_was_stored(core: Core) -> None:
    ann = core.user()
    begin = mark(core)
    note = ann.make("/api/demo/notes", title="One", price="2.50", due="2026-01-02", pin="1234", level=1)
    [event] = since(core, begin)
    assert (event["name"], event["key"], event["actor"]) == ("demo.note.created", note["id"], ann.actor.id)  # type: ignore[union-attr]
    changes = event["changes"]
    assert changes["title"] == [None, "One"]
    assert (changes["price"], changes["due"], changes["level"]) == (
        [None, "2.50"],
        [None, "2026-01-02"],
        [None, 1],
    )
    assert event["request_id"] is not None
    assert event["position"] is None


def test_secrets_are_in_no_event(core: Core) -> None:
    ann = core.user()
    begin = mark(core)
    note = ann.make("/api/demo/notes", title="One", pin="1234567")
    ann.patch(f"/api/demo/notes/{note['id']}", {"pin": "7654321", "title": "Two"})
    ann.delete(f"/api/demo/notes/{note['id']}")
    text = orjson.dumps([event["changes"] for event in since(core, begin)])
    assert len(since(core, begin)) == 3
    assert b"pin" not in text
    assert b"4567" not in text


def test_updating_tells_what_rules_read(core: Core) -> None:
    ann = core.user()
    folder = ann.make("/api/demo/folders", name="F")
    note = ann.make("/api/demo/notes", title="One", folder=folder["id"], body="long", level=2)
    begin = mark(core)
    ann.patch(f"/api/demo/notes/{note['id']}", {"title": "Two"})
    [event] = since(core, begin)
    owner = ann.actor.id  # type: ignore[union-attr]
    assert event["name"] == "demo.note.updated"
    assert event["changes"] == {
        "title": ["One", "Two"], "owner": [owner, owner], "folder": [folder["id"], folder["id"]], "level": [2, 2],
    }  # fmt: skip


def test_rules_of_others_count_too(core: Core) -> None:
    ann = core.user()
    folder = ann.make("/api/demo/folders", name="F")
    member = ann.make("/api/demo/members", folder=folder["id"], account=ann.actor.id)  # type: ignore[union-attr]
    begin = mark(core)
    ann.patch(f"/api/demo/folders/{folder['id']}", {"name": "G"})
    ann.patch(f"/api/demo/members/{member['id']}", {"note": "x"})
    changed, joined = since(core, begin)
    assert set(changed["changes"]) == {"name", "owner", "state"}
    assert set(joined["changes"]) == {"note", "folder", "account"}


def test_deleting_tells_the_whole_row(core: Core) -> None:
    ann = core.user()
    note = ann.make("/api/demo/notes", title="One", body="text")
    begin = mark(core)
    ann.delete(f"/api/demo/notes/{note['id']}")
    [event] = since(core, begin)
    assert event["name"] == "demo.note.deleted"
    assert event["changes"]["body"] == ["text", None]


def test_nothing_changed_is_no_event(core: Core) -> None:
    ann = core.user()
    note = ann.make("/api/demo/notes", title="One")
    begin = mark(core)
    assert ann.patch(f"/api/demo/notes/{note['id']}", {"title": "One"}).status == 200
    assert since(core, begin) == []


def test_links_are_told_before_and_after(core: Core) -> None:
    ann = core.user()
    first, second = (ann.make("/api/demo/tags", name=name)["id"] for name in ("a", "b"))
    note = ann.make("/api/demo/notes", title="One", tags=[first])
    begin = mark(core)
    ann.patch(f"/api/demo/notes/{note['id']}", {"tags": [second]})
    [event] = since(core, begin)
    assert event["changes"]["tags"] == [[first], [second]]


def test_cascades_are_events_too(core: Core) -> None:
    ann = core.user()
    folder = ann.make("/api/demo/folders", name="F")
    ann.make("/api/demo/notes", title="One", folder=folder["id"])
    marked = ann.make("/api/demo/markeds", name="M", folder=folder["id"])
    begin = mark(core)
    ann.delete(f"/api/demo/folders/{folder['id']}")
    events = {event["name"]: event for event in since(core, begin)}
    assert set(events) == {"demo.note.deleted", "demo.marked.updated", "demo.folder.deleted"}
    assert events["demo.marked.updated"]["changes"]["folder"] == [folder["id"], None]
    begin = mark(core)
    ann.delete(f"/api/demo/markeds/{marked['id']}")
    assert [event["name"] for event in since(core, begin)] == ["demo.marked.deleted"]


def test_bulk_writes_are_one_each(core: Core) -> None:
    begin = mark(core)
    with core.writing() as ctx:
        ctx = ctx.within("demo")
        for name in ("a", "b", "c"):
            ctx.records("counted").create({"name": name})
    events = since(core, begin)
    assert [event["changes"] for event in events] == [{"name": [None, name]} for name in "abc"]
    assert [event["id"] for event in events] == sorted(event["id"] for event in events)
    assert all(event["key"].isdigit() for event in events)


def test_batches_are_one_each(core: Core) -> None:
    rows = [{"name": name} for name in "abc"]
    with core.site.events() as fired, core.writing() as ctx:
        model = ctx.runtime.registry.model("demo.tag")
        assert is_plain(ctx, model, rows)
        create_batch(ctx, model, rows)
    assert [it.after("name") for it in fired] == ["a", "b", "c"]
    with core.reading() as ctx:
        assert {row["id"] for row in ctx.records("demo.tag").find_all()} >= {it.key for it in fired}


def test_rolled_back_writes_leave_none(core: Core) -> None:
    begin = mark(core)
    with pytest.raises(KeyError), core.writing() as ctx:
        ctx.within("demo").records("tag").create({"name": "x"})
        raise KeyError
    assert since(core, begin) == []


def test_refused_writes_leave_none(core: Core) -> None:
    ann, ben = core.user(), core.user()
    note = ann.make("/api/demo/notes", title="One")
    begin = mark(core)
    assert ben.patch(f"/api/demo/notes/{note['id']}", {"title": "Mine"}).status in (403, 404)
    assert core.anonymous.post("/api/demo/tags", {"name": "x"}).status == 401
    assert since(core, begin) == []


def test_undone_savepoints_leave_none(core: Core) -> None:
    begin = mark(core)
    assert core.user().post("/api/demo/notes/half").status == 204
    names = [event["changes"]["name"][1] for event in since(core, begin) if event["resource"] == "demo.tag"]
    assert names == ["outer"]


def test_declared_events_hold_their_data(core: Core) -> None:
    ann = core.user()
    note = ann.make("/api/demo/notes", title="One")
    begin = mark(core)
    assert ann.post(f"/api/demo/notes/{note['id']}/send", {"text": "ben"}).status == 204
    [event] = since(core, begin)
    assert (event["name"], event["key"], event["changes"]) == ("demo.note.sent", note["id"], None)
    assert event["data"] == {"to": "ben", "amount": "1.50", "day": "2026-01-02"}


def test_actions_emit_what_they_declare(core: Core) -> None:
    ann = core.user()
    note = ann.make("/api/demo/notes", title="One")
    begin = mark(core)
    assert ann.post(f"/api/demo/notes/{note['id']}/rename", {"text": "Two"}).status == 200
    updated, renamed = since(core, begin)
    assert (updated["name"], renamed["name"], renamed["key"]) == (
        "demo.note.updated",
        "demo.note.renamed",
        note["id"],
    )
    assert renamed["data"] == {"text": "Two", "title": "Two", "owner": ann.actor.id}  # type: ignore[union-attr]


def test_collection_actions_emit_about_their_answer(core: Core) -> None:
    ann = core.user()
    begin = mark(core)
    note = ann.post("/api/demo/notes/start", {"text": "One"}).json
    events = since(core, begin)
    assert [event["name"].rpartition(".")[2] for event in events] == ["created", "renamed", "sent"]
    assert {event["key"] for event in events} == {note["id"]}
    assert events[1]["data"]["price"] == "2.00"
    assert events[2]["data"] == {"to": "all"}


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("note.sent", {}, "/to: "),
        ("note.sent", {"to": "x", "other": 1}, "/other: "),
        ("note.sent", {"to": "x", "amount": "much"}, "/amount: "),
    ],
)
def test_wrong_data_are_an_error(core: Core, name: str, data: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said), core.writing() as ctx:
        ctx.within("demo").emit(name, "0198-…", data)


@pytest.mark.parametrize("name", ["note.send", "note.created", "nothing.sent", "sent"])
def test_unknown_events_are_an_error(core: Core, name: str) -> None:
    with pytest.raises(LookupError, match="there is no event"), core.writing() as ctx:
        ctx.within("demo").emit(name, "key", {"to": "x"})


def test_plugins_emit_their_own_alone(core: Core) -> None:
    with pytest.raises(LookupError, match="which alone emits it"), core.writing() as ctx:
        ctx.emit("demo.note.sent", "key", {"to": "x"})


def test_accounts_have_events_without_secrets(core: Core) -> None:
    begin = mark(core)
    core.user()
    found = [event for event in since(core, begin) if event["resource"] == "host.account"]
    assert [event["name"] for event in found] == ["host.account.created"]
    assert "password" not in found[0]["changes"]
    assert {event["resource"] for event in since(core, begin)} == {"host.account"}


def test_only_admins_read_events(core: Core) -> None:
    ann, boss = core.user(), core.user(role="admin")
    ann.make("/api/demo/tags", name="seen")
    assert ann.get("/api/host/events").json["items"] == []
    found = boss.get("/api/host/events?name=demo.tag.created&sort=-id").json["items"]
    assert found[0]["changes"]["name"] == [None, "seen"]
    assert boss.delete(f"/api/host/events/{found[0]['id']}").status == 405


def test_writers_without_right_raise(core: Core) -> None:
    ann, ben = core.user(), core.user()
    note = ann.make("/api/demo/notes", title="One")
    begin = mark(core)
    with pytest.raises(Forbidden), core.writing(ben.actor) as ctx:  # type: ignore[arg-type]
        ctx = ctx.within("demo")
        folder = ctx.records("folder").create({"name": "F"})
        ctx.as_system().records("note").update(note["id"], {"folder": folder["id"]})
        ctx.records("note").update(note["id"], {"title": "Mine"})
    assert since(core, begin) == []
