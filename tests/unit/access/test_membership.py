"""member() over paths, by noun and with roles: the same for each way of writing it, and nobody else gets in."""

import pytest

from tests.support.sites import Caller, Core, Declare

SITE = """
rules:
  inside: {when: member('board'), resource: card}
resources:
  board:
    mixins: [{owned: {as: founder}}]
    fields: {name: string}
    relations: {members: {to: seat, many: true, by: board, first: {copy: {user: founder}, values: {role: owner}}}}
    access:
      read: member('board')
      create: authenticated
      update: "member('board', 'owner', 'admin')"
      delete: "member(members, 'owner')"
  seat:
    fields: {role: {type: enum, values: [owner, admin, guest], default: guest}}
    relations: {board: {to: board, required: true, on_delete: cascade}, user: {to: account, required: true}}
    unique: [[board, user]]
    access: {read: authenticated, create: authenticated, update: "role('x')", delete: "role('x')"}
  card:
    fields: {title: string}
    relations:
      board: {to: board, required: true, on_delete: cascade}
      remarks: {to: remark, many: true, by: card}
      spare: {to: board}
    query: {filter: [title]}
    access:
      list: inside
      get: member(board.members)
      create: "member('board', 'owner', 'admin')"
      update: "any(board.members, user == me and role == 'owner')"
      delete: "member('spare')"
  remark:
    fields: {text: string}
    relations: {card: {to: card, required: true, on_delete: cascade}}
    access: {every: member(card.board.members), update: "all(card.board.members, role != 'admin')"}
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE)


class Team:
    """A board with its owner, an admin, a guest and a stranger, and a card with a remark."""

    def __init__(self, core: Core) -> None:
        self.owner, self.admin, self.guest, self.stranger = (core.user() for _ in range(4))
        self.board = self.owner.make("/api/boards", name="b")["id"]
        with core.writing() as ctx:
            for caller, role in ((self.admin, "admin"), (self.guest, "guest")):
                assert caller.actor is not None
                ctx.records("seat").create({"board": self.board, "user": caller.actor.id, "role": role})
        self.card = self.owner.make("/api/cards", board=self.board, title="c")["id"]
        self.remark = self.guest.make("/api/remarks", card=self.card, text="r")["id"]

    @property
    def callers(self) -> list[Caller]:
        return [self.owner, self.admin, self.guest, self.stranger]


@pytest.fixture(scope="module")
def team(core: Core) -> Team:
    return Team(core)


def test_members_alone_read(team: Team) -> None:
    for path in (f"/api/boards/{team.board}", f"/api/cards/{team.card}", f"/api/remarks/{team.remark}"):
        assert [caller.get(path).status for caller in team.callers] == [200, 200, 200, 404], path


def test_members_alone_see_lists(team: Team) -> None:
    for path in ("/api/boards", "/api/cards", "/api/remarks"):
        seen = [bool(caller.get(path).json["items"]) for caller in team.callers]
        assert seen == [True, True, True, False], path


def test_anonymous_sees_nothing(core: Core, team: Team) -> None:
    assert core.anonymous.get(f"/api/cards/{team.card}").status == 401
    assert core.anonymous.get("/api/cards").status == 401


def test_role_decides_what_is_written(team: Team) -> None:
    change = [caller.patch(f"/api/boards/{team.board}", {"name": "n"}).status for caller in team.callers]
    made = [caller.post("/api/cards", {"board": team.board}).status for caller in team.callers]
    owned = [caller.patch(f"/api/cards/{team.card}", {"title": "t"}).status for caller in team.callers]
    assert (change, made[:3], owned) == ([200, 200, 403, 404], [201, 201, 403], [200, 403, 403, 404])
    assert made[3] in (403, 422)  # the board itself is hidden


def test_all_over_a_path_looks_at_every_member(team: Team) -> None:
    assert team.owner.patch(f"/api/remarks/{team.remark}", {"text": "x"}).status == 403


def test_absent_row_has_no_members(team: Team) -> None:
    assert team.owner.delete(f"/api/cards/{team.card}").status == 403
