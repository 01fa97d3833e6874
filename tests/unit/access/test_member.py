"""`member()`: whoever is in a room sees it, whether membership is a row of its own or a bare link."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.sites import Core

ROOMS = """
    resources:
      room:
        access: {read: member(members), create: authenticated, every: member(members)}
        fields: {name: string}
        relations: {members: {to: member, many: true, by: room}}
      member:
        access: authenticated
        relations: {room: {to: room, required: true, on_delete: cascade}, person: {to: account, required: true}}
      club:
        access: {create: authenticated, every: member(people)}
        fields: {name: string}
        relations: {people: {to: account, many: true}}
"""


def test_members_see_the_room_and_nobody_else(declare: Callable[..., Core]) -> None:
    core = declare(ROOMS)
    ada, ben = core.user(), core.user()
    assert ada.actor is not None
    with core.writing() as ctx:
        room = ctx.records("site.room").create({"name": "tea"})
        ctx.records("site.member").create({"room": room["id"], "person": ada.actor.id})
    assert [it["name"] for it in ada.get("/api/rooms").json["items"]] == ["tea"]
    assert ben.get("/api/rooms").json["items"] == []
    assert ben.get(f"/api/rooms/{room['id']}").status == 404
    assert core.anonymous.get("/api/rooms").status == 401


def test_linked_accounts_are_members(declare: Callable[..., Core]) -> None:
    core = declare(ROOMS)
    ada, ben = core.user(), core.user()
    assert ada.actor is not None
    with core.writing() as ctx:
        ctx.records("site.club").create({"name": "chess", "people": [ada.actor.id]})
    assert [it["name"] for it in ada.get("/api/clubs").json["items"]] == ["chess"]
    assert ben.get("/api/clubs").json["items"] == []
