"""What hangs on an entity: comments, attachments and its photo."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from plugins.investigations.tests.board import Board, Person, Said, Station


def picture() -> bytes:
    """A small picture."""
    file = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(file, "PNG")
    return file.getvalue()


PNG = picture()


def sent(person: Person, path: str, part: str, content: bytes, name: str, method: str = "POST") -> Said:
    """A file in multipart/form-data."""
    return person.send(method, path, data={part: (io.BytesIO(content), name)})


@pytest.fixture
def entity(board: Board) -> str:
    """The path of an entity."""
    return f"{board.path}/entities/{board.entity()}"


# -- comments --


def test_comment_is_answered_as_the_contract_says(board: Board, entity: str) -> None:
    board.member.post(f"{entity}/comments", {"content": "Where was he?"})
    board.admin.post(f"{entity}/comments/", {"content": "At the door."})
    rows = board.viewer.get(f"{entity}/comments")["comments"]
    assert [row["content"] for row in rows] == ["At the door.", "Where was he?"]
    assert set(rows[0]) == {"id", "author", "content", "created_at", "updated_at"}
    assert rows[0]["author"] == board.admin.user["username"]
    assert board.entities()[0]["comments_count"] == 2


def test_author_changes_a_comment(board: Board, entity: str) -> None:
    key = board.member.post(f"{entity}/comments", {"content": "a"})["id"]
    said = [
        person.send("PUT", f"{entity}/comments/{key}", {"content": "b"}).status for person in board.everyone
    ]
    assert said == [403, 403, 200, 403, 403]


def test_author_owner_and_admin_delete_a_comment(board: Board, entity: str) -> None:
    for person, statuses in (
        (board.owner, 200),
        (board.admin, 200),
        (board.member, 200),
        (board.viewer, 403),
    ):
        key = board.member.post(f"{entity}/comments", {"content": "a"})["id"]
        assert person.send("DELETE", f"{entity}/comments/{key}").status == statuses
    assert board.stranger.send("DELETE", f"{entity}/comments/{key}").status == 403


def test_viewers_do_not_comment(board: Board, entity: str) -> None:
    said = [person.send("POST", f"{entity}/comments", {"content": "a"}).status for person in board.everyone]
    assert said == [201, 201, 201, 403, 403]


@pytest.mark.parametrize("body", [{}, {"content": ""}, {"content": "   "}, {"content": None}])
def test_empty_comment_is_refused(board: Board, entity: str, body: dict[str, Any]) -> None:
    assert board.owner.send("POST", f"{entity}/comments", body).status == 400


def test_comments_stay_below_their_entity(board: Board, shared: Board, entity: str) -> None:
    key = board.owner.post(f"{entity}/comments", {"content": "a"})["id"]
    other = board.entity()
    assert board.owner.send("GET", f"{board.path}/entities/{other}/comments/{key}").status == 404
    wrong = entity.replace(board.id, shared.id)
    assert shared.owner.send("GET", f"{wrong}/comments").status == 404
    assert shared.owner.send("POST", f"{wrong}/comments", {"content": "b"}).status == 404


# -- attachments --


def test_attachment_is_stored_and_served(board: Board, entity: str) -> None:
    said = sent(
        board.member, f"{entity}/attachments", "file", b"%PDF-1.4\nreport\n%%EOF", "../../re\u0301port.pdf"
    )
    assert said.status == 201, said
    (row,) = board.viewer.get(f"{entity}/attachments")["attachments"]
    assert set(row) == {"id", "filename", "file_type", "uploaded_by", "uploaded_at", "file_url"}
    assert (row["filename"], row["file_type"]) == ("r\u00e9port.pdf", "application/pdf")
    assert row["uploaded_by"] == board.member.user["username"]
    answer = board.viewer.send("GET", row["file_url"])
    assert (answer.status, answer.body) == (200, b"%PDF-1.4\nreport\n%%EOF")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert board.entities()[0]["attachments_count"] == 1


def test_only_members_reach_an_attachment(board: Board, entity: str) -> None:
    sent(board.owner, f"{entity}/attachments", "file", b"text", "a.txt")
    url = board.owner.get(f"{entity}/attachments")["attachments"][0]["file_url"]
    assert [person.send("GET", url).status for person in board.everyone] == [200, 200, 200, 200, 403]
    assert board.owner.station.nobody().send("GET", url).status == 401


def test_viewer_attaches_nothing(station: Station, board: Board, entity: str) -> None:
    before = station.count("attachment")
    for person in (board.viewer, board.stranger):
        assert sent(person, f"{entity}/attachments", "file", b"text", "a.txt").status == 403
    assert station.count("attachment") == before


def test_attachment_without_file_is_refused(board: Board, entity: str) -> None:
    other = {"other": (io.BytesIO(b"text"), "a.txt")}
    assert board.owner.send("POST", f"{entity}/attachments", data=other).status == 400
    assert board.owner.send("POST", f"{entity}/attachments", {}).status == 400


def test_attachment_is_deleted_by_its_owner(board: Board, entity: str) -> None:
    key = sent(board.member, f"{entity}/attachments", "file", b"text", "a.txt").body["id"]
    assert board.viewer.send("DELETE", f"{entity}/attachments/{key}").status == 403
    assert set(board.member.delete(f"{entity}/attachments/{key}")) == {"message"}
    assert board.owner.get(f"{entity}/attachments")["attachments"] == []


# -- the photo of an entity --


def test_photo_is_stored_on_both_paths(board: Board, entity: str) -> None:
    key = entity.rpartition("/")[2]
    assert sent(board.member, f"{entity}/photo", "photo", PNG, "a.png").status == 200
    url = board.entities()[0]["photo_url"]
    answer = board.viewer.send("GET", url)
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, PNG, "image/png")
    said = sent(board.member, f"{board.page}/entity/{key}/photo/", "photo", PNG, "b.png")
    assert (said.status, set(said.body)) == (200, {"message", "photo_url"})


def test_photo_is_removed(board: Board, entity: str) -> None:
    key = entity.rpartition("/")[2]
    sent(board.owner, f"{entity}/photo", "photo", PNG, "a.png")
    assert set(board.owner.delete(f"{board.page}/entity/{key}/photo/")) == {"message"}
    assert board.entities()[0]["photo_url"] is None


@pytest.mark.parametrize(
    ("content", "name"), [(b"<script>alert(1)</script>", "a.png"), (b"", "a.png"), (b"%PDF-1.4", "a.pdf")]
)  # fmt: skip
def test_what_is_no_picture_is_refused(board: Board, entity: str, content: bytes, name: str) -> None:
    assert sent(board.owner, f"{entity}/photo", "photo", content, name).status in (400, 415, 422)
    assert board.entities()[0]["photo_url"] is None


def test_photo_wants_a_part_and_a_method(board: Board, entity: str) -> None:
    path = f"{board.page}/entity/{entity.rpartition('/')[2]}/photo/"
    assert board.owner.send("POST", path, data={"other": (io.BytesIO(PNG), "a.png")}).status == 400
    said = board.owner.send("PATCH", path)
    assert (said.status, "POST" in said.headers["Allow"]) == (405, True)


def test_strangers_neither_see_nor_store_a_photo(board: Board, entity: str) -> None:
    sent(board.owner, f"{entity}/photo", "photo", PNG, "a.png")
    assert board.stranger.send("GET", f"{entity}/photo").status == 403
    said = [sent(person, f"{entity}/photo", "photo", PNG, "b.png").status for person in board.everyone]
    assert said == [200, 200, 200, 403, 403]
