"""Investigations, who joins them, and who is there."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest

from plugins.investigations.tests.board import Board, Station


def test_created_board_answers_its_code(station: Station) -> None:
    person = station.person()
    said = person.send("POST", "/api/investigations", {"title": " The painting ", "mood": "dark"})
    assert said.status == 201
    assert set(said.body) == {"message", "id", "code"}
    assert re.fullmatch("[A-Z0-9]{8}", said.body["code"])
    assert person.get(f"/api/investigations/{said.body['id']}")["title"] == "The painting"


def test_list_holds_what_the_contract_names(board: Board) -> None:
    rows = board.owner.get("/api/investigations")["investigations"]
    row = next(row for row in rows if row["id"] == board.id)
    assert set(row) == {
        "id", "code", "title", "description", "created_at", "updated_at", "is_active", "created_by", "member_count",
    }  # fmt: skip
    assert (row["created_by"], row["member_count"], row["is_active"]) == (
        board.owner.user["username"],
        4,
        True,
    )


def test_only_members_see_a_board(board: Board) -> None:
    assert [person.send("GET", board.path).status for person in board.everyone] == [200, 200, 200, 200, 403]
    assert board.id not in [row["id"] for row in board.stranger.get("/api/investigations")["investigations"]]


def test_unknown_and_malformed_boards_are_not_found(shared: Board) -> None:
    for key in ("00000000-0000-4000-8000-000000000000", "painting", "1", "%00"):
        said = shared.owner.send("GET", f"/api/investigations/{key}")
        assert (said.status in (400, 404), "error" in said.body) == (True, True), (key, said)


def test_newest_change_comes_first(station: Station) -> None:
    person = station.person()
    first, second = (person.post("/api/investigations", {"title": title})["id"] for title in "ab")
    person.patch(f"/api/investigations/{first}", {"title": "changed"})
    rows = person.get("/api/investigations/")["investigations"]
    assert [row["id"] for row in rows] == [first, second]


@pytest.mark.parametrize("body", [{}, {"title": ""}, {"title": "x" * 201}, {"title": None}, {"title": 5}])
def test_wrong_board_is_refused_with_an_error(shared: Board, body: dict[str, Any]) -> None:
    said = shared.owner.send("POST", "/api/investigations", body)
    assert (said.status, type(said.body["error"])) == (400, str)


def test_nobody_gets_nothing(station: Station, shared: Board) -> None:
    for method, path in (
        ("GET", "/api/investigations"),
        ("POST", "/api/investigations"),
        ("GET", shared.path),
    ):
        said = station.nobody().send(method, path)
        assert (said.status, "WWW-Authenticate" in said.headers, "error" in said.body) == (401, True, True)


# -- joining --


def test_code_is_read_without_regard_to_case(board: Board) -> None:
    said = board.stranger.send("POST", "/api/investigations/join", {"code": f" {board.code.lower()} "})
    assert (said.status, said.body["investigation_id"]) == (200, board.id)
    assert board.stranger.send("GET", board.path).status == 200


def test_joining_twice_is_told(board: Board) -> None:
    said = board.member.send("POST", "/api/investigations/join", {"code": board.code})
    assert (said.status, said.body["error"]) == (400, "you are a member of this investigation already")


def test_unknown_code_joins_nothing(shared: Board) -> None:
    assert shared.stranger.send("POST", "/api/investigations/join", {"code": "????????"}).status == 404


def test_inactive_board_cannot_be_joined(board: Board) -> None:
    board.owner.patch(board.path, {"is_active": False})
    assert board.stranger.send("POST", "/api/investigations/join", {"code": board.code}).status == 404


def test_one_of_racing_joins_counts(station: Station, board: Board) -> None:
    before, statuses = station.count("member"), []

    def join() -> None:
        statuses.append(board.stranger.send("POST", "/api/investigations/join", {"code": board.code}).status)

    threads = [threading.Thread(target=join) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sorted(statuses), station.count("member")) == ([200, 400, 400, 400], before + 1)


# -- members --


def test_members_are_listed_as_they_joined(board: Board) -> None:
    rows = board.viewer.get(f"{board.path}/members")["members"]
    assert [row["role"] for row in rows] == ["owner", "admin", "member", "viewer"]
    assert set(rows[0]) == {"id", "username", "email", "avatar", "role", "joined_at", "last_seen", "online"}
    assert rows[0]["id"] == board.owner.number


def test_pages_list_members_too(board: Board) -> None:
    rows = board.viewer.get(f"{board.page}/members/")["members"]
    assert set(rows[0]) == {"id", "username", "email", "role", "joined_at"}
    assert rows[0]["id"] == str(board.owner.number)
    assert board.stranger.send("GET", f"{board.page}/members/").status == 403


def test_owner_and_admins_give_roles(board: Board) -> None:
    path = f"{board.path}/members/{board.member.number}"
    said = [person.send("PATCH", path, {"role": "viewer"}).status for person in board.everyone]
    assert said == [200, 200, 403, 403, 403]


@pytest.mark.parametrize("role", ["owner", "boss", "", None])
def test_nobody_can_be_made_owner(board: Board, role: str | None) -> None:
    path = f"{board.path}/members/{board.member.number}"
    assert board.admin.send("PATCH", path, {"role": role}).status in (400, 403)
    assert board.owner.get(f"{board.path}/members")["members"][2]["role"] == "member"


def test_owner_keeps_the_board(board: Board) -> None:
    path = f"{board.path}/members/{board.owner.number}"
    for person in (board.owner, board.admin):
        assert person.send("PATCH", path, {"role": "viewer"}).status == 403
        assert person.send("DELETE", path).status == 403
        assert person.send("POST", f"{board.page}/members/{board.owner.number}/revoke/").status in (400, 403)


def test_member_leaves_the_board(board: Board) -> None:
    board.member.delete(f"{board.path}/members/{board.member.number}")
    assert board.member.send("GET", board.path).status == 403


def test_revoked_member_cannot_come_back(board: Board) -> None:
    said = board.owner.post(f"{board.page}/members/{board.member.number}/revoke/")
    assert set(said) == {"message", "code", "removed_user_id"}
    assert (said["code"] != board.code, said["removed_user_id"]) == (True, str(board.member.number))
    assert board.member.send("GET", board.path).status == 403
    assert board.member.send("POST", "/api/investigations/join", {"code": board.code}).status == 404


def test_only_the_creator_revokes(board: Board) -> None:
    path = f"{board.page}/members/{board.member.number}/revoke/"
    said = [
        person.send("POST", path).status
        for person in (board.admin, board.member, board.viewer, board.stranger)
    ]
    assert said == [403, 403, 403, 403]
    assert board.owner.send("POST", f"{board.page}/members/999999/revoke/").status == 404


# -- presence --


def test_heartbeat_shows_who_is_there(board: Board) -> None:
    said = board.member.post(f"{board.path}/presence")
    assert (said["status"], type(said["last_seen"])) == ("ok", str)
    rows = board.viewer.get(f"{board.page}/presence/")["members"]
    assert [row["online"] for row in rows] == [False, False, True, False]
    assert set(rows[0]) == {"id", "username", "avatar", "role", "last_seen", "online"}


def test_pages_send_heartbeats_too(board: Board) -> None:
    assert board.viewer.post(f"{board.page}/presence/heartbeat/")["status"] == "ok"
    assert board.stranger.send("POST", f"{board.page}/presence/heartbeat/").status == 403


def test_heartbeat_changes_nothing_else(board: Board) -> None:
    before = board.owner.get(board.path)
    board.owner.post(f"{board.path}/presence")
    assert board.owner.get(board.path) == before


# -- changing and deleting --


def test_owner_and_admin_change_a_board(board: Board) -> None:
    said = [person.send("PATCH", board.path, {"description": "d"}).status for person in board.everyone]
    assert said == [200, 200, 403, 403, 403]


def test_only_the_creator_deletes(board: Board) -> None:
    others = (board.admin, board.member, board.viewer, board.stranger)
    assert [person.send("DELETE", board.path).status for person in others] == [403, 403, 403, 403]
    assert [person.send("POST", f"{board.page}/delete/").status for person in others] == [403, 403, 403, 403]


def test_deleting_takes_everything_along(station: Station, board: Board) -> None:
    nouns = ("investigation", "member", "entity", "link", "tag", "comment")
    before = [station.count(noun) for noun in nouns]
    first, second = board.entity(tags=["red"]), board.entity(type="event")
    board.owner.post(f"{board.path}/links", {"from_entity_id": first, "to_entity_id": second, "title": "saw"})
    board.owner.post(f"{board.path}/entities/{first}/comments", {"content": "c"})
    said = board.owner.post(f"{board.page}/delete/")
    assert set(said) == {"message", "redirect"}
    assert board.owner.send("GET", board.path).status == 404
    gone = [1, 4, 0, 0, 0, 0]
    assert [station.count(noun) for noun in nouns] == [a - b for a, b in zip(before, gone, strict=True)]
