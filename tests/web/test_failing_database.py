"""Requests while the database is busy or away: 503 with a hint, and all is well again afterwards."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from werkzeug.test import EnvironBuilder, run_wsgi_app

from host.database import Database, Timeouts, deadline, engines
from host.database.engines import Reader
from host.errors import Unavailable
from host.testing.sites import Site
from tests.support.sites import Core, write_site

SITE = "resources: {note: {access: public, fields: {title: string}}}"


@pytest.fixture
def core(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Core]:
    root = write_site(tmp_path / "site", SITE)
    Site.make(root, database_url).close()  # making tables has all the time
    short = Timeouts(statement=0.3, lock=0.05, idle=0.3)
    monkeypatch.setattr(engines, "TICK", 1000)  # looks at the clock also while little is read
    monkeypatch.setattr("host.application.timeouts", lambda settings: short)
    core = Core(Site.open(root, database_url))
    yield core
    core.site.close()


def test_busy_database_asks_to_try_again(core: Core) -> None:
    if core.dialect != "sqlite":
        pytest.skip("writers wait for each other only on SQLite")
    with core.site.database.writing():
        reply = core.anonymous.post("/api/notes", {"title": "a"})
        assert (reply.status, reply.json["code"], reply.headers["Retry-After"]) == (503, "unavailable", "1")
        assert core.anonymous.get("/api/notes").status == 200
    assert core.anonymous.post("/api/notes", {"title": "a"}).status == 201


def test_lost_connections_recover(core: Core) -> None:
    if core.dialect != "postgresql":
        pytest.skip("SQLite has no server to lose")
    row = core.anonymous.make("/api/notes", title="a")
    path = f"/api/notes/{row['id']}"
    assert core.anonymous.get(path).status == 200
    _end_sessions(core)
    statuses = [core.anonymous.get(path).status for _ in range(2)]
    assert statuses[-1] == 200 and statuses[0] in (200, 503)
    _end_sessions(core)
    assert core.anonymous.patch(path, {"title": "b"}).status == 200
    assert core.anonymous.get("/api/notes").status in (200, 503)
    assert core.anonymous.get("/api/notes").json["items"][0]["title"] == "b"


def test_runaway_read_is_ended(core: Core) -> None:
    sql = "SELECT pg_sleep(30)"
    if core.dialect == "sqlite":
        sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="too long") as caught, core.site.database.reading() as connection:
        connection.execute(sql).fetchone()
    assert caught.value.headers == {"Retry-After": "1"}
    assert time.monotonic() - begun < 5
    assert core.anonymous.get("/api/notes").status == 200


def test_slow_rows_are_ended_too(core: Core) -> None:
    if core.dialect != "sqlite":
        pytest.skip("PostgreSQL answers rows when all of them are there")
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    with pytest.raises(Unavailable, match="too long"), core.site.database.reading() as connection:
        for _ in connection.execute(sql):
            pass


def test_runaway_write_is_rolled_back(core: Core) -> None:
    if core.dialect != "postgresql":
        pytest.skip("SQLite ends runaway reads alone")
    with pytest.raises(Unavailable, match="too long"), core.site.database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO site_note (id) VALUES (gen_random_uuid())")
        connection.exec_driver_sql("SELECT pg_sleep(30)")
    assert core.anonymous.get("/api/notes").json["items"] == []


def test_locked_row_is_waited_for_briefly(core: Core) -> None:
    if core.dialect != "postgresql":
        pytest.skip("SQLite locks the whole file")
    row = core.anonymous.make("/api/notes", title="a")
    with core.site.database.writing() as connection:
        connection.exec_driver_sql("UPDATE site_note SET title = 'b'")
        reply = core.anonymous.patch(f"/api/notes/{row['id']}", {"title": "c"})
    assert (reply.status, reply.headers["Retry-After"]) == (503, "1")


def test_idle_transaction_is_ended(core: Core) -> None:
    if core.dialect != "postgresql":
        pytest.skip("SQLite has no server to end it")
    with pytest.raises(Unavailable), core.site.database.writing() as connection:
        connection.exec_driver_sql("SELECT 1")
        time.sleep(0.6)
        connection.exec_driver_sql("SELECT 1")
    assert core.anonymous.get("/api/notes").status == 200


def test_commands_have_all_the_time(database_url: str) -> None:
    database = Database.open(database_url)
    with database.reading() as connection:
        if database.dialect == "postgresql":
            assert connection.execute("SHOW statement_timeout").fetchone()[0] == "0"
        else:
            assert type(connection) is Reader
    database.dispose()


def test_request_has_its_time_as_a_whole(core: Core) -> None:
    core.site.database.dispose()
    database = Database.open(
        core.site.database.engine.url.render_as_string(hide_password=False), timeouts=Timeouts(request=1)
    )
    copied = contextvars.copy_context()

    def late() -> None:
        deadline.begin(0.1)
        with pytest.raises(Unavailable, match="too long"), database.writing() as connection:
            connection.exec_driver_sql(
                "INSERT INTO site_note (id) VALUES ('01890a5d-ac96-774b-bcce-b302099a8057')"
            )
            time.sleep(0.15)
            connection.exec_driver_sql("SELECT 1")
        with pytest.raises(Unavailable, match="too long"), database.reading():
            pass

    copied.run(late)
    with database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM site_note").fetchone()[0] == 0
    database.dispose()


def _end_sessions(core: Core) -> None:
    engine = sa.create_engine(core.site.database.engine.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        connection.execute(sa.text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
    engine.dispose()


def test_slow_taker_of_an_export_gets_all(core: Core) -> None:
    if core.dialect != "sqlite":
        pytest.skip("PostgreSQL times each batch by itself")
    for _ in range(3):
        notes = [{"title": "a" * 200} for _ in range(900)]
        assert core.anonymous.send("POST", "/api/notes/bulk", notes).status == 201
    environ = EnvironBuilder("/api/notes/export", query_string="format=ndjson").get_environ()
    pieces, status, _ = run_wsgi_app(core.door, environ, buffered=False)
    received = next(iter(pieces))
    time.sleep(0.5)  # longer than a statement may take
    assert status.startswith("200")
    assert (received + b"".join(pieces)).count(b"\n") == 2700
