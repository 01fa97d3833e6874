"""Rows told by something else than their key: a member by its user, below the team that the path names."""

import pytest

from tests.support.sites import Caller, Core, Declare

SITE = """
resources:
  team:
    mixins: [owned]
    fields: {name: string}
    access: {every: authenticated}
  member:
    path: /api/teams/{team}/members
    fields: {role: {type: string, default: guest}, badge: {type: string, unique: true}}
    relations: {team: {to: team, required: true, on_delete: cascade}, user: {to: account, by: number, required: true, set: once}}
    unique: [[team, user]]
    access: {every: "team.owner == me"}
    actions: {promote: {call: "actions.promote", access: "team.owner == me", out: member}}
    wires:
      main: {by: user, hide: [id], names: {user: id}, errors: {status: {hidden: 403}}}
      badges: {path: /api/badges, by: badge, operations: [get]}
"""
CODE = """
def promote(ctx, row, data):
    return ctx.records("member").update(row["id"], {"role": "boss"})
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE, CODE)


@pytest.fixture
def ann(core: Core) -> Caller:
    return core.user()


@pytest.fixture
def path(core: Core, ann: Caller) -> str:
    """The members of a team with one member, whose user is the caller's own number."""
    team = ann.make("/api/demo/teams", name="Blue")
    assert ann.actor is not None
    ann.make(f"/api/teams/{team['id']}/members", id=ann.actor.number)
    return f"/api/teams/{team['id']}/members/{ann.actor.number}"


def test_row_is_read_by_its_user(ann: Caller, path: str) -> None:
    assert ann.get(path).json["role"] == "guest"


def test_row_is_changed_by_its_user(ann: Caller, path: str) -> None:
    assert ann.patch(path, {"role": "cook"}).json["role"] == "cook"
    assert ann.delete(path).status == 204
    assert ann.get(path).status == 404


def test_action_is_called_on_it(ann: Caller, path: str) -> None:
    assert ann.post(f"{path}/promote").json["role"] == "boss"


def test_location_leads_back(core: Core, ann: Caller) -> None:
    team = ann.make("/api/demo/teams")["id"]
    assert ann.actor is not None
    made = ann.post(f"/api/teams/{team}/members", {"id": ann.actor.number})
    assert made.headers["Location"] == f"/api/teams/{team}/members/{ann.actor.number}"
    assert ann.get(made.headers["Location"]).status == 200


@pytest.mark.parametrize("user", ["0", "99999999", "word", "9" * 40])
def test_unknown_user_is_not_found(ann: Caller, path: str, user: str) -> None:
    assert ann.get(f"{path.rpartition('/')[0]}/{user}").status == 404


def test_hidden_row_has_its_status(core: Core, path: str) -> None:
    assert core.user().get(path).status == 403


def test_user_of_another_team_is_not_found(ann: Caller, path: str) -> None:
    other = ann.make("/api/demo/teams")["id"]
    assert ann.get(f"/api/teams/{other}/members/{path.rpartition('/')[2]}").status == 404


def test_unique_field_tells_a_row_without_parent(ann: Caller, path: str) -> None:
    assert ann.patch(path, {"badge": "B7"}).status == 200
    assert ann.get("/api/badges/B7").json["role"] == "guest"


def test_document_names_the_parameter(core: Core) -> None:
    operation = next(it for it in core.site.app.operations if it.id == "getDemoMember")
    assert operation.path == "/api/teams/{team}/members/{user}"
    assert set(operation.parameters) == {"team", "user"}
