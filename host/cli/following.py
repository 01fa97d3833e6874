"""Waiting for a job at a terminal, with a progress bar."""

from __future__ import annotations

import time
from typing import Any, Final

import click

from host.actor import SYSTEM
from host.auth.lookup import is_id
from host.errors import NotFound
from host.service.jobs import UNFINISHED
from host.service.runtime import Runtime
from host.service.tasks import JOB

POLL_SECONDS: Final = 0.2
LONELY_SECONDS: Final = 5.0
Row = dict[str, Any]


def follow(runtime: Runtime, job: str) -> Row:
    """Wait until the job has ended, and answer its row. ClickException with the reason where it is not done."""
    row = _row(runtime, job)
    began, is_lonely = time.monotonic(), False
    with click.progressbar(length=100, label=row["name"], show_eta=False) as bar:
        while row["state"] in UNFINISHED:
            bar.label = _label(row)
            bar.update((row["progress"] or 0) - bar.pos)
            if row["state"] == "queued" and not is_lonely and time.monotonic() - began > LONELY_SECONDS:
                click.echo("\nit waits: does a worker run? (`hostwright worker`)", err=True)
                is_lonely = True
            time.sleep(POLL_SECONDS)
            row = _row(runtime, job)
        bar.label = _label(row)
        bar.update((100 if row["state"] == "done" else row["progress"] or 0) - bar.pos)
    if row["state"] != "done":
        error = row["error"] or {}
        raise click.ClickException(f"the job is {row['state']}: {error.get('detail', 'nobody says why')}")
    return row


def _label(row: Row) -> str:
    said = row["message"] or row["state"]
    if row["state"] == "queued" and row["failures"]:
        said = f"failed {row['failures']} times, waits for the next try"
    return f"{row['name']}: {said}"


def _row(runtime: Runtime, job: str) -> Row:
    if not is_id(job):
        raise NotFound(f"{job} is no id of a job")
    with runtime.reading(SYSTEM, plugin="host") as ctx:
        return ctx.records(JOB).get(job)
