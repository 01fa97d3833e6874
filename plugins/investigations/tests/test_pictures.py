"""The pictures of people: stored for their account, kept in the board's own table of users, shown among the members."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from plugins.investigations.tests.board import Board


def picture() -> bytes:
    file = BytesIO()
    Image.new("RGB", (30, 30), "green").save(file, "PNG")
    return file.getvalue()


def test_members_see_each_others_pictures(board: Board) -> None:
    files = {"avatar": (BytesIO(picture()), "me.png")}
    stored = board.member.send("POST", "/api/auth/me/avatar", data=files)
    assert stored.status == 200, stored
    for path in (f"{board.path}/members", f"{board.page}/presence/"):
        shown = {row["username"]: row["avatar"] for row in board.viewer.get(path)["members"]}
        assert shown[board.owner.user["username"]] is None
        url = shown[board.member.user["username"]]
        assert board.viewer.station.nobody().send("GET", url).body == picture()
        assert board.viewer.send("GET", url.partition("?")[0]).status == 404
    board.member.send("DELETE", "/api/auth/me/avatar")


def test_table_of_users_has_the_path(board: Board) -> None:
    said = board.admin.send(
        "PUT", "/api/auth/me/avatar", data=picture(), headers={"Content-Type": "image/png"}
    )
    assert said.status == 200, said
    runtime = board.admin.station.app.runtime
    table = runtime.registry.model("investigations.user").table
    wanted = table.select().with_only_columns(table.c.avatar).where(table.c.id == board.admin.number)
    with runtime.database.engine.connect() as connection:
        path = connection.execute(wanted).scalar_one()
    assert path.startswith("avatars/") and path.endswith(".png") and len(path) <= 100
    assert runtime.storage.size(path) == len(picture())
    board.admin.send("DELETE", "/api/auth/me/avatar")
    with runtime.database.engine.connect() as connection:
        assert connection.execute(wanted).scalar_one() is None
