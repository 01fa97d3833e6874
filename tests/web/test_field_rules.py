"""Fields that not everybody reads or sets: absent from every answer, and of no use to those who ask in other ways."""

from typing import Any

import orjson
import pytest

from tests.support.sites import Caller, Core, Declare

ADMIN = "role('admin')"
SITE = f"""
resources:
  firm:
    mixins: [owned]
    fields: {{name: {{type: string, required: true}}, rating: {{type: integer, read: "{ADMIN}"}}}}
    query: {{expand: [deals], search: [name], default_sort: name}}
    relations: {{deals: {{to: deal, many: true, by: firm}}}}
    access: authenticated
  label:
    fields: {{name: {{type: string, required: true}}}}
    access: authenticated
  deal:
    path: /api/deals
    mixins: [owned]
    fields:
      title: {{type: string, required: true}}
      margin: {{type: integer, read: "{ADMIN}", write: "{ADMIN}"}}
      note: {{type: string, read: owner, write: owner}}
    relations:
      firm: {{to: firm, read: owner}}
      boss: {{to: firm, read: "{ADMIN}"}}
      labels: {{to: label, many: true, read: owner}}
      hidden: {{to: label, many: true, read: "{ADMIN}"}}
    query:
      filter: [title, margin, note, firm]
      sort: [title, margin, note]
      search: [title, note]
      expand: [firm, boss, labels]
    access: authenticated
    actions: {{same: {{call: actions.same, access: authenticated, out: deal}}}}
    wires:
      main: {{}}
      rich:
        path: /api/rich
        embed: {{firm: [name, rating], labels: [name], hidden: [name]}}
        also: {{copy: note}}
        through: {{firm_name: firm.name}}
        parameters: {{worth: margin, of: firm.name, rated: {{field: firm.name, operator: contains}}}}
"""
CODE = """
def same(ctx, row, data):
    return row
"""
GUARDED = {"margin", "note", "firm", "boss", "labels", "hidden"}


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE, CODE)


@pytest.fixture
def ann(core: Core) -> Caller:
    return core.user()


@pytest.fixture
def eve(core: Core) -> Caller:
    return core.user()


@pytest.fixture
def root(core: Core) -> Caller:
    return core.user(role="admin")


@pytest.fixture
def deal(ann: Caller) -> dict[str, Any]:
    firm = ann.post("/api/demo/firms", {"name": "F"}).json["id"]
    label = ann.post("/api/demo/labels", {"name": "L"}).json["id"]
    values = {"title": "T", "note": "mine", "firm": firm, "labels": [label]}
    return dict(ann.post("/api/deals", values).json)


def exported(caller: Caller, path: str, key: str) -> dict[str, Any]:
    lines = map(orjson.loads, caller.get(f"{path}/export?format=ndjson").body.splitlines())
    return dict(next(row for row in lines if row["id"] == key))


def test_guarded_fields_are_absent_everywhere(ann: Caller, eve: Caller, deal: dict[str, Any]) -> None:
    assert GUARDED & deal.keys() == {"note", "firm", "labels"}
    for caller, seen in ((ann, {"note", "firm", "labels"}), (eve, set())):
        path = f"/api/deals/{deal['id']}"
        listed = next(
            row for row in caller.get("/api/deals?page_size=200").json["items"] if row["id"] == deal["id"]
        )
        rows = [caller.get(path).json, listed, exported(caller, "/api/deals", deal["id"])]
        rows += [caller.patch(path, {"title": "T"}).json, caller.post(f"{path}/same").json]
        rows += [caller.get(f"{path}?fields=title,{','.join(sorted(GUARDED))}").json]
        firm = ann.get(path).json["firm"]
        rows += caller.get(f"/api/demo/firms/{firm}?expand=deals").json["expand"]["deals"]
        assert [GUARDED & row.keys() for row in rows] == [seen] * len(rows)


def test_wires_guard_what_they_derive(ann: Caller, eve: Caller, root: Caller, deal: dict[str, Any]) -> None:
    path, derived = f"/api/rich/{deal['id']}", {"copy", "firm_name"} | GUARDED
    assert derived & ann.get(path).json.keys() == {"note", "copy", "firm_name", "firm", "labels"}
    assert ann.get(path).json["firm"] == {"name": "F"}
    assert derived & eve.get(path).json.keys() == set()
    assert derived & exported(eve, "/api/rich", deal["id"]).keys() == set()
    assert derived & root.get(path).json.keys() == {"margin", "boss", "hidden"}


def test_guarded_fields_cannot_be_asked_for(ann: Caller, root: Caller) -> None:
    asked = (
        "margin=1",
        "margin[gt]=1",
        "note=x",
        "firm=x",
        "sort=margin",
        "sort=-note",
        "expand=firm",
        "expand=boss",
    )
    for query in (*asked, "expand=labels", "margin[null]=true", "margn=1"):
        answer = ann.get(f"/api/deals?{query}")
        assert (answer.status, answer.json["errors"][0]["code"]) == (422, "unknown"), query
    for query in ("margin=1", "sort=-margin", "expand=boss"):
        assert root.get(f"/api/deals?{query}").status == 200
    for query in ("worth=1", "of=F", "rated=F"):
        assert ann.get(f"/api/rich?{query}").json["errors"][0]["code"] == "unknown"
    assert root.get("/api/rich?worth=1").status == 200
    assert ann.get("/api/deals/export?margin=1").status == 422


def test_search_does_not_look_into_guarded_fields(ann: Caller, deal: dict[str, Any]) -> None:
    assert ann.get("/api/deals?q=mine").json["items"] == []
    assert deal["id"] in [row["id"] for row in ann.get("/api/deals?q=T&page_size=200").json["items"]]


def test_guarded_field_is_set_by_none_else(
    ann: Caller, eve: Caller, root: Caller, deal: dict[str, Any]
) -> None:
    path = f"/api/deals/{deal['id']}"
    made = ann.post("/api/deals", {"title": "U", "margin": 3})
    refused = [made, ann.patch(path, {"margin": 3}), eve.patch(path, {"note": "x"})]
    refused += [eve.send("PATCH", "/api/deals/bulk", [{"id": deal["id"], "note": "x"}])]
    pointers = [["/margin"], ["/margin"], ["/note"], ["/0/note"]]
    assert [(answer.status, answer.pointers) for answer in refused] == [(403, it) for it in pointers]
    sent = ann.post("/api/deals/import?format=ndjson", {"title": "V", "margin": 1})
    assert (sent.status, sent.json["errors"][0]["pointer"]) == (422, "/margin")
    assert root.patch(path, {"margin": 3}).json["margin"] == 3
    assert ann.patch(path, {"note": "new"}).json["note"] == "new"
