"""Tables of words in migrations: made, filled, made anew by another declaration, and gone without a trace."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from host.application import load_site, table_owners
from host.database import Database
from host.migrations.adoption import adopt
from host.migrations.owners import Owner
from host.migrations.plan import plan
from host.migrations.runner import downgrade, upgrade
from host.migrations.script import make
from host.migrations.search import differing, rebuild
from tests.support.sites import write_site

PLAIN = "fields: {name: string, notes: text}, access: public"
SEARCHED = PLAIN + ", query: {search: {fields: {name: A, notes: B}}}"


class Notes:
    """A site with one resource, `note`, whose declaration changes."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder, self.count = database, folder, 0

    def owner(self, declared: str) -> Owner:
        """The owner of the resource's tables, so declared."""
        self.count += 1
        root = write_site(self.folder / str(self.count), f"resources: {{note: {{{declared}}}}}")
        found = table_owners(load_site(root, {}), root)[-1]
        return Owner(found.name, self.folder / "scripts", found.tables)

    def apply(self, declared: str) -> None:
        """Make the missing script, run it, and find nothing left to do."""
        owner = self.owner(declared)
        make(owner, [owner])
        upgrade(self.database, [owner])
        assert plan(self.database, [owner]).steps == ()
        assert make(owner, [owner]) is None

    def put(self, key: int, name: str, notes: str | None = None) -> None:
        """Store a row past the service."""
        values = {"id": f"0190a5b0-0000-7000-8000-{key:012d}", "name": name, "notes": notes}
        kind = "TEXT" if self.is_sqlite else "UUID"
        with self.database.writing() as connection:
            connection.execute(
                sa.text(
                    f"INSERT INTO site_note (id, name, notes) VALUES (CAST(:id AS {kind}), :name, :notes)"
                ),
                values,
            )

    @property
    def is_sqlite(self) -> bool:
        return self.database.dialect == "sqlite"

    def find(self, word: str) -> list[str]:
        """The names of the rows with a word."""
        (table,) = self.words_tables()
        match = (
            f'number IN (SELECT rowid FROM "{table}_fts" WHERE "{table}_fts" MATCH \'{word}\')'
            if self.is_sqlite
            else f"words @@ '{word}'::tsquery"
        )
        sql = f'SELECT name FROM "{table}" JOIN site_note ON id = "row" WHERE {match} ORDER BY name'
        with self.database.writing() as connection:
            return [name for (name,) in connection.exec_driver_sql(sql)]

    def words_tables(self) -> list[str]:
        """The tables of words."""
        return [name for name in self.names() if re.fullmatch("site_note_search_[0-9a-f]{8}", name)]

    def names(self) -> list[str]:
        """Everything that the database has of the site, by name."""
        sql = (
            "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite%'"
            if self.is_sqlite
            else "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
        )
        with self.database.writing() as connection:
            return sorted(name for (name,) in connection.exec_driver_sql(sql))


@pytest.fixture
def notes(database_url: str, tmp_path: Path) -> Iterator[Notes]:
    database = Database.open(database_url)
    yield Notes(database, tmp_path)
    database.dispose()


def test_rows_that_exist_are_indexed(notes: Notes) -> None:
    notes.apply(PLAIN)
    before = notes.names()
    notes.put(1, "Café", "au lait")
    notes.put(2, "Tea")
    notes.apply(SEARCHED)
    assert notes.find("cafe") == ["Café"]
    assert notes.find("tea") == ["Tea"]
    notes.apply(PLAIN)
    assert notes.names() == before


def test_search_comes_with_its_table_and_column(notes: Notes) -> None:
    notes.apply("fields: {name: string}, access: public, query: {search: {fields: {name: A}}}")
    notes.apply(SEARCHED)
    notes.put(1, "One")
    (first,) = notes.words_tables()
    notes.apply(SEARCHED.replace("notes: B", "notes: A"))
    (second,) = notes.words_tables()
    assert first != second
    assert notes.find("one") == ["One"]


def test_plan_shows_index_and_rows(notes: Notes) -> None:
    notes.apply(PLAIN)
    steps = plan(notes.database, [notes.owner(SEARCHED)]).steps
    assert steps[-1].summary == "index the words of site_note: name A, notes B"
    assert ("USING fts5" if notes.is_sqlite else "USING gin (words)") in steps[-1].sql
    assert not any(step.destructive for step in steps)
    notes.apply(SEARCHED)
    notes.put(1, "One")
    with notes.database.writing() as connection:
        (table,) = [table for table in notes.owner(SEARCHED).tables if "search" in table.info]
        rebuild(connection, table.name, table.info["search"])
    steps = plan(notes.database, [notes.owner(PLAIN)]).steps
    assert [step.destructive for step in steps] == [False, False]  # words can be made again


def test_renamed_column_is_indexed_anew(notes: Notes) -> None:
    notes.apply(SEARCHED)
    notes.put(1, "One", "first")
    fields = "fields: {title: {type: string, was: name}, notes: text}"
    notes.apply(f"{fields}, access: public, query: {{search: {{fields: {{title: A, notes: B}}}}}}")
    (table,) = notes.words_tables()
    with notes.database.writing() as connection:
        assert connection.exec_driver_sql(f'SELECT count(*) FROM "{table}"').scalar_one() == 1


def test_way_back_indexes_again(notes: Notes) -> None:
    notes.apply(SEARCHED)
    notes.put(1, "One")
    notes.apply(PLAIN)
    owner = notes.owner(PLAIN)
    downgrade(notes.database, [owner], owner.name, "-1")
    assert notes.find("one") == ["One"]
    downgrade(notes.database, [owner], owner.name, "base", allow_destructive=True)
    assert [name for name in notes.names() if name.startswith("site_note")] == []


def test_words_outlive_change_of_their_rows_table(notes: Notes) -> None:
    notes.apply(SEARCHED)
    notes.put(1, "One", "first")
    with notes.database.writing() as connection:
        (table,) = [table for table in notes.owner(SEARCHED).tables if "search" in table.info]
        rebuild(connection, table.name, table.info["search"])
    notes.apply(
        SEARCHED.replace("notes: text", "notes: {type: text, required: true, default: none}, more: integer")
    )
    assert notes.find("first") == ["One"]


def test_difference_of_words_is_counted(notes: Notes) -> None:
    notes.apply(SEARCHED)
    (table,) = [table for table in notes.owner(SEARCHED).tables if "search" in table.info]
    source = table.info["search"]
    for number in range(3):
        notes.put(number, f"Number {number}", "Zoë ate çà" * number)
    with notes.database.writing() as connection:
        assert differing(connection, table.name, source) == 3
        assert rebuild(connection, table.name, source) == 3
        assert differing(connection, table.name, source) == 0
        connection.exec_driver_sql("UPDATE site_note SET notes = 'changed' WHERE name = 'Number 2'")
        assert differing(connection, table.name, source) == 1
        assert rebuild(connection, table.name, source) == 3
    assert notes.find("changed") == ["Number 2"]


def test_tables_of_others_are_searched_beside_them(notes: Notes) -> None:
    with notes.database.writing() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE site_note (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(255), notes TEXT)"
        )
        connection.exec_driver_sql("INSERT INTO site_note VALUES (1, 'Old row', 'légère')")
    declared = SEARCHED.replace("name: string", "name: {type: string, max: 255}")
    owner = notes.owner(f"key: int, stored: django, {declared}")
    make(owner, [owner])
    found = adopt(notes.database, [owner], owner.name)
    assert found.outcome == "adopted", found.refusals
    assert notes.find("legere") == ["Old row"]
    assert plan(notes.database, [owner]).steps == ()
    assert adopt(notes.database, [owner], owner.name).outcome == "adopted before"
