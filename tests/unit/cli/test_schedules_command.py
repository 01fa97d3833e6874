"""`hostwright schedules`, on both databases."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from host.cli import main
from host.jobs.scheduling import Scheduler
from host.testing.sites import Site
from tests.support.sites import write_site

YAML = """
    jobs:
      tidy: {call: actions.tidy, run_as: system}
    schedules:
      nightly: {job: tidy, cron: "0 2 * * *", zone: Europe/Berlin}
"""
Run = Callable[..., Result]


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = Site.make(write_site(tmp_path / "site", YAML, "def tidy(ctx): ...\n"), database_url)
    yield made
    made.close()


@pytest.fixture
def run(site: Site, database_url: str) -> Run:
    environ = {"HOSTWRIGHT_DATABASE_URL": database_url}

    def command(*arguments: str) -> Result:
        root = str(site.app.settings.root)
        return CliRunner().invoke(main, ["schedules", *arguments, "--root", root], env=environ)

    return command


def listed(run: Run) -> dict[str, Any]:
    """What is told of the schedule of the plugin."""
    rows = json.loads(run("list", "--json").output)
    return next(row for row in rows if row["name"] == "demo.nightly")


def test_schedule_is_listed_before_it_fired(run: Run) -> None:
    told = listed(run)
    assert (told["job"], told["cron"], told["zone"]) == ("demo.tidy", "0 2 * * *", "Europe/Berlin")
    assert (told["fired_at"], told["last_job"], told["paused"]) == (None, None, False)
    assert datetime.fromisoformat(told["next_at"]) > datetime.now(UTC)
    assert "demo.nightly" in run("list").output


def test_job_is_run_at_once(site: Site, run: Run) -> None:
    job = run("run", "demo.nightly").output.strip()
    with site.runtime.reading(site.account(role="admin")) as ctx:
        stored = ctx.records("host.job").get(job)
    assert (stored["name"], stored["state"], stored["actor"]) == ("demo.tidy", "queued", None)
    assert listed(run)["last_job"] == "queued"


def test_pause_and_resume(site: Site, run: Run) -> None:
    assert run("pause", "demo.nightly").output == "demo.nightly is paused\n"
    assert (listed(run)["paused"], listed(run)["next_at"]) == (True, None)
    Scheduler(site.runtime).tick(datetime.now(UTC) + timedelta(days=3))
    assert run("resume", "demo.nightly").output.startswith("demo.nightly is due at ")
    assert listed(run)["paused"] is False
    with site.database.engine.connect() as connection:
        jobs = connection.execute(sa.text("SELECT count(*) FROM host_job WHERE name = 'demo.tidy'"))
        assert jobs.scalar_one() == 0


def test_unknown_schedule_is_told(run: Run) -> None:
    answer = run("pause", "demo.daily")
    assert answer.exit_code == 1
    assert "there is no schedule 'demo.daily'" in answer.output
