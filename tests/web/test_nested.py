"""Nested resources: the parent in the path is checked once, filters, is set, and hides the rows of others."""

from typing import Any

import pytest

from host.testing.counting import counted
from tests.support.sites import Caller, Core, Declare

SITE = """
resources:
  board:
    path: /api/boards
    mixins: [owned]
    fields: {title: string, open: {type: boolean, default: false}}
    access: {read: "owner or open == True", write: owner, create: authenticated}
  note:
    path: /api/boards/{board}/notes
    fields: {text: {type: string, required: true}, stars: integer, hint: {type: string, read: "board.owner == me"}}
    relations:
      board: {to: board, required: true, on_delete: cascade}
      replies: {to: reply, many: true, by: note}
    query: {filter: [stars], sort: [text], default_sort: text, search: [text], page: {default: 2, max: 50}}
    access: {read: "board.owner == me or board.open == True", write: "board.owner == me"}
    actions:
      shout: {call: "actions.shout", access: "board.owner == me", out: note}
      tally: {target: collection, method: GET, call: "actions.tally", access: authenticated,
              out: {type: object, fields: {board: uuid}}}
      marked: {target: collection, method: GET, path: "marked/{stars}", call: "actions.marked", access: authenticated,
               in: {type: object, fields: {stars: integer}}, out: {type: object, fields: {stars: integer}}}
    wires:
      main: {}
      flat: {path: /api/notes, operations: [list, get, create, update]}
      old:
        path: /api/board/{board}/notes/
        item: /api/board/{board}/note/{id}/
        operations: [list, get, create, update, delete, shout]
        errors: {status: {hidden: 403}}
  reply:
    path: /api/boards/{note.board}/notes/{note}/replies
    fields: {text: {type: string, required: true}}
    relations: {note: {to: note, required: true, on_delete: cascade}}
    query: {default_sort: text}
    access: "note.board.owner == me"
    wires:
      main: {}
      all: {path: "/api/boards/{note.board}/replies", operations: [list, get, create, update, import]}
"""
CODE = """
def shout(ctx, row, data):
    return ctx.records("note").update(row["id"], {"text": row["text"].upper()})


def tally(ctx, data):
    return {"board": ctx.parents["board"]}


def marked(ctx, data):
    return data
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE, CODE)


@pytest.fixture
def ann(core: Core) -> Caller:
    return core.user()


@pytest.fixture
def eve(core: Core) -> Caller:
    return core.user()


def board(caller: Caller, **values: Any) -> str:
    return str(caller.post("/api/boards", {"title": "B", **values}).json["id"])


def note(caller: Caller, parent: str, text: str = "a", **values: Any) -> dict[str, Any]:
    answer = caller.post(f"/api/boards/{parent}/notes", {"text": text, **values})
    assert answer.status == 201, answer.body
    return dict(answer.json)


def test_create_sets_the_parent(ann: Caller) -> None:
    parent = board(ann)
    answer = ann.post(f"/api/boards/{parent}/notes", {"text": "a"})
    assert (answer.status, answer.json["board"]) == (201, parent)
    assert answer.headers["Location"] == f"/api/boards/{parent}/notes/{answer.json['id']}"
    assert ann.get(answer.headers["Location"]).json == answer.json


def test_parent_is_not_taken_from_bodies(ann: Caller) -> None:
    parent, other = board(ann), board(ann)
    path = f"/api/boards/{parent}/notes"
    assert ann.post(path, {"text": "a", "board": other}).pointers == ["/board"]
    row = note(ann, parent)
    assert ann.patch(f"{path}/{row['id']}", {"board": other}).pointers == ["/board"]


def test_list_shows_the_parents_rows(ann: Caller) -> None:
    parent, other = board(ann), board(ann)
    kept = note(ann, parent)
    note(ann, other)
    answer = ann.get(f"/api/boards/{parent}/notes?count=exact")
    assert (answer.json["items"], answer.json["total"]) == ([kept], 1)


def test_rows_of_another_parent_are_missing(ann: Caller) -> None:
    parent, other = board(ann), board(ann)
    row = note(ann, parent)
    path = f"/api/boards/{other}/notes/{row['id']}"
    answers = [
        ann.get(path),
        ann.patch(path, {"text": "x"}),
        ann.put(path, {"text": "x"}),
        ann.send("DELETE", path),
    ]
    answers += [
        ann.post(f"{path}/shout"),
        ann.get(f"{path}?fields=text"),
        ann.get(path, {"If-None-Match": "*"}),
    ]
    assert [answer.status for answer in answers] == [404] * 7


def test_hidden_and_unknown_parents_are_missing(ann: Caller, eve: Caller) -> None:
    parent = board(ann)
    row = note(ann, parent)
    unknown = "01890000-0000-7000-8000-000000000000"
    for key in (parent, unknown, "zzz"):
        path = f"/api/boards/{key}/notes"
        answers = [
            eve.get(path),
            eve.post(path, {"text": "x"}),
            eve.get(f"{path}/{row['id']}"),
            eve.get(f"{path}/export"),
        ]
        answers += [
            eve.post(f"{path}/bulk", [{"text": "x"}]),
            eve.post(f"{path}/import?format=ndjson", {"text": "x"}),
        ]
        answers += [eve.get(f"{path}/tally"), eve.send("DELETE", f"{path}/bulk", [row["id"]])]
        assert [answer.status for answer in answers] == [404] * len(answers), key


def test_visible_parent_may_still_forbid(ann: Caller, eve: Caller) -> None:
    parent = board(ann, open=True)
    row = note(ann, parent)
    path = f"/api/boards/{parent}/notes"
    assert eve.get(path).json["items"] == [{key: value for key, value in row.items() if key != "hint"}]
    assert eve.post(path, {"text": "x"}).status == 403
    assert eve.patch(f"{path}/{row['id']}", {"text": "x"}).status == 403


def test_pages_are_linked_below_the_parent(ann: Caller) -> None:
    parent, other = board(ann), board(ann)
    for text in "abc":
        note(ann, parent, text)
    first = ann.get(f"/api/boards/{parent}/notes")
    link = first.headers["Link"].partition(">")[0].lstrip("<")
    assert link.startswith(f"/api/boards/{parent}/notes?cursor=")
    assert [row["text"] for row in ann.get(link).json["items"]] == ["c"]
    assert ann.get(link.replace(parent, other)).pointers == ["cursor"]


def test_filters_and_search_stay_below(ann: Caller) -> None:
    parent, other = board(ann), board(ann)
    note(ann, parent, "apple", stars=1)
    note(ann, other, "apple", stars=1)
    path = f"/api/boards/{parent}/notes"
    assert [len(ann.get(f"{path}?{query}").json["items"]) for query in ("q=app", "stars=1", "stars=2")] == [
        1,
        1,
        0,
    ]


def test_export_and_import_stay_below(ann: Caller) -> None:
    parent, other = board(ann), board(ann)
    note(ann, other, "foreign")
    headers = {"Content-Type": "application/x-ndjson"}
    path = f"/api/boards/{parent}/notes"
    assert ann.post(f"{path}/import", b'{"text":"a"}\n{"text":"b"}\n', headers).json["created"] == 2
    lines = ann.get(f"{path}/export?format=ndjson").body.splitlines()
    assert len(lines) == 2
    assert all(parent.encode() in line for line in lines)


def test_bulk_stays_below(ann: Caller) -> None:
    parent, other = board(ann), board(ann)
    foreign = note(ann, other)
    path = f"/api/boards/{parent}/notes/bulk"
    made = ann.post(path, [{"text": "a"}, {"text": "b"}]).json["items"]
    assert {row["board"] for row in made} == {parent}
    assert ann.patch(path, [{"id": foreign["id"], "text": "x"}]).status == 404
    assert ann.send("DELETE", path, [made[0]["id"], foreign["id"]]).status == 404
    assert ann.send("DELETE", path, [made[0]["id"]]).json == {"deleted": 1}


def test_actions_hang_below_the_parent(ann: Caller) -> None:
    parent = board(ann)
    row = note(ann, parent, "loud")
    path = f"/api/boards/{parent}/notes"
    assert ann.post(f"{path}/{row['id']}/shout").json["text"] == "LOUD"
    assert ann.get(f"{path}/tally").json == {"board": parent}


def test_input_may_stand_in_the_path(ann: Caller) -> None:
    path = f"/api/boards/{board(ann)}/notes/marked"
    assert ann.get(f"{path}/3").json == {"stars": 3}
    assert ann.get(f"{path}/three").status == 404


def test_flat_wire_stands_beside_the_nested(ann: Caller) -> None:
    parent = board(ann)
    row = ann.post("/api/notes", {"text": "flat", "board": parent}).json
    assert ann.get(f"/api/boards/{parent}/notes/{row['id']}").json == row
    assert ann.post("/api/notes", {"text": "flat"}).pointers == ["/board"]


def test_item_has_a_path_of_its_own(ann: Caller) -> None:
    parent = board(ann)
    made = ann.post(f"/api/board/{parent}/notes/", {"text": "a"})
    path = f"/api/board/{parent}/note/{made.json['id']}/"
    assert made.headers["Location"] == path
    assert ann.get(path).json == made.json
    assert ann.post(f"{path}shout/").json["text"] == "A"
    assert ann.send("DELETE", path).status == 204
    assert ann.get(path).status == 404


def test_hidden_rows_have_the_declared_status(ann: Caller, eve: Caller) -> None:
    parent = board(ann)
    row = note(ann, parent)
    unknown = "01890000-0000-7000-8000-000000000000"
    path = f"/api/board/{parent}/note/{row['id']}/"
    told = [
        eve.get(path),
        eve.patch(path, {}),
        eve.get(f"/api/board/{parent}/notes/"),
        eve.post(f"{path}shout/"),
    ]
    assert [(answer.status, answer.json["code"]) for answer in told] == [(403, "hidden")] * 4
    missing = [eve.get(f"/api/board/{unknown}/notes/"), ann.get(f"/api/board/{parent}/note/{unknown}/")]
    missing += [
        eve.get(f"/api/board/{board(eve)}/note/{row['id']}/"),
        ann.get(f"/api/board/{parent}/note/zzz/"),
    ]
    assert [answer.status for answer in missing] == [404] * 4


def test_chain_of_parents_has_to_agree(ann: Caller) -> None:
    parent, other = board(ann), board(ann)
    row = note(ann, parent)
    path = f"/api/boards/{parent}/notes/{row['id']}/replies"
    made = ann.post(path, {"text": "yes"})
    assert (made.status, made.json["note"]) == (201, row["id"])
    assert [it["text"] for it in ann.get(path).json["items"]] == ["yes"]
    elsewhere = f"/api/boards/{other}/notes/{row['id']}/replies"
    assert ann.get(elsewhere).status == ann.post(elsewhere, {"text": "no"}).status == 404
    assert ann.get(f"{elsewhere}/{made.json['id']}").status == 404


def test_dotted_parent_alone_filters_and_checks(ann: Caller) -> None:
    parent, other = board(ann), board(ann)
    here, there = note(ann, parent), note(ann, other)
    path = f"/api/boards/{parent}/replies"
    made = ann.post(path, {"text": "a", "note": here["id"]})
    assert made.status == 201
    assert ann.post(path, {"text": "b", "note": there["id"]}).pointers == ["/note"]
    assert ann.patch(f"{path}/{made.json['id']}", {"note": there["id"]}).pointers == ["/note"]
    sent = ann.post(f"{path}/import?format=ndjson", {"text": "c", "note": there["id"]})
    assert (sent.status, sent.json["errors"][0]["pointer"]) == (422, "/note")
    assert [it["text"] for it in ann.get(path).json["items"]] == ["a"]


def test_parent_costs_one_query(core: Core, ann: Caller) -> None:
    parent = board(ann)
    row = note(ann, parent)
    for path in (f"/api/boards/{parent}/notes", f"/api/boards/{parent}/notes/{row['id']}"):
        ann.get(path)
        with counted(core.site.database) as ran:
            assert ann.get(path).status == 200
        assert len(ran) == 2, ran


def test_fixed_parent_decides_rules_once(core: Core, ann: Caller) -> None:
    parent = board(ann)
    ann.get(f"/api/boards/{parent}/notes")
    with counted(core.site.database) as ran:
        ann.get(f"/api/boards/{parent}/notes")
    listed = next(sql for sql in ran if "ORDER BY" in sql)
    # Selected, and compared with the parent; the rules of rows and fields look at the parent alone.
    assert listed.count("demo_note.board_id") == 2


def test_field_rules_hold_below_parents(ann: Caller, eve: Caller) -> None:
    parent = board(ann, open=True)
    row = note(ann, parent, hint="mine")
    path = f"/api/boards/{parent}/notes"
    assert (row["hint"], ann.get(path).json["items"][0]["hint"]) == ("mine", "mine")
    assert "hint" not in eve.get(path).json["items"][0].keys() | eve.get(f"{path}/{row['id']}").json.keys()


def test_nested_paths_are_documented(core: Core) -> None:
    from host.web.documents import build_document

    paths = build_document(core.site.app)["paths"]
    listed = paths["/api/boards/{board}/notes"]["get"]
    assert listed["parameters"][0] == {
        "name": "board", "in": "path", "required": True, "description": "the board",
        "schema": {"type": "string", "format": "uuid"},
    } | {"schema": listed["parameters"][0]["schema"]}  # fmt: skip
    replies = paths["/api/boards/{note_board}/notes/{note}/replies/{id}"]["get"]
    assert [it["name"] for it in replies["parameters"][:3]] == ["note_board", "note", "id"]
    assert "board" not in str(paths["/api/boards/{board}/notes"]["post"]["requestBody"])
    assert "403" in paths["/api/board/{board}/notes/"]["get"]["responses"]


RULES = "\n".join(
    f'  rule_{number}: "member(members) or owner or any(members, rank == {number})"' for number in range(10)
)
TEAM = """
{rules}
resources:
  team:
    mixins: [owned]
    fields: {{name: string}}
    relations: {{members: {{to: member, many: true, by: team}}}}
    access: {team}
  member:
    path: /api/teams/{{team}}/members
    fields: {{rank: integer, pay: {{type: integer, read: "{field}"}}}}
    relations: {{team: {{to: team, required: true}}, person: {{to: account, required: true}}}}
    access: {member}
"""


def test_more_rules_add_no_query(declare: Declare) -> None:
    asked = []
    for is_ruled in (False, True):
        names = ", ".join(f"rule_{number}" for number in range(10))
        core = declare(
            TEAM.format(
                rules=f"rules:\n{RULES}" if is_ruled else "",
                team=f"{{read: [{names}], write: [{names}], create: authenticated}}" if is_ruled else "owner",
                member="\"team.owner == me or member('team')\"" if is_ruled else '"team.owner == me"',
                field="team.owner == me" if is_ruled else "public",
            )
        )
        user = core.user()
        team = user.post("/api/teams", {"name": "T"}).json["id"]
        paths = (f"/api/teams/{team}", "/api/teams", f"/api/teams/{team}/members")
        assert [user.get(path).status for path in paths] == [200] * 3
        with counted(core.site.database) as ran:
            assert [user.get(path).status for path in paths] == [200] * 3
        asked.append(len(ran))
    assert asked == [4, 4]
