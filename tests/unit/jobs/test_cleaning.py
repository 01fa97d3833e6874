"""The host's own jobs: what has been kept long enough goes, what has not stays, and both are counted."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from host.jobs import cleaning
from host.jobs.scheduling import Scheduler
from host.storage.paths import new_path
from tests.support.sites import Core, Declare
from tests.unit.jobs.world import emptied

YAML = """
    resources:
      picture:
        mixins: [owned]
        fields: {image: file}
        access: owner
"""
NOW = datetime.now(UTC)
OLD = NOW - timedelta(days=800)
LATER = NOW + timedelta(days=1)


@pytest.fixture(scope="module")
def whole(declare: Declare) -> Core:
    return declare(YAML, "")


@pytest.fixture
def core(whole: Core) -> Core:
    return emptied(whole, "host.schedule", "host.firing", "host.job")


def carried_out(core: Core, name: str) -> Any:
    """The result of a job of the host."""
    with core.writing() as ctx:
        key = ctx.jobs.enqueue(f"host.{name}")
    assert [ran.outcome for ran in core.site.run_jobs()] == ["done"]
    with core.reading() as ctx:
        table = ctx.table("host.job")
        return ctx.execute(sa.select(table.c.result).where(table.c.id == key)).scalar_one()


def put(core: Core, resource: str, *rows: dict[str, Any]) -> None:
    with core.writing() as ctx:
        for row in rows:
            ctx.execute(sa.insert(ctx.table(resource)).values(**row))


def count(core: Core, resource: str) -> int:
    with core.reading() as ctx:
        return int(ctx.execute(sa.select(sa.func.count()).select_from(ctx.table(resource))).scalar_one())


def firing(number: int, at: datetime) -> dict[str, Any]:
    return {"schedule": "demo.x", "planned_at": at + timedelta(seconds=number), "fired_at": at}


def attempt(name: str, expires_at: datetime) -> dict[str, Any]:
    return {"subject": name, "failures": 1, "blocked_until": OLD, "expires_at": expires_at}


def job(key: str, state: str, keep_until: datetime | None) -> dict[str, Any]:
    return {
        "id": key, "name": "demo.gone", "state": state, "queue": "other", "priority": 0, "run_at": LATER, "attempt": 1,
        "failures": 0, "crashes": 0, "order_number": 0, "cancel_wanted": False, "run_as": "system", "created_at": OLD,
        "keep_until": keep_until,
    }  # fmt: skip


def test_old_rows_go_and_are_counted(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "AT_ONCE", 2)  # several batches of each
    put(core, "host.firing", *(firing(number, OLD) for number in range(5)), firing(1, NOW))
    put(core, "host.attempt", *(attempt(f"old{number}", OLD) for number in range(3)), attempt("new", LATER))
    key = "00000000-0000-7000-8000-00000000000{}"
    put(core, "host.job", job(key.format(1), "done", OLD), job(key.format(2), "done", LATER))
    put(core, "host.job", job(key.format(3), "queued", None))
    put(
        core,
        "host.audit_entry",
        *({"at": OLD, "kind": "write", "operation": "x", "count": 1, "system": True},) * 3,
    )
    put(core, "host.schedule", {"name": "demo.gone", "plan": "", "next_at": LATER, "paused": False})
    told = carried_out(core, "clean_up")
    assert {name: number for name, number in told.items() if number} == {
        "firings": 5, "attempts": 3, "jobs": 1, "audit_entries": 3, "schedules": 1,
    }  # fmt: skip
    assert (count(core, "host.firing"), count(core, "host.attempt")) == (1, 1)
    assert sum(carried_out(core, "clean_up").values()) == 0


def test_clean_up_is_scheduled_daily(core: Core) -> None:
    scheduler = Scheduler(core.site.runtime)
    scheduler.tick(NOW)
    scheduler.tick(NOW + timedelta(days=1))
    with core.reading() as ctx:
        table = ctx.table("host.firing")
        fired = ctx.execute(sa.select(table.c.job).where(table.c.schedule == "host.daily_clean_up")).all()
    assert len(fired) == 1


def test_files_without_a_row_are_swept(core: Core) -> None:
    ann = core.user()
    row = ann.make("/api/demo/pictures")
    kept = ann.send("PUT", f"/api/demo/pictures/{row['id']}/image", b"words", {"Content-Type": "text/plain"})
    assert kept.status == 200, kept.body
    draft = core.site.runtime.storage.begin(new_path("pictures"))
    draft.write(b"left behind")
    path = draft.finish().path
    assert carried_out(core, "sweep_files")["orphaned"] == 0  # too young
    for file in Path(core.site.app.settings.storage.place).rglob("*"):
        os.utime(file, (OLD.timestamp(), OLD.timestamp()))
    assert carried_out(core, "sweep_files") == {"broken_off": 0, "forgotten": 0, "orphaned": 1, "missing": 0}
    assert path not in {item.path for item in core.site.runtime.storage.items()}
    assert ann.get(f"/api/demo/pictures/{row['id']}/image").body == b"words"
