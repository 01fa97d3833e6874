"""Requests while the database is busy or away: 503 with a hint, and all is well again afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from host.database import engines
from host.testing.sites import Site
from tests.support.sites import Core, write_site

SITE = "resources: {note: {access: public, fields: {title: string}}}"


@pytest.fixture
def core(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Core]:
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0.05)
    core = Core(Site.make(write_site(tmp_path / "site", SITE), database_url))
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


def _end_sessions(core: Core) -> None:
    engine = sa.create_engine(core.site.database.engine.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        connection.execute(sa.text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
    engine.dispose()
