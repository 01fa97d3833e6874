"""Relations: keys of every kind, deletion in every direction, linked rows, embedding."""

import pytest

from tests.support.sites import Core, Declare

SITE = """
resources:
  country:
    key: [code]
    plural: countries
    access: public
    fields: {code: {type: string, max: 2, required: true}, name: string}
  rate:
    key: [country, year]
    access: public
    fields: {year: {type: integer, required: true}, value: decimal}
    relations: {country: {to: country, required: true, on_delete: cascade}}
    query: {expand: [country], filter: [country, year]}
  number:
    key: int
    access: public
    fields: {label: {type: string, column: lbl}}
    relations: {next: {to: number, on_delete: set_null}, tags: {to: tag, many: true}, files: {to: file, many: true}}
    query: {expand: [next, tags], filter: [next]}
  tag:
    key: string
    mixins: [soft_delete]
    access: public
    fields: {id: {type: string, max: 20, required: true}}
  file:
    key: hex24
    access: public
    fields: {name: string}
  letter:
    key: uuid4
    access: public
    relations: {number: {to: number, on_delete: restrict}}
  soft:
    mixins: [soft_delete]
    access: public
    relations:
      parent: {to: soft, on_delete: cascade}
      guard: {to: soft, on_delete: restrict}
      hint: {to: soft, on_delete: set_null}
  team:
    access: public
    fields: {name: string}
    relations: {members: {to: member, many: true, by: team}}
    query: {expand: [members]}
  member:
    mixins: [owned, soft_delete]
    access: {read: owner, write: owner}
    fields: {name: string}
    relations: {team: {to: team, required: true, on_delete: cascade}}
    query: {expand: [team]}
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(
        SITE.replace(
            "    fields: {id: {type: string, max: 20, required: true}}\n", "    fields: {label: string}\n"
        )
    )


def test_natural_key_is_part_of_the_path(core: Core) -> None:
    caller = core.anonymous
    made = caller.post("/api/countries", {"code": "D/", "name": "x"})
    assert made.headers["Location"] == "/api/countries/D%2F"
    caller.make("/api/countries", code="AT", name="Austria")
    assert caller.patch("/api/countries/AT", {"name": "Österreich"}).json["name"] == "Österreich"
    assert caller.patch("/api/countries/AT", {"code": "XX"}).pointers == ["/code"]
    duplicate = caller.post("/api/countries", {"code": "AT"})
    assert (duplicate.status, duplicate.pointers) == (409, ["/code"])


def test_composite_key_reads_updates_and_deletes(core: Core) -> None:
    caller = core.anonymous
    caller.make("/api/countries", code="CH")
    made = caller.post("/api/rates", {"country": "CH", "year": 2026, "value": 5})
    assert made.headers["Location"] == "/api/rates/CH/2026"
    assert caller.get("/api/rates/CH/2026?expand=country").json["expand"]["country"]["code"] == "CH"
    assert caller.patch("/api/rates/CH/2026", {"value": 6}).json["value"] == "6.00"
    assert [caller.get("/api/rates/CH/x").status, caller.get("/api/rates/CH/2027").status] == [404, 404]
    assert caller.delete("/api/rates/CH/2026").status == 204
    caller.make("/api/rates", country="CH", year=1)
    caller.delete("/api/countries/CH")
    assert caller.get("/api/rates/CH/1").status == 404


def test_integer_keys_count_up(core: Core) -> None:
    caller = core.anonymous
    first, second = caller.make("/api/numbers"), caller.make("/api/numbers", label="b")
    assert second["id"] == first["id"] + 1
    assert caller.get(f"/api/numbers/{'9' * 30}").status == 404
    assert caller.get("/api/numbers/9223372036854775808").status == 404


def test_reference_is_set_to_null(core: Core) -> None:
    caller = core.anonymous
    first = caller.make("/api/numbers")
    second = caller.make("/api/numbers", next=first["id"])
    shown = caller.get(f"/api/numbers?next={first['id']}&expand=next").json["items"]
    assert shown[0]["expand"]["next"]["id"] == first["id"]
    assert caller.delete(f"/api/numbers/{first['id']}").status == 204
    assert caller.get(f"/api/numbers/{second['id']}").json["next"] is None


def test_restricted_reference_keeps_the_row(core: Core) -> None:
    caller = core.anonymous
    number = caller.make("/api/numbers")
    letter = caller.make("/api/letters", number=number["id"])
    assert caller.delete(f"/api/numbers/{number['id']}").status == 409
    assert caller.delete(f"/api/letters/{letter['id']}").status == 204
    assert caller.delete(f"/api/numbers/{number['id']}").status == 204


def test_linked_rows_are_replaced_as_a_whole(core: Core) -> None:
    caller = core.anonymous
    for name in ("red", "blue", "gone"):
        caller.make("/api/tags", id=name)
    row = caller.make("/api/numbers", tags=["red", "gone", "red"])
    assert sorted(row["tags"]) == ["gone", "red"]
    path = f"/api/numbers/{row['id']}"
    caller.delete("/api/tags/gone")
    assert caller.get(path).json["tags"] == ["red"]
    assert [it["id"] for it in caller.get(f"{path}?expand=tags").json["expand"]["tags"]] == ["red"]
    assert caller.patch(path, {"tags": ["blue"]}).json["tags"] == ["blue"]
    assert caller.patch(path, {"tags": ["gone"]}).pointers == ["/tags/0"]
    assert caller.patch(path, {"tags": "red"}).pointers == ["/tags"]
    assert caller.patch(path, {"tags": []}).json["tags"] == []


def test_linked_keys_have_their_own_type(core: Core) -> None:
    caller = core.anonymous
    file = caller.make("/api/files", name="a")
    assert caller.make("/api/numbers", files=[file["id"]])["files"] == [file["id"]]
    assert set(caller.post("/api/numbers", {"files": ["not a key"]}).pointers) == {"/files/0"}


def test_marked_rows_cascade_in_a_circle(core: Core) -> None:
    caller = core.anonymous
    first = caller.make("/api/softs")
    second = caller.make("/api/softs", parent=first["id"])
    hint = caller.make("/api/softs", hint=second["id"])
    caller.patch(f"/api/softs/{first['id']}", {"parent": second["id"]})
    assert caller.delete(f"/api/softs/{first['id']}").status == 204
    assert caller.get(f"/api/softs/{second['id']}").status == 404
    assert caller.get(f"/api/softs/{hint['id']}").json["hint"] is None


def test_marked_row_is_restricted_while_referred_to(core: Core) -> None:
    caller = core.anonymous
    kept = caller.make("/api/softs")
    guard = caller.make("/api/softs", guard=kept["id"])
    assert caller.delete(f"/api/softs/{kept['id']}").status == 409
    caller.delete(f"/api/softs/{guard['id']}")
    assert caller.delete(f"/api/softs/{kept['id']}").status == 204


def test_embedded_rows_are_those_the_caller_sees(core: Core) -> None:
    ann, bob = core.user(), core.user()
    team = ann.make("/api/teams", name="t")
    mine = ann.make("/api/members", team=team["id"], name="ann")
    bob.make("/api/members", team=team["id"], name="bob")
    found = ann.get("/api/teams?expand=members").json["items"]
    embedded = next(row for row in found if row["id"] == team["id"])["expand"]["members"]
    assert [row["id"] for row in embedded] == [mine["id"]]
    assert core.anonymous.get(f"/api/teams/{team['id']}?expand=members").json["expand"]["members"] == []


def test_embedding_is_bounded(core: Core) -> None:
    ann = core.user()
    team = ann.make("/api/teams")
    with core.writing(ann.actor) as ctx:  # type: ignore[arg-type]
        for _ in range(105):
            ctx.records("member").create({"team": team["id"]})
    assert len(ann.get(f"/api/teams/{team['id']}?expand=members").json["expand"]["members"]) == 100


def test_column_keeps_its_declared_name(core: Core) -> None:
    table = core.site.runtime.registry.model("site.number").table
    assert "lbl" in table.c and "label" not in table.c
