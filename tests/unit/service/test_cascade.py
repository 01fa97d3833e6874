"""What a deletion takes along: what the database does not do by itself the service does, on both databases alike."""

from typing import Any

import pytest

from host.actor import SYSTEM
from host.errors import Referenced
from host.service import cascade
from tests.support.sites import Core, Declare

BOARDS = """
resources:
  board:
    table: legacy_board
    key: uuid4
    stored: django
    access: public
    fields: {name: {type: string, required: true}}
    relations: {labels: {to: label, many: true}, parent: {to: board, on_delete: cascade}}
  label:
    {table: legacy_label, key: uuid4, stored: django, access: public, fields: {name: {type: string, required: true}}}
  note:
    table: legacy_note
    key: uuid4
    stored: django
    access: public
    relations: {board: {to: board, required: true, on_delete: cascade}}
  reply: {access: public, mixins: [soft_delete], relations: {note: {to: note, required: true, on_delete: cascade}}}
  view:
    {table: legacy_view, key: int, stored: django, access: public, relations: {board: {to: board, on_delete: set_null}}}
  lock:
    {table: legacy_lock, key: int, stored: django, access: public, relations: {board: {to: board, required: true}}}
"""
TABLES = (
    "site_reply",
    "legacy_note",
    "legacy_view",
    "legacy_lock",
    "legacy_board_labels",
    "legacy_label",
    "legacy_board",
)


@pytest.fixture(scope="module")
def site(declare: Declare) -> Core:
    return declare(BOARDS)


@pytest.fixture(autouse=True)
def empty(site: Core) -> None:
    with site.site.database.writing() as connection:
        connection.exec_driver_sql("UPDATE legacy_board SET parent_id = NULL")
        for table in TABLES:
            connection.exec_driver_sql(f"DELETE FROM {table}")


def make(site: Core, noun: str, **values: Any) -> Any:
    with site.writing(SYSTEM) as ctx:
        return ctx.records(noun).create(values)["id"]


def delete(site: Core, noun: str, key: Any) -> None:
    with site.writing(SYSTEM) as ctx:
        ctx.records(noun).delete(key)


def count(site: Core, table: str, where: str = "1 = 1") -> int:
    with site.site.database.reading() as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0])


def test_dependents_go_with_their_row(site: Core) -> None:
    board, other = make(site, "board", name="a"), make(site, "board", name="b")
    label = make(site, "label", name="x")
    with site.writing(SYSTEM) as ctx:
        ctx.records("board").update(board, {"labels": [label]})
    notes = [make(site, "note", board=board) for _ in range(3)]
    make(site, "note", board=other)
    make(site, "reply", note=notes[0])
    view = make(site, "view", board=board)
    delete(site, "board", board)
    assert (count(site, "legacy_note"), count(site, "legacy_board_labels"), count(site, "legacy_label")) == (
        1,
        0,
        1,
    )
    assert count(site, "legacy_view", f"id = {view} AND board_id IS NULL") == 1


def test_referred_row_is_not_deleted(site: Core) -> None:
    board = make(site, "board", name="a")
    make(site, "note", board=board)
    make(site, "lock", board=board)
    with pytest.raises(Referenced):
        delete(site, "board", board)
    assert (count(site, "legacy_note"), count(site, "legacy_board")) == (1, 1)


def test_many_dependents_go_in_parts(site: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cascade, "AT_ONCE", 4)
    site.site.runtime.plans._kept.clear()
    board = make(site, "board", name="a")
    for _ in range(11):
        make(site, "note", board=board)
    delete(site, "board", board)
    assert count(site, "legacy_note") == 0


def test_rows_in_a_line_go_together(site: Core) -> None:
    first = make(site, "board", name="a")
    last = first
    for name in "bcd":
        last = make(site, "board", name=name, parent=last)
        make(site, "note", board=last)
    delete(site, "board", first)
    assert (count(site, "legacy_board"), count(site, "legacy_note")) == (0, 0)


def test_row_that_refers_to_itself_goes(site: Core) -> None:
    board = make(site, "board", name="a")
    with site.writing(SYSTEM) as ctx:
        ctx.records("board").update(board, {"parent": board})
    delete(site, "board", board)
    assert count(site, "legacy_board") == 0
