"""Tables whose columns hold values as Django does: what goes in and out over HTTP is what a table of the host's would say."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.sites import Core, Declare

BOARD = """
grammar: 1
site: {name: Test}
resources:
  board:
    table: legacy_board
    key: uuid4
    stored: django
    mixins: [{owned: {as: created_by, column: created_by_id}}, stamped]
    fields:
      title: {type: string, max: 200, required: true}
      due: {type: datetime}
      day: {type: date}
      at: {type: time}
      price: {type: decimal}
      ref: {type: uuid}
      done: {type: boolean, default: false}
      kind: {type: enum, values: [a, b], default: a}
      late: {type: boolean, computed: "due < created_at"}
      notes_count: {type: integer, rollup: {function: count, over: notes}}
      last_note: {type: datetime, rollup: {function: max, over: notes.written}}
    relations:
      notes: {to: note, many: true, by: board}
      tags: {to: tag, many: true}
    query: {filter: [id, ref, due, created_at, done, price], sort: [due, created_at, title], default_sort: -due, expand: [notes]}
    access: {list: due_soon, every: authenticated}
    wires:
      main: {}
      epoch: {path: /api/epoch, values: {datetime: epoch}, operations: [list, get]}
  note:
    table: legacy_note
    key: uuid4
    stored: django
    fields: {text: text, written: {type: datetime}}
    relations: {board: {to: board, required: true, on_delete: cascade}}
    query: {filter: [board], expand: [board]}
    access: {every: "board.created_by == me"}
  tag:
    table: legacy_tag
    key: uuid4
    stored: django
    fields: {name: {type: string, max: 50, required: true}}
    access: {every: authenticated}
rules:
  due_soon: {when: ["due is None", "due > '2020-01-01T00:00:00Z' and created_at <= now"]}
"""


@pytest.fixture(scope="module")
def site(declare: Declare) -> Core:
    return declare(BOARD)


@pytest.fixture(autouse=True)
def empty(site: Core) -> None:
    """Every test begins without rows."""
    with site.site.database.writing() as connection:
        for table in ("legacy_board_tags", "legacy_tag", "legacy_note", "legacy_board"):
            connection.exec_driver_sql(f"DELETE FROM {table}")


def raw(site: Core, sql: str) -> list[tuple[Any, ...]]:
    with site.site.database.reading() as connection:
        return list(connection.execute(sql).fetchall())


def test_columns_hold_what_django_stores(site: Core) -> None:
    client = site.user()
    body = {"title": "One", "due": "2025-01-31T15:30:00+01:00", "ref": "01890a5d-ac96-774b-bcce-b302099a8057"}
    made = client.make("/api/boards", **body)
    if site.dialect == "sqlite":
        assert raw(site, "SELECT id, due, ref, done FROM legacy_board") == [
            (made["id"].replace("-", ""), "2025-01-31 14:30:00", "01890a5dac96774bbcceb302099a8057", 0)
        ]
        created = raw(site, "SELECT created_at FROM legacy_board")[0][0]
        assert datetime.fromisoformat(created).replace(tzinfo=UTC) == datetime.fromisoformat(
            made["created_at"]
        )
        assert " " in created and not created.endswith("Z")
    assert made["due"] == "2025-01-31T14:30:00Z"
    assert made["ref"] == body["ref"]
    assert client.get(f"/api/boards/{made['id']}").json == made


def test_rows_of_django_are_read(site: Core) -> None:
    client = site.user()
    made = client.post("/api/boards", {"title": "One"}).json
    uid = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
    key = uid.replace("-", "") if site.dialect == "sqlite" else uid
    zone = "" if site.dialect == "sqlite" else "+00"
    with site.site.database.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO legacy_board (id, title, due, created_by_id, created_at, updated_at, done, kind)"
            f" SELECT '{key}', 'Two', '2025-01-31 14:30:00.123456{zone}', created_by_id,"
            f" '2025-01-01 00:00:00{zone}', '2025-01-01 00:00:00{zone}', done, 'b' FROM legacy_board"
        )
    found = client.get(f"/api/boards/{uid}").json
    assert (found["id"], found["due"]) == (uid, "2025-01-31T14:30:00.123456Z")
    assert found["created_at"] == "2025-01-01T00:00:00Z"
    assert found["late"] is False
    assert client.get(f"/api/epoch/{uid}").json["created_at"] == 1735689600
    assert [row["id"] for row in client.get("/api/boards?sort=created_at").json["items"]] == [uid, made["id"]]


def test_instants_are_filtered_and_paged(site: Core) -> None:
    client = site.user()
    dues = [
        "2025-01-31T14:30:00Z",
        "2025-01-31T14:30:00.000001Z",
        "2025-01-31T14:30:00.5Z",
        "2025-02-01T00:00:00Z",
    ]
    for number, due in enumerate(reversed(dues)):
        client.post("/api/boards", {"title": str(number), "due": due})
    shown = [due.replace(".5Z", ".500000Z") for due in dues]
    path, seen = "/api/boards?sort=due&page_size=1", []
    while path:
        answer = client.get(path).json
        seen += [row["due"] for row in answer["items"]]
        path = answer["next"] and f"/api/boards?sort=due&page_size=1&cursor={answer['next']}"
    assert seen == shown

    def dues_of(query: str) -> list[str]:
        return [row["due"] for row in client.get(f"/api/boards?sort=due&{query}").json["items"]]

    assert dues_of("due[gt]=2025-01-31T14:30:00Z") == shown[1:]
    assert dues_of("due=2025-01-31T14:30:00Z") == shown[:1]
    assert dues_of("due[lt]=2025-02-01T00:00:00Z") == shown[:3]
    assert dues_of("due[lt]=2025-01-31T15:30:00.000001%2B01:00") == shown[:1]


def test_rules_compare_with_the_clock(site: Core) -> None:
    client = site.user()
    client.post("/api/boards", {"title": "old", "due": "2019-12-31T23:59:59Z"})
    client.post("/api/boards", {"title": "new", "due": "2020-01-01T00:00:01Z"})
    client.post("/api/boards", {"title": "none"})
    assert {row["title"] for row in client.get("/api/boards").json["items"]} == {"new", "none"}


def test_relations_meet_in_every_form(site: Core) -> None:
    client = site.user()
    board = client.post("/api/boards", {"title": "One"}).json
    tags = [client.post("/api/tags", {"name": name}).json["id"] for name in ("x", "y")]
    assert client.patch(f"/api/boards/{board['id']}", {"tags": tags}).status == 200
    note = client.post("/api/notes", {"text": "hi", "board": board["id"], "written": "2025-03-01T00:00:00Z"})
    assert note.status == 201, note.json
    found = client.get(f"/api/boards/{board['id']}?expand=notes").json
    assert sorted(found["tags"]) == sorted(tags)
    assert (found["notes_count"], found["last_note"]) == (1, "2025-03-01T00:00:00Z")
    assert [each["id"] for each in found["expand"]["notes"]] == [note.json["id"]]
    listed = client.get(f"/api/notes?board={board['id']}&expand=board").json["items"]
    assert [each["expand"]["board"]["title"] for each in listed] == ["One"]
    assert site.user().get("/api/notes").json["items"] == []


def test_content_tags_guard_writes(site: Core) -> None:
    client = site.user()
    path = f"/api/boards/{client.post('/api/boards', {'title': 'One'}).json['id']}"
    tag = client.get(path).headers["ETag"]
    assert client.get(path, headers={"If-None-Match": tag}).status == 304
    assert client.patch(path, {"title": "Two"}, headers={"If-Match": tag}).status == 200
    assert client.patch(path, {"title": "Three"}, headers={"If-Match": tag}).status == 412
    assert client.delete(path, headers={"If-Match": tag}).status == 412


def test_bulk_and_import_keep_the_form(site: Core) -> None:
    client = site.user()
    made = client.post("/api/boards/bulk", [{"title": "a"}, {"title": "b"}])
    assert made.status == 201, made.json
    if site.dialect == "sqlite":
        assert all(len(key) == 32 for (key,) in raw(site, "SELECT id FROM legacy_board"))
    exported = client.get("/api/boards/export").body.splitlines()
    assert len(exported) == 3
    lines = b"title,due\nc,2025-01-31T14:30:00Z\n"
    imported = client.post("/api/boards/import", lines, {"Content-Type": "text/csv"})
    assert imported.status == 200, imported.json
    assert len(client.get("/api/boards").json["items"]) == 3


def test_one_of_many_writers_wins(site: Core) -> None:
    client = site.user()
    path = f"/api/boards/{client.make('/api/boards', title='One')['id']}"
    for turn in range(3):
        tag = {"If-Match": client.get(path).headers["ETag"]}
        with ThreadPoolExecutor(6) as pool:
            sent = [pool.submit(client.patch, path, {"title": f"{turn} {at}"}, tag) for at in range(6)]
        replies = [each.result() for each in sent]
        assert sorted(reply.status for reply in replies) == [200, 412, 412, 412, 412, 412]
        winner = next(reply for reply in replies if reply.status == 200)
        assert client.get(path).json["title"] == winner.json["title"]


def test_constraints_of_other_systems_have_pointers(site: Core) -> None:
    client = site.user()
    client.make("/api/tags", name="x")
    with site.site.database.writing() as connection:
        connection.exec_driver_sql("CREATE UNIQUE INDEX a_name_that_says_nothing_3f9 ON legacy_tag (name)")
    try:
        reply = client.post("/api/tags", {"name": "x"})
        assert (reply.status, reply.pointers) == (409, ["/name"])
    finally:
        with site.site.database.writing() as connection:
            connection.exec_driver_sql("DROP INDEX a_name_that_says_nothing_3f9")
