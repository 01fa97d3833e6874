"""`hostwright schedules`: when jobs run by themselves: seen, run at once, paused and resumed by the operator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from host.actor import SYSTEM
from host.cli.accounts import cells, instant
from host.cli.data import opened_data
from host.cli.options import root_option
from host.jobs.scheduling import Scheduler
from host.jobs.timetable import Planned, Timetable, last_state
from host.service.runtime import Runtime

COLUMNS = ("name", "cron", "zone", "next_at", "fired_at", "last_job", "paused")


@click.group()
def schedules() -> None:
    """See when jobs run by themselves; run one now, pause and resume it."""


@schedules.command("list")
@root_option
@click.option("--json", "as_json", is_flag=True, help="Print the schedules as JSON.")
def list_schedules(root: Path, *, as_json: bool) -> None:
    """List every schedule: when it is due, when it fired last, and what has become of that job."""
    now = datetime.now(UTC)
    with opened_data(root) as (runtime, _):
        timetable = Timetable.of(runtime)
        stored = timetable.rows()
        rows = [_shown(runtime, it, stored.get(it.name, {}), now) for it in timetable.planned.values()]
    if as_json:
        click.echo(json.dumps(rows, indent=2, default=instant))
        return
    for line in cells(COLUMNS, rows):
        click.echo(line)


@schedules.command()
@root_option
@click.argument("name")
def run(root: Path, name: str) -> None:
    """Have the job of schedule NAME done now, whatever its plan says; prints the id of the job."""
    with opened_data(root) as (runtime, _):
        click.echo(Scheduler(runtime).start(name))


@schedules.command()
@root_option
@click.argument("name")
def pause(root: Path, name: str) -> None:
    """Let schedule NAME fire no more until it is resumed; a job that waits or runs goes on."""
    with opened_data(root) as (runtime, _):
        Timetable.of(runtime).pause(name, datetime.now(UTC))
    click.echo(f"{name} is paused")


@schedules.command()
@root_option
@click.argument("name")
def resume(root: Path, name: str) -> None:
    """Let schedule NAME fire again, from its next planned time on."""
    now = datetime.now(UTC)
    with opened_data(root) as (runtime, _):
        timetable = Timetable.of(runtime)
        timetable.resume(name, now)
        due = timetable.rows()[name]["next_at"]
    click.echo(f"{name} is due at {instant(due)}")


def _shown(runtime: Runtime, it: Planned, row: Mapping[Any, Any], now: datetime) -> dict[str, Any]:
    paused = bool(row.get("paused"))
    return {
        "name": it.name, "job": it.schedule.job, "cron": it.cron.text, "zone": it.cron.zone,
        "next_at": None if paused else row.get("next_at") or it.cron.next(now), "fired_at": row.get("fired_at"),
        "lag": row.get("lag"), "last_job": _last_job(runtime, it.name), "paused": paused,
    }  # fmt: skip


def _last_job(runtime: Runtime, name: str) -> str | None:
    with runtime.reading(SYSTEM, plugin="host") as ctx:
        return last_state(ctx, name)
