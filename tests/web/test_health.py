"""Health, readiness and version."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from host.application import load_site, table_owners
from host.database import Database
from host.declaration.nodes import Manifest, Plugin
from host.errors import Unavailable
from host.migrations.owners import Owner
from host.migrations.runner import upgrade
from host.testing.sites import Site
from host.web.health import HealthOperations
from host.web.http import Request

SITE = "grammar: 1\nsite: {name: Empty}\n"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "resources.yaml").write_text(SITE)
    made = Site.make(tmp_path, f"sqlite:///{tmp_path / 'host.db'}")
    yield made
    made.close()


def asked(handler, **headers: str):
    return handler(Request("GET", "/", "", headers.get, lambda size: b""))


def health(database: Database, *owners: Owner) -> HealthOperations:
    return HealthOperations(database, (), owners)


def test_health_is_a_word(site):
    answer = site.client().get("/health")
    assert (answer.status_code, answer.data, answer.mimetype) == (200, b"OK", "text/plain")


def test_health_is_json_where_asked():
    plugins = [
        Plugin(name=name, manifest=Manifest(name=name, version="1"), declarations=None)
        for name in ("host", "shop")
    ]
    answer = asked(HealthOperations(None, plugins, ()).health, accept="application/json")
    assert answer.body == b'{"status":true,"service":"hostwright","plugins":["shop"]}'


def test_live_looks_at_nothing(site):
    assert site.client().get("/health/live").json == {"status": "live"}


def test_version_names_the_host(site):
    answer = site.client().get("/api/version").json
    assert answer["service"] == "hostwright"
    assert answer["version"]


def test_pending_migrations_are_not_ready(site):
    answer = site.client().get("/health/ready")
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.get_json(force=True)["detail"] == "migrations are pending for host"


def test_migrated_database_is_ready(tmp_path, database_url):
    (tmp_path / "resources.yaml").write_text(SITE)
    database = Database.open(database_url)
    owners = table_owners(load_site(tmp_path, {}), tmp_path)
    upgrade(database, owners)
    assert asked(health(database, *owners).ready).body == b'{"status":"ready"}'
    database.dispose()


def test_unreachable_database_is_not_ready():
    nowhere = Database.open("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(Unavailable, match="the database cannot be reached"):
        asked(health(nowhere).ready)
    nowhere.dispose()
