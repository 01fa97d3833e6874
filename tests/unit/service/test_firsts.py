"""Rows that are made together with another one: all or none, and no rule stands in their way."""

import pytest

from tests.support.sites import Core, Declare

SITE = """
resources:
  team:
    mixins: [{owned: {as: founder}}]
    fields: {name: {type: string, required: true}}
    relations: {members: {to: member, many: true, by: team, first: {copy: {user: founder, note: name}, values: {role: owner}}}}
    access: {every: member(members), create: authenticated}
  member:
    fields: {role: {type: enum, values: [owner, guest], default: guest}, note: {type: string, unique: true}}
    relations: {team: {to: team, required: true, on_delete: cascade}, user: {to: account, required: true}}
    unique: [[team, user]]
    access: {read: authenticated, create: "role('nobody')", update: "role('nobody')", delete: "role('nobody')"}
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE)


def test_first_row_is_made_with_it(core: Core) -> None:
    ann = core.user()
    team = ann.make("/api/teams", name="Blue")
    rows = [row for row in ann.get("/api/members").json["items"] if row["team"] == team["id"]]
    assert [(row["role"], row["note"], row["user"]) for row in rows] == [("owner", "Blue", team["founder"])]


def test_rules_see_the_first_row(core: Core) -> None:
    ann, bob = core.user(), core.user()
    team = ann.make("/api/teams", name="Red")
    assert ann.get(f"/api/teams/{team['id']}").status == 200
    assert bob.get(f"/api/teams/{team['id']}").status == 404


def test_nothing_is_stored_when_the_first_row_fails(core: Core) -> None:
    ann, bob = core.user(), core.user()
    ann.make("/api/teams", name="Green")
    assert bob.post("/api/teams", {"name": "Green"}).status == 409
    assert bob.get("/api/teams").json["items"] == []


def test_every_row_of_a_bulk_has_its_first(core: Core) -> None:
    ann = core.user()
    assert ann.post("/api/teams/bulk", [{"name": "a"}, {"name": "b"}]).status in (200, 201)
    assert [row["name"] for row in ann.get("/api/teams").json["items"]] == ["a", "b"]
