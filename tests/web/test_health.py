"""Health, readiness and version."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from host.actor import SYSTEM
from host.application import load_site, table_owners
from host.database import Database
from host.declaration.nodes import Manifest, Plugin
from host.errors import Unavailable
from host.jobs.attendance import attendance
from host.jobs.processes import Presence
from host.migrations.owners import Owner
from host.migrations.runner import upgrade
from host.testing.sites import Site
from host.web.health import STARTING_SECONDS, HealthOperations
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


def ready(folder: Path, there: dict[str, bool], seconds: float = 0.0) -> dict[str, str]:
    """What is told of them so long after the start, with a database that has everything."""
    database = Database.open(f"sqlite:///{folder / 'test.db'}")
    operations = HealthOperations(database, (), (), attendance=lambda: there)
    late = replace(operations, started=operations.started - seconds)
    told = json.loads(asked(late.ready).body)
    database.dispose()
    return told


def test_workers_may_take_a_moment_to_start(tmp_path):
    told = {"status": "ready", "workers": "starting", "scheduler": "up"}
    assert ready(tmp_path, {"workers": False, "scheduler": True}) == told


def test_absent_workers_degrade_and_stop_nothing(tmp_path):
    told = {"status": "degraded", "workers": "down", "scheduler": "up"}
    assert ready(tmp_path, {"workers": False, "scheduler": True}, STARTING_SECONDS + 1) == told


def test_present_workers_are_told_at_once(tmp_path):
    told = {"status": "ready", "workers": "up", "scheduler": "up"}
    assert ready(tmp_path, {"workers": True, "scheduler": True}) == told


SCHEDULED = (
    SITE
    + """
jobs:
  a: {call: jobs.a, run_as: system, queue: slow}
schedules:
  often: {job: a, cron: "* * * * *"}
"""
)


def test_every_queue_wants_a_worker(tmp_path, database_url):
    (tmp_path / "resources.yaml").write_text(SCHEDULED)
    (tmp_path / "jobs.py").write_text("def a(ctx): ...\n")
    site = Site.make(tmp_path, database_url)
    assert attendance(site.runtime) == {"workers": False, "scheduler": False}
    Presence(name="one", kind="worker", queues=("default", "mail")).beat(site.runtime)
    Presence(name="two", kind="scheduler").beat(site.runtime)
    assert attendance(site.runtime) == {"workers": False, "scheduler": True}
    Presence(name="three", kind="worker", queues=("slow",)).beat(site.runtime)
    assert attendance(site.runtime) == {"workers": True, "scheduler": True}
    long_ago = datetime.now(UTC) - timedelta(minutes=1)
    with site.runtime.writing(SYSTEM, plugin="host") as ctx:
        ctx.execute(ctx.table("host.process").update().values(seen_at=long_ago))
    assert attendance(site.runtime) == {"workers": False, "scheduler": False}
    Presence(name="four", kind="worker").beat(site.runtime)
    assert attendance(site.runtime) == {"workers": True, "scheduler": False}
    site.close()
