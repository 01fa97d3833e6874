"""`hostwright jobs`: what waits, runs and has failed, seen and looked after by the operator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from host.actor import SYSTEM
from host.auth.lookup import is_id
from host.cli.accounts import cells, instant
from host.cli.data import opened_data
from host.cli.following import follow
from host.cli.options import root_option
from host.errors import HostError, NotFound
from host.jobs import operating
from host.jobs.endings import Outcome
from host.jobs.statements import FAILURE
from host.service.context import Context
from host.service.runtime import Runtime
from host.service.tasks import JOB

Row = dict[str, Any]
STATES = ("queued", "dispatched", "running", "done", "dead", "cancelled")
COLUMNS = ("id", "name", "state", "attempt", "failures", "progress", "run_at", "said")
JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="One JSON document a line.")
AT_ONCE = 1000  # jobs that one transaction removes


@click.group()
def jobs() -> None:
    """See what waits, runs and has failed; have it tried again, stopped or cleared away."""


@jobs.command("list")
@root_option
@click.option("--state", type=click.Choice(STATES), help="In this state; `dead` is the dead-letter list.")
@click.option("--name", help="Of this job, e.g. ledger.send_reminder.")
@click.option("--queue", help="In this queue.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many."
)
@JSON_OPTION
def list_jobs(root: Path, *, limit: int, as_json: bool, **equal: str | None) -> None:
    """Show jobs, the newest last."""
    wanted = {name: value for name, value in equal.items() if value is not None}
    with opened_data(root) as (runtime, _), runtime.reading(SYSTEM, plugin="host") as ctx:
        rows = [_shown(row) for row in reversed(ctx.records(JOB).find_all(sort="-id", limit=limit, **wanted))]
    for line in map(_json, rows) if as_json else cells(COLUMNS, rows):
        click.echo(line)


@jobs.command()
@root_option
@click.argument("job")
@click.option("--follow", "is_followed", is_flag=True, help="Wait for its end, with a progress bar.")
def show(root: Path, job: str, *, is_followed: bool) -> None:
    """Show JOB, and every try of it that has failed, as JSON."""
    with opened_data(root) as (runtime, _):
        if is_followed:
            follow(runtime, job)
        with runtime.reading(SYSTEM, plugin="host") as ctx:
            row = _shown(_found(ctx, job))
            failures = ctx.records(FAILURE).find_all(sort="id", job=job)
    tries = [{name: value for name, value in it.items() if name not in ("id", "job")} for it in failures]
    click.echo(json.dumps({**row, "tries": tries}, indent=2, default=_plain, ensure_ascii=False))


@jobs.command()
@root_option
@click.argument("jobs", metavar="[JOB]...", nargs=-1)
@click.option("--dead", metavar="NAME", help="All dead ones of this name; `all` for every dead one.")
def retry(root: Path, jobs: tuple[str, ...], dead: str | None) -> None:
    """Have dead or cancelled jobs tried again."""
    with opened_data(root) as (runtime, _):
        chosen = [*jobs, *(_dead(runtime, dead) if dead else [])]
        _each(runtime, chosen, operating.retry, "waits again")


@jobs.command()
@root_option
@click.argument("jobs", metavar="JOB...", nargs=-1, required=True)
def cancel(root: Path, jobs: tuple[str, ...]) -> None:
    """Cancel jobs: those that wait never begin, those that run are asked to stop."""
    with opened_data(root) as (runtime, _):
        _each(runtime, jobs, operating.cancel, "is cancelled")


@jobs.command()
@root_option
@click.option("--days", type=click.IntRange(0), help="Keep so many days; by default what the jobs declare.")
def purge(root: Path, days: int | None) -> None:
    """Remove jobs that have ended and been kept long enough."""
    before = datetime.now(UTC) - timedelta(days=days) if days is not None else None
    total = 0
    with opened_data(root) as (runtime, _):
        while removed := operating.purge(runtime, AT_ONCE, before=before):
            total += removed
    click.echo(f"removed {total} jobs")


@jobs.command()
@root_option
@JSON_OPTION
def stats(root: Path, *, as_json: bool) -> None:
    """Show how many jobs are in which state, and how long due ones have waited."""
    with opened_data(root) as (runtime, _):
        found = operating.stats(runtime)
    if as_json:
        for row in found:
            click.echo(_json(row))
        return
    rows = [
        {
            "queue": row["queue"],
            **{it: row["states"].get(it, 0) for it in STATES},
            "waiting": f"{row['waiting']:.0f} s",
        }
        for row in found
    ]
    for line in cells(("queue", *STATES, "waiting"), rows):
        click.echo(line)


@jobs.command()
@root_option
@click.argument("name")
@click.option("--data", default="{}", help="Its arguments, as JSON.")
@click.option("--wait", is_flag=True, help="Wait for its end, with a progress bar.")
@click.option("--here", is_flag=True, help="Carry it out here and now, without a worker.")
def run(root: Path, name: str, data: str, *, wait: bool, here: bool) -> None:
    """Have the job NAME done; prints its id, and with --wait or --here its result."""
    with opened_data(root) as (runtime, _):
        job = _enqueued(runtime, name, _arguments(data))
        click.echo(job)
        if here and _carry_out(runtime, job) == "again":
            raise click.ClickException(
                f"it failed; a worker tries it again: see `hostwright jobs show {job}`"
            )
        if here or wait:
            click.echo(_json(follow(runtime, job)["result"]))


def _arguments(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"not JSON: {error}", param_hint="--data") from None


def _enqueued(runtime: Runtime, name: str, data: Any) -> str:
    with runtime.writing(SYSTEM, plugin="host") as ctx:
        if ctx.jobs.task(name).sealed:  # this command does without the site's secret
            raise click.ClickException(
                f"the arguments of {name} are secrets: they do not belong on a command line"
            )
        return ctx.jobs.enqueue(name, data)


def _carry_out(runtime: Runtime, job: str) -> Outcome:
    """This job alone, whatever else waits."""
    from host.jobs.claims import take_one  # what carries jobs out is imported only where that happens
    from host.jobs.execution import carry_out

    claimed = take_one(runtime, job, worker="hostwright jobs run")
    return carry_out(runtime, claimed) if claimed is not None else "skipped"  # a worker was faster


def _each(runtime: Runtime, chosen: Any, change: Any, said: str) -> None:
    """One after the other, each in a transaction of its own; the exit code tells of those that could not be changed."""
    is_refused = False
    for job in chosen:
        try:
            with runtime.writing(SYSTEM, plugin="host") as ctx:
                row = change(ctx, _found(ctx, job, is_locked=True))
            asked = row["cancel_wanted"] and row["state"] == "running"
            click.echo(f"{job} {'is asked to stop' if asked else said}")
        except HostError as error:
            click.echo(f"{job}: {error.detail}", err=True)
            is_refused = True
    if is_refused:
        raise SystemExit(1)


def _dead(runtime: Runtime, name: str) -> list[str]:
    with runtime.reading(SYSTEM, plugin="host") as ctx:
        table = ctx.table(JOB)
        wanted = sa.select(table.c.id).where(table.c.state == "dead").order_by(table.c.id)
        if name != "all":
            wanted = wanted.where(table.c.name == name)
        return [str(it) for it in ctx.execute(wanted).scalars()]


def _found(ctx: Context, job: str, *, is_locked: bool = False) -> Row:
    if not is_id(job):
        raise NotFound(f"{job} is no id of a job")
    records = ctx.records(JOB)
    return records.lock(job) if is_locked else records.get(job)


def _shown(row: Mapping[str, Any]) -> Row:
    error = row["error"] or {}
    said = row["message"] or error.get("detail")
    return {**{name: value for name, value in row.items() if name != "sealed"}, "said": said}


def _json(value: Any) -> str:
    return json.dumps(value, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> str:
    return instant(value) if hasattr(value, "isoformat") else str(value)
