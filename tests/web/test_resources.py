"""Generated operations from outside: what their answers carry, and who gets how far."""

import pytest

from tests.support.sites import Core, Declare

SITE = """
resources:
  memo:
    mixins: [owned]
    fields:
      title: {type: string, required: true}
      level: {type: integer, default: 1, write: "role('admin')"}
      hint: {type: string, read: owner}
      inner: {type: string, read: "role('admin')"}
      private: {type: string, read: "role('admin')", write: "role('admin')"}
    access: {list: public, get: public, create: authenticated, update: [owner, "role('admin')"], delete: "role('admin')"}
    query: {sort: [title]}
  nested_log:
    plural: logs
    path: /api/own/logs
    key: int
    operations: [list, create]
    access: public
    fields: {text: string}
  versioned_view:
    mixins: [versioned]
    access: public
    fields: {name: string, many: {type: integer, rollup: {function: count, over: rows}}}
    relations: {rows: {to: view_row, many: true, by: view}}
  view_row: {access: public, relations: {view: {to: versioned_view, required: true}}}
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE)


def test_create_tells_where_and_which_version(core: Core) -> None:
    ann = core.user()
    made = ann.post("/api/memos", {"title": "a"})
    assert (made.status, made.headers["Location"]) == (201, f"/api/memos/{made.json['id']}")
    assert ann.get(made.headers["Location"]).headers["ETag"] == made.headers["ETag"]
    deleted = core.user(role="admin").delete(made.headers["Location"])
    assert (deleted.status, deleted.body, "Content-Type" in deleted.headers) == (204, b"", False)


def test_hidden_fields_are_absent_row_by_row(core: Core) -> None:
    ann = core.user()
    row = ann.make("/api/memos", title="b", hint="mine", inner="x")
    assert "hint" in row and "inner" not in row
    assert "hint" not in core.user().get(f"/api/memos/{row['id']}").json
    shown = core.user(role="admin").get(f"/api/memos/{row['id']}").json
    assert (shown["inner"], "hint" in shown) == ("x", False)
    listed = {it["id"]: it for it in core.anonymous.get("/api/memos?fields=id,hint").json["items"]}
    assert listed[row["id"]] == {"id": row["id"]}


def test_anonymous_writing_asks_to_sign_in(core: Core) -> None:
    row = core.user().make("/api/memos", title="c")
    path = f"/api/memos/{row['id']}"
    caller = core.anonymous
    replies = [
        caller.post("/api/memos", {}),
        caller.patch(path, {}),
        caller.put(path, {}),
        caller.delete(path),
    ]
    assert [reply.status for reply in replies] == [401] * 4
    assert all(reply.headers["WWW-Authenticate"] for reply in replies)


def test_signed_in_without_permission_is_forbidden(core: Core) -> None:
    row = core.user().make("/api/memos", title="d")
    path, bob = f"/api/memos/{row['id']}", core.user()
    assert [bob.patch(path, {"title": "x"}).status, bob.delete(path).status] == [403, 403]
    assert bob.patch(path, {"level": 5}).status == 403


def test_operations_left_out_are_not_served(core: Core) -> None:
    made = core.anonymous.post("/api/own/logs", {"text": "a"})
    assert (made.status, made.headers["Location"]) == (201, f"/api/own/logs/{made.json['id']}")
    assert core.anonymous.get(f"/api/own/logs/{made.json['id']}").status == 404
    assert core.anonymous.send("DELETE", "/api/own/logs").headers["Allow"] == "GET, HEAD, OPTIONS, POST"


def test_tag_changes_with_what_is_derived(core: Core) -> None:
    made = core.anonymous.post("/api/versioned_views", {"name": "a"})
    path = f"/api/versioned_views/{made.json['id']}"
    before = core.anonymous.get(path).headers["ETag"]
    core.anonymous.make("/api/view_rows", view=made.json["id"])
    after = core.anonymous.get(path, {"If-None-Match": before})
    assert (after.status, after.json["many"]) == (200, 1)
    assert core.anonymous.patch(path, {"name": "b"}, {"If-Match": before}).status == 200


def test_tag_of_chosen_fields_is_their_own(core: Core) -> None:
    made = core.anonymous.post("/api/versioned_views", {"name": "a"})
    path = f"/api/versioned_views/{made.json['id']}"
    tags = {
        core.anonymous.get(f"{path}{query}").headers["ETag"] for query in ("", "?fields=name", "?fields=id")
    }
    assert len(tags) == 3


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "Bearer", "\u00e9"])
def test_broken_token_is_refused_everywhere(core: Core, token: str) -> None:
    reply = core.anonymous.get("/api/memos", {"Authorization": f"Bearer {token}"})
    assert reply.status == 401
    assert "WWW-Authenticate" in reply.headers


def test_problem_has_every_member(core: Core) -> None:
    reply = core.user().post("/api/memos", {"titel": 1})
    problem = reply.json
    assert set(problem) == {"type", "title", "status", "detail", "code", "errors", "trace_id"}
    assert (problem["type"], problem["status"], problem["code"]) == (
        "urn:hostwright:problem:invalid",
        422,
        "invalid",
    )
    assert {(it["pointer"], it["code"]) for it in problem["errors"]} == {
        ("/title", "required"),
        ("/titel", "unknown"),
    }
