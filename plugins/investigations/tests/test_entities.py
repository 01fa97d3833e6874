"""Entities with their tags, links between them, and what the pages of the browser ask for."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from plugins.investigations.tests.board import Board, Station

ENTITY = {
    "id", "type", "title", "description", "role", "location", "address", "event_date", "event_end_date", "is_timeslot",
    "evidence_type", "created_at", "updated_at", "created_by", "photo_url", "tags", "comments_count", "attachments_count",
}  # fmt: skip


def names(row: dict[str, Any]) -> list[str]:
    return sorted(tag["name"] for tag in row["tags"])


def test_entity_is_answered_as_the_contract_says(board: Board) -> None:
    said = board.owner.send("POST", f"{board.path}/entities", {"type": "person", "title": "The night porter"})
    assert (said.status, set(said.body)) == (201, {"id", "message"})
    (row,) = board.entities()
    assert set(row) == ENTITY
    assert (row["id"], row["type"], row["created_by"]) == (
        said.body["id"],
        "person",
        board.owner.user["username"],
    )
    assert (row["photo_url"], row["tags"], row["comments_count"], row["attachments_count"]) == (
        None,
        [],
        0,
        0,
    )


@pytest.mark.parametrize("key", ["type", "entity_type"])
def test_type_has_two_names(board: Board, key: str) -> None:
    board.member.post(f"{board.path}/entities", {key: "evidence", "title": "t", "evidence_type": "photo"})
    assert [row["type"] for row in board.entities()] == ["evidence"]


@pytest.mark.parametrize(
    "body",
    [
        {"title": "no type"}, {"type": "person"}, {"type": "ghost", "title": "t"}, {"type": "person", "title": ""},
        {"type": "person", "title": "x" * 201}, {"type": "event", "title": "t", "event_date": "yesterday"},
        {"type": "person", "title": "t", "tags": "red"}, {"type": "person", "title": "t", "tags": [5]},
        {"type": "evidence", "title": "t", "evidence_type": "smell"}, {"type": "person", "title": "t", "tags": ["x" * 51]},
    ],
)  # fmt: skip
def test_wrong_entity_is_refused(board: Board, body: dict[str, Any]) -> None:
    said = board.owner.send("POST", f"{board.path}/entities", body)
    assert (said.status, type(said.body["error"])) == (400, str)
    assert board.entities() == []


def test_time_without_zone_is_parisian(board: Board) -> None:
    board.entity(type="event", event_date="2025-01-31T14:30", event_end_date="2025-07-31T14:30:00Z")
    (row,) = board.entities()
    assert (row["event_date"][:19], row["event_end_date"][:19]) == (
        "2025-01-31T13:30:00",
        "2025-07-31T14:30:00",
    )


def test_empty_date_of_a_form_is_none(board: Board) -> None:
    board.entity(event_date="", evidence_type="")
    (row,) = board.entities()
    assert (row["event_date"], row["evidence_type"]) == (None, "")


def test_newest_entity_comes_first(board: Board) -> None:
    first, second = board.entity(), board.entity()
    assert [row["id"] for row in board.entities()] == [second, first]


def test_entities_are_found_by_type_and_words(board: Board) -> None:
    board.entity(title="Le Café", description="noisy")
    board.entity(type="event", title="Theft", description="near the café, 100% sure")
    assert [row["title"] for row in board.entities("?type=event")] == ["Theft"]
    assert [row["title"] for row in board.entities("?search=NOISY")] == ["Le Café"]
    assert [row["title"] for row in board.entities("?type=event&search=100%25")] == ["Theft"]
    assert board.entities("?search=sure%20near") == []
    assert len(board.entities("?search=&type=")) == 2


def test_entity_is_changed_in_part(board: Board) -> None:
    key = board.entity(description="old", tags=["red"])
    said = board.member.send("PUT", f"{board.path}/entities/{key}", {"title": "New", "type": "event"})
    assert (said.status, set(said.body)) == (200, {"message"})
    (row,) = board.entities()
    assert (row["title"], row["description"], row["type"], names(row)) == ("New", "old", "person", ["red"])


def test_entity_of_another_board_is_not_found(board: Board, shared: Board) -> None:
    key = shared.entity()
    for method, path in (("PUT", "entities"), ("DELETE", "entities")):
        assert board.owner.send(method, f"{board.path}/{path}/{key}", {"title": "t"}).status == 404
    shared.owner.delete(f"{shared.path}/entities/{key}")


def test_viewers_look_and_strangers_do_not(board: Board) -> None:
    key = board.entity()
    body = {"type": "person", "title": "t"}
    reads = [person.send("GET", f"{board.path}/entities").status for person in board.everyone]
    creates = [person.send("POST", f"{board.path}/entities", body).status for person in board.everyone]
    updates = [person.send("PUT", f"{board.path}/entities/{key}", body).status for person in board.everyone]
    deletes = [person.send("DELETE", f"{board.path}/entities/{key}").status for person in board.everyone[3:]]
    assert (reads, creates) == ([200, 200, 200, 200, 403], [201, 201, 201, 403, 403])
    assert (updates, deletes) == ([200, 200, 200, 403, 403], [403, 403])


# -- tags --


def test_tags_are_found_or_made(station: Station, board: Board) -> None:
    before = station.count("tag")
    board.entity(tags=["Red", " red ", "", "Blue"])
    board.entity(tags=["RED", "green"])
    assert [names(row) for row in board.entities()] == [["Red", "green"], ["Blue", "Red"]]
    assert station.count("tag") == before + 3


def test_tags_are_replaced_as_a_set(board: Board) -> None:
    key = board.entity(tags=["red", "blue"])
    board.owner.put(f"{board.path}/entities/{key}", {"tags": ["blue", "green"]})
    assert names(board.entities()[0]) == ["blue", "green"]
    board.owner.put(f"{board.path}/entities/{key}", {"tags": []})
    assert board.entities()[0]["tags"] == []


def test_tags_of_boards_are_their_own(board: Board, shared: Board) -> None:
    board.entity(tags=["common"])
    key = shared.entity(tags=["common"])
    mine = board.entities()[0]["tags"][0]["id"]
    theirs = next(row for row in shared.entities() if row["id"] == key)["tags"][0]["id"]
    assert mine != theirs


def test_racing_writers_make_one_tag(station: Station, board: Board) -> None:
    before, statuses = station.count("tag"), []

    def make(name: str) -> None:
        body = {"type": "person", "title": "t", "tags": [name, "other"]}
        statuses.append(board.member.send("POST", f"{board.path}/entities", body).status)

    threads = [threading.Thread(target=make, args=(name,)) for name in ("night", "NIGHT", "Night", "nIGHT")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (statuses, station.count("tag")) == ([201] * 4, before + 2)


# -- links --


def test_link_shows_both_ends(board: Board) -> None:
    first, second = board.entity(), board.entity(type="event", title="Theft")
    said = board.member.send(
        "POST", f"{board.path}/links", {"from_entity_id": first, "to_entity_id": second, "title": "saw"}
    )
    assert (said.status, set(said.body)) == (201, {"id", "message"})
    (row,) = board.viewer.get(f"{board.path}/links")["links"]
    assert row["from_entity"] == {"id": first, "title": "The night porter", "type": "person"}
    assert row["to_entity"] == {"id": second, "title": "Theft", "type": "event"}
    assert {"id", "from_entity", "to_entity", "title", "description", "created_at", "created_by"} <= set(row)


@pytest.mark.parametrize("turned", [False, True])
def test_link_exists_once_either_way(board: Board, turned: bool) -> None:
    ends = [board.entity(), board.entity()]
    body = {"from_entity_id": ends[0], "to_entity_id": ends[1], "title": "saw"}
    board.owner.post(f"{board.path}/links", body)
    again = {**body, "from_entity_id": ends[turned], "to_entity_id": ends[not turned]}
    assert board.owner.send("POST", f"{board.path}/links", again).status == 400


def test_racing_opposite_links_leave_one(station: Station, board: Board) -> None:
    first, second = board.entity(), board.entity()
    before, statuses = station.count("link"), []

    def link(a: str, b: str) -> None:
        body = {"from_entity_id": a, "to_entity_id": b, "title": "saw"}
        statuses.append(board.owner.send("POST", f"{board.path}/links", body).status)

    threads = [threading.Thread(target=link, args=ends) for ends in ((first, second), (second, first)) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sorted(statuses), station.count("link")) == ([201, 400, 400, 400], before + 1)


def test_wrong_link_is_refused(board: Board, shared: Board) -> None:
    here, elsewhere = board.entity(), shared.entity()
    for other in (elsewhere, here, "nonsense", None, "00000000-0000-4000-8000-000000000000"):
        body = {"from_entity_id": here, "to_entity_id": other, "title": "saw"}
        said = board.owner.send("POST", f"{board.path}/links", body)
        assert (said.status, type(said.body["error"])) == (400, str), (other, said)
    assert board.owner.get(f"{board.path}/links")["links"] == []


def test_link_is_deleted_alone_and_with_an_end(station: Station, board: Board) -> None:
    first, second = board.entity(), board.entity()
    body = {"from_entity_id": first, "to_entity_id": second, "title": "saw"}
    key = board.owner.post(f"{board.path}/links", body)["id"]
    assert set(board.owner.delete(f"{board.path}/links/{key}")) == {"message"}
    assert board.owner.send("DELETE", f"{board.path}/links/{key}").status == 404
    board.owner.post(f"{board.path}/links", body)
    board.owner.delete(f"{board.path}/entities/{second}")
    assert board.owner.get(f"{board.path}/links")["links"] == []


# -- the pages of the browser --


def test_pages_write_entities_on_paths_of_their_own(board: Board) -> None:
    said = board.member.send("POST", f"{board.page}/entities/", {"type": "person", "title": "t"})
    assert (said.status, set(said.body)) == (200, {"id", "message"})
    path = f"{board.page}/entity/{said.body['id']}/"
    assert set(board.member.put(path, {"title": "u"})) == {"message"}
    assert board.viewer.get(f"{board.page}/entities/")["entities"][0]["title"] == "u"
    assert set(board.member.delete(path)) == {"message"}
    assert board.entities() == []


def test_page_chooses_what_to_link(board: Board) -> None:
    first, second, third = (board.entity(title=title) for title in "abc")
    body = {"from_entity_id": second, "to_entity_id": first, "title": "saw", "description": "twice"}
    key = board.owner.post(f"{board.page}/links/", body)["id"]
    said = board.viewer.get(f"{board.page}/entity/{first}/links/")
    assert said["available_entities"] == [{"id": third, "title": "c", "type": "person"}]
    other = {"id": second, "title": "b"}
    assert said["current_links"] == [{"id": key, "to_entity": other, "title": "saw", "description": "twice"}]


def test_list_costs_the_same_however_long(station: Station, board: Board) -> None:
    from host.testing.counting import counted

    def queries() -> int:
        with counted(station.app.runtime.database) as seen:
            board.member.get(f"{board.path}/entities")
        return len(seen)

    board.entity(tags=["a"])
    few = queries()
    for _ in range(5):
        board.entity(tags=["a", "b", "c"])
    assert queries() == few
