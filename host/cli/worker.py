"""`hostwright worker`: the processes that carry jobs out, under a supervisor. `hostwright run` starts it beside the server."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from host.application import assemble
from host.cli.metrics_server import MetricsServer
from host.cli.options import root_option
from host.cli.serve import check_database
from host.jobs.crew import Crew
from host.jobs.scheduling import Scheduler
from host.settings import Settings, read_settings
from host.web.logs import configure

LOCK_SECONDS = 30  # that a job waits for rows, on SQLite for the one write lock
EMBEDDED_STOP_SECONDS = 5  # nobody waits longer at a terminal; what is cut off is done again


@click.command()
@root_option
@click.option(
    "--concurrency",
    default=lambda: min(os.cpu_count() or 1, 4),
    show_default="cores, at most 4",
    type=click.IntRange(1, 64),
    help="Worker processes: how many jobs run at once.",
)
@click.option(
    "--queues", metavar="NAMES", default="", help="Take jobs of these queues only, with commas between them."
)
@click.option("--scheduler", "with_scheduler", is_flag=True, help="Fire schedules, too.")
@click.option("--embedded", metavar="URL", default="", hidden=True, help="Where the embedded run listens.")
@click.option("--parent", type=int, hidden=True, help="The process without which there is nothing to do.")
def worker(
    root: Path, concurrency: int, queues: str, with_scheduler: bool, embedded: str, parent: int | None
) -> None:  # fmt: skip
    """Carry jobs out. SIGTERM ends what runs and takes no more."""
    settings = _settings(root, embedded)
    configure(settings.logs, is_embedded=bool(embedded))
    if not embedded:
        check_database(settings)
    app = assemble(settings)
    names = tuple(sorted({name for name in (part.strip() for part in queues.split(",")) if name}))
    loops = (*MetricsServer.loops(app), *((Scheduler(app.runtime).run,) if with_scheduler else ()))
    crew = Crew(app.runtime, settings, concurrency, names, loops, schedules=with_scheduler)
    if not embedded:
        click.echo(
            f"{concurrency} workers take jobs of {', '.join(names) or 'every queue'}; {crew.handed_by}"
        )
    crew.supervisor(parent).run()


def _settings(root: Path, embedded: str) -> Settings:
    settings = _patient(read_settings(root, is_embedded=bool(embedded)).sharing())
    if not embedded:
        return settings
    seconds = min(settings.jobs.stop_seconds, EMBEDDED_STOP_SECONDS)
    return replace(settings, embedded_url=embedded, jobs=replace(settings.jobs, stop_seconds=seconds))


def _patient(settings: Settings) -> Settings:
    """A job has its own time, and nobody waits for an answer: the limits of requests are not for it."""
    chosen = settings.database
    patience = replace(
        chosen, statement_seconds=0, idle_seconds=0, lock_seconds=max(chosen.lock_seconds, LOCK_SECONDS)
    )
    return replace(settings, database=patience)
