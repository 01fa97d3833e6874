"""Related rows that a wire always answers: joined or by one query more, under the related resource's own rules."""

from typing import Any

import pytest

from host.testing.counting import counted
from host.web.documents import build_document
from tests.support.sites import Caller, Core, Declare

SITE = """
resources:
  tag:
    mixins: [owned]
    fields: {name: {type: string, required: true}, color: string, weight: decimal, hint: {type: string, read: owner}}
    query: {expand: [nodes], default_sort: name}
    relations: {nodes: {to: node, many: true, by: lead}}
    access: {read: "owner or color == 'open'", write: owner, create: authenticated}
    wires: {main: {embed: {nodes: [title]}}}
  node:
    path: /api/nodes
    mixins: [owned, versioned]
    fields: {title: {type: string, required: true}, made: datetime}
    relations:
      lead: tag
      tags: {to: tag, many: true}
      edges: {to: edge, many: true, by: source}
    query: {sort: [title], default_sort: title, expand: [lead], filter: [lead]}
    access: authenticated
    actions: {same: {call: actions.same, access: authenticated, out: node}}
    wires:
      main:
        names: {lead: {name: lead, accept: [lead_id]}}
        embed:
          lead: {show: [id, name, hint, owner.username, weight], names: {name: label, owner.username: by}}
          tags: {show: [id, name, hint], sort: [-name]}
          going: {relation: edges, show: [label, target.title]}
        values: {decimal: number}
      plain: {path: /api/plain}
  edge:
    fields: {label: string}
    relations: {source: {to: node, required: true, on_delete: cascade}, target: {to: node, required: true, on_delete: cascade}}
    access: authenticated
"""
CODE = """
def same(ctx, row, data):
    return row
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


def made(caller: Caller, path: str, **values: Any) -> dict[str, Any]:
    answer = caller.post(path, values)
    assert answer.status == 201, answer.body
    return dict(answer.json)


def tag(caller: Caller, name: str, **values: Any) -> str:
    return str(made(caller, "/api/demo/tags", name=name, **values)["id"])


def test_rows_stand_in_every_answer(ann: Caller) -> None:
    lead, other = tag(ann, "lead", hint="h", weight="1.50"), tag(ann, "other")
    row = made(ann, "/api/nodes", title="N", lead_id=lead, tags=[lead, other])
    name = row["lead"]["by"]
    assert row["lead"] == {"id": lead, "label": "lead", "hint": "h", "by": name, "weight": 1.5}
    assert row["tags"] == [
        {"id": other, "name": "other", "hint": None},
        {"id": lead, "name": "lead", "hint": "h"},
    ]
    path = f"/api/nodes/{row['id']}"
    assert ann.get(path).json == row
    assert ann.get("/api/nodes?lead=" + lead).json["items"] == [row]
    assert ann.post(f"{path}/same").json == row
    changed = ann.patch(path, {"title": "M", "lead": None, "tags": [other]}).json
    assert (changed["lead"], [it["name"] for it in changed["tags"]]) == (None, ["other"])


def test_rows_that_point_back_are_embedded(ann: Caller) -> None:
    first, second = made(ann, "/api/nodes", title="A"), made(ann, "/api/nodes", title="B")
    assert first["going"] == []
    made(ann, "/api/demo/edges", label="to", source=first["id"], target=second["id"])
    assert ann.get(f"/api/nodes/{first['id']}").json["going"] == [{"label": "to", "title": "B"}]


def test_hidden_rows_and_fields_are_absent(ann: Caller, eve: Caller) -> None:
    shut, public = tag(ann, "shut"), tag(ann, "public", color="open", hint="mine")
    closed = made(ann, "/api/nodes", title="C", lead=shut, tags=[shut, public])
    opened = made(ann, "/api/nodes", title="O", lead=public)
    seen = eve.get(f"/api/nodes/{closed['id']}").json
    assert (seen["lead"], seen["tags"]) == (None, [{"id": public, "name": "public"}])
    assert "hint" not in eve.get(f"/api/nodes/{opened['id']}").json["lead"]


def test_embedded_rows_can_be_chosen_and_exported(ann: Caller) -> None:
    one = tag(ann, "one")
    row = made(ann, "/api/nodes", title="X", tags=[one])
    assert ann.get(f"/api/nodes/{row['id']}?fields=title,tags").json == {"title": "X", "tags": row["tags"]}
    assert ann.get(f"/api/nodes/{row['id']}?fields=title").json == {"title": "X"}
    assert row["tags"] == next(it for it in exported(ann) if it["id"] == row["id"])["tags"]


def exported(caller: Caller) -> list[dict[str, Any]]:
    import orjson

    body = caller.get("/api/nodes/export?format=ndjson").body
    return [orjson.loads(line) for line in body.splitlines()]


def test_expanded_rows_embed_too(ann: Caller) -> None:
    lead = tag(ann, "boss")
    row = made(ann, "/api/nodes", title="Y", lead=lead)
    shown = ann.get(f"/api/nodes/{row['id']}?expand=lead").json["expand"]["lead"]
    assert shown["nodes"] == [{"title": "Y"}]


def test_first_hundred_linked_rows_are_shown(ann: Caller) -> None:
    keys = [tag(ann, f"t{number:03}") for number in range(102)]
    full = made(ann, "/api/nodes", title="F", lead=keys[0], tags=keys)
    few = made(ann, "/api/nodes", title="G", lead=keys[0], tags=[keys[1], keys[101]])
    listed = {it["id"]: it["tags"] for it in ann.get(f"/api/nodes?lead={keys[0]}").json["items"]}
    assert [it["id"] for it in listed[full["id"]]] == keys[:1:-1]
    assert [it["id"] for it in listed[few["id"]]] == [keys[101], keys[1]]


def test_other_wires_keep_keys(ann: Caller) -> None:
    one = tag(ann, "key")
    row = made(ann, "/api/plain", title="P", lead=one, tags=[one])
    assert (row["lead"], row["tags"]) == (one, [one])


def test_list_costs_one_query_for_each_relation_to_many(core: Core, ann: Caller) -> None:
    one = tag(ann, "cost")
    for number in range(3):
        made(ann, "/api/nodes", title=f"Q{number}", lead=one, tags=[one])
        ann.get("/api/nodes")
        with counted(core.site.database) as ran:
            ann.get("/api/nodes")
        assert len(ran) == 3, ran


def test_embedded_rows_change_the_etag(ann: Caller) -> None:
    one = tag(ann, "etag")
    path = f"/api/nodes/{made(ann, '/api/nodes', title='E', lead=one)['id']}"
    before = ann.get(path).headers["ETag"]
    ann.patch(f"/api/demo/tags/{one}", {"name": "changed"})
    assert ann.get(path).headers["ETag"] != before


def test_embedded_rows_are_documented(core: Core) -> None:
    document = build_document(core.site.app)
    row = document["components"]["schemas"]["DemoNode"]["properties"]
    text = str(document["components"]["schemas"])
    assert {"lead", "tags", "going"} <= row.keys()
    assert "DemoNodeTags" in text or "array" in str(row["tags"])
    assert row["tags"]["type"] == "array"
