"""Limits that resources, actions and endpoints declare: what each counts, on every wire, and what the document says."""

from __future__ import annotations

import pytest

from host.web.documents import build_document
from tests.support.sites import Caller, Core, Declare

YAML = """
resources:
  note:
    mixins: [owned]
    fields: {text: string}
    access: owner
    limits: {create: 3/hour, export: 1/hour, every: 40/hour}
    actions: {shout: {access: owner, call: actions.shout, out: note, limit: 1/hour}}
    wires: {main: {}, old: {path: /old/notes}}
endpoints:
  ping:
    {method: GET, path: /api/ping, access: public, call: actions.ping, limit: 1/hour,
     out: {type: object, fields: {pong: boolean}}}
"""
CODE = """
def shout(ctx, row, data):
    return row

def ping(ctx, data):
    return {"pong": True}
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(YAML, CODE)


@pytest.fixture
def ann(core: Core) -> Caller:
    return core.user()


def test_creating_is_counted_on_every_wire(core: Core, ann: Caller) -> None:
    paths = ["/api/demo/notes", "/old/notes", "/api/demo/notes", "/old/notes"]
    replies = [ann.post(path, {"text": "a"}) for path in paths]
    assert [reply.status for reply in replies] == [201, 201, 201, 429]
    assert replies[-1].json["code"] == "too_many_requests"
    assert (
        replies[0].headers["RateLimit-Policy"]
        == '"demo.note.every";q=40;w=3600, "demo.note.create";q=3;w=3600'
    )
    assert core.user().post("/api/demo/notes", {"text": "b"}).status == 201


def test_bulk_counts_as_creating(ann: Caller) -> None:
    replies = [ann.post("/api/demo/notes/bulk", [{"text": "a"}]) for _ in range(4)]
    assert [reply.status for reply in replies] == [201, 201, 201, 429]


def test_operations_have_limits_of_their_own(ann: Caller) -> None:
    assert [ann.get("/api/demo/notes/export").status for _ in range(2)] == [200, 429]
    assert ann.get("/api/demo/notes").status == 200


def test_action_and_endpoint_are_limited(core: Core, ann: Caller) -> None:
    path = f"/api/demo/notes/{ann.make('/api/demo/notes', text='a')['id']}/shout"
    assert [ann.post(path).status for _ in range(2)] == [200, 429]
    assert [core.anonymous.get("/api/ping").status for _ in range(2)] == [200, 429]
    assert ann.get("/api/ping").status == 200


def test_all_operations_together_are_limited(ann: Caller) -> None:
    statuses = [ann.get(f"/{path}/notes").status for path in ("api/demo", "old") * 21]
    assert (statuses.count(200), statuses[-2:]) == (40, [429, 429])


def test_document_says_what_is_limited(core: Core) -> None:
    document = build_document(core.site.app)
    refused = document["paths"]["/api/demo/notes"]["post"]["responses"]["429"]
    assert refused == {"$ref": "#/components/responses/TooManyRequests"}
    assert "Retry-After" in document["components"]["responses"]["TooManyRequests"]["headers"]
