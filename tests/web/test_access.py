"""`/api/host/access`: what a user interface may offer, and for admins why."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.sites import Caller, Core, Declare

SITE = """
resources:
  team:
    mixins: [owned]
    fields:
      name: {type: string, max: 40}
      budget: {type: integer, read: owner, write: "role('admin')"}
    relations: {members: {to: membership, many: true, by: team}}
    access: {read: [owner, "member(members)"], create: authenticated, update: owner, delete: "role('admin')"}
    actions:
      close: {call: actions.close, access: owner}
      sweep: {call: actions.sweep, target: collection, access: "role('admin')"}
    wires: {main: {}, old: {path: /old/teams, operations: [list, get]}}
  membership:
    relations: {team: {to: team, required: true}, person: {to: account, required: true}}
    access: {read: authenticated, write: team.owner == me}
  news: {plural: news, fields: {text: text}, access: {read: public, write: "role('admin')"}, query: {search: [text]}}
endpoints:
  ping: {method: GET, path: /api/ping, call: actions.ping, access: public}
  wipe: {path: /api/wipe, call: actions.ping, access: "role('admin')"}
"""
CODE = """
def close(ctx, row, data): ...
def sweep(ctx, data): ...
def ping(ctx, data): ...
"""
PATH = "/api/host/access"


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE, CODE)


def told(caller: Caller, query: str = "") -> Any:
    reply = caller.get(f"{PATH}{query}")
    assert reply.status == 200, reply.body
    return reply.json


def test_nobody_sees_what_is_public(core: Core) -> None:
    found = told(core.anonymous)
    assert found["resources"]["demo.news"] == {
        "list": "yes", "get": "yes", "create": "no", "update": "no", "delete": "no", "export": "yes", "import": "no",
        "bulk_create": "no", "bulk_update": "no", "bulk_delete": "no",
    }  # fmt: skip
    assert set(found["resources"]["demo.team"].values()) == {"no"}
    operations = found["operations"]
    assert (operations["demoPing"], operations["demoWipe"]) == ("yes", "no")


def test_rules_over_the_row_depend(core: Core) -> None:
    found = told(core.user())["resources"]["demo.team"]
    assert (found["create"], found["list"], found["update"], found["close"]) == (
        "yes",
        "depends",
        "depends",
        "depends",
    )
    assert (found["delete"], found["sweep"]) == ("no", "no")
    admin = told(core.user(role="admin"))
    assert (admin["resources"]["demo.team"]["sweep"], admin["operations"]["demoWipe"]) == ("yes", "yes")
    assert admin["resources"]["demo.team"]["delete"] == "depends"  # of a team that the admin can see


def test_every_operation_of_the_app_is_told(core: Core) -> None:
    found = told(core.anonymous)["operations"]
    assert set(found) == {operation.id for operation in core.site.app.operations}
    assert found["listDemoTeamOld"] == "no"


def test_one_resource_tells_its_fields(core: Core) -> None:
    found = told(core.user(), "?resource=team")
    assert found["resource"] == "demo.team"
    assert list(found["resources"]) == ["demo.team"]
    assert found["fields"]["budget"] == {"read": "depends", "create": "no", "update": "no"}
    assert found["fields"]["id"] == {"read": "yes", "create": "no", "update": "no"}


def test_one_row_is_decided(core: Core) -> None:
    ann, bob = core.user(), core.user()
    team = ann.make("/api/demo/teams", name="Red")
    with core.writing() as ctx:
        ctx.records("demo.membership").create({"team": team["id"], "person": bob.actor.id})  # type: ignore[union-attr]
    own, other = (told(caller, f"?row=demo.team/{team['id']}") for caller in (ann, bob))
    assert own["operations"] == {"get": True, "update": True, "delete": False, "close": True}
    assert other["operations"] == {"get": True, "update": False, "delete": False, "close": False}
    assert own["fields"]["budget"] == {"readable": True, "writable": False}
    assert other["fields"]["budget"] == {"readable": False, "writable": False}


def test_hidden_row_is_not_found(core: Core) -> None:
    team = core.user().make("/api/demo/teams", name="Red")
    hidden = core.user().get(f"{PATH}?row=team/{team['id']}")
    unknown = core.user().get(f"{PATH}?row=team/00000000-0000-7000-8000-000000000000")
    assert hidden.status == unknown.status == 404
    assert hidden.json["detail"] == unknown.json["detail"]


def test_unchanged_overview_is_not_sent_again(core: Core) -> None:
    caller = core.user()
    first = caller.get(PATH)
    again = caller.get(PATH, {"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    "query", ["?x=1", "?resource=", "?resource=a&resource=b", "?row=team/%00", "?row=team/zz", "?row=team"]
)
def test_odd_query_is_refused(core: Core, query: str) -> None:
    assert core.user().get(PATH + query).status == 422


def test_unknown_resource_is_not_found(core: Core) -> None:
    assert core.user().get(f"{PATH}?resource=teem").status == 404


# --- why --------------------------------------------------------------------------------------------------------------


def test_admins_alone_may_ask_why(core: Core) -> None:
    query = "?operation=list&row=team"
    assert core.anonymous.get(f"{PATH}/explain{query}").status == 401
    assert core.user().get(f"{PATH}/explain{query}").status == 403
    assert core.user(role="admin").get(f"{PATH}/explain{query}").status == 200


def test_admin_is_told_why(core: Core) -> None:
    ann, admin = core.user(), core.user(role="admin")
    team = ann.make("/api/demo/teams", name="Red")
    query = f"?as={ann.actor.account['email']}&operation=delete&row=demo.team/{team['id']}"  # type: ignore[union-attr]
    found = admin.get(f"{PATH}/explain{query}").json
    assert (found["allowed"], found["outcome"], found["decided_by"]) == ("no", "forbidden", "role('admin')")
    nobody = admin.get(f"{PATH}/explain?operation=get&row=team/{team['id']}").json
    assert (nobody["as"], nobody["outcome"]) == ("nobody", "hidden")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 422),
        ("?operation=list&row=team&x=1", 422),
        ("?operation=get&row=team/1", 422),
        ("?operation=lst&row=team", 404),
        ("?operation=list&row=teem", 404),
        ("?as=zed&operation=list&row=team", 404),
        ("?operation=get&row=team/00000000-0000-7000-8000-000000000000", 404),
    ],
)
def test_wrong_question_is_told(core: Core, query: str, status: int) -> None:
    assert core.user(role="admin").get(f"{PATH}/explain{query}").status == status


def test_endpoint_is_explained(core: Core) -> None:
    admin = core.user(role="admin")
    assert admin.get(f"{PATH}/explain?operation=call&row=demo.ping").json["allowed"] == "yes"
    assert admin.get(f"{PATH}/explain?operation=call&row=demo.wipe").json["outcome"] == "unauthenticated"
