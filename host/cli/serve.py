"""`hostwright serve`: the web tier of a server. Refuses to start without a secret or a reachable database."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from host.application import assemble, flask_app, load_site, open_meters, table_owners
from host.cli.options import only_option, root_option
from host.cli.servers import Listening, check_free, serve_granian, serve_gunicorn
from host.database import Database
from host.jobs.processes import is_there
from host.migrations.pending import pending
from host.settings import Settings, read_settings
from host.web.logs import configure


@click.command()
@root_option
@only_option
@click.option("--host", "address", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="The port to listen on."
)
@click.option(
    "--workers",
    default=lambda: min(os.cpu_count() or 1, 4),
    show_default="cores, at most 4",
    type=click.IntRange(1, 64),
    help="Processes.",
)
@click.option(
    "--threads", default=16, show_default=True, type=click.IntRange(1, 256), help="Threads of each process."
)
@click.option(
    "--server",
    type=click.Choice(["gunicorn", "granian"]),
    default="gunicorn",
    show_default=True,
    help="granian serves the API alone, cheaper.",
)
def serve(root: Path, only: str, address: str, server: str, **more: Any) -> None:
    """Serve the site with several processes. Run `hostwright db upgrade` before."""
    listening = Listening(host=address, **more)
    settings = replace(read_settings(root).sharing(), only=only)
    listening = replace(listening, head_seconds=settings.protection.head_seconds)
    configure(settings.logs)
    check_free(listening)
    check_database(settings, wants_workers=True)
    _check_mail(settings)
    workers = f"{listening.workers} {server} worker{'s' if listening.workers > 1 else ''}"
    click.echo(f"Serving {only or 'the site'} on http://{listening.bind} with {workers}")
    if server == "granian":
        meters = open_meters(settings)  # what its workers have counted is kept as long as this process lives
        serve_granian(settings.root, listening, settings.logs, only)
        meters.store.close()
    else:
        serve_gunicorn(flask_app(assemble(settings)), listening)


def _check_mail(settings: Settings) -> None:
    if not settings.mail.host:
        click.secho(
            "Mail is off: set HOSTWRIGHT_MAIL_HOST, or nobody can choose a new password.",
            fg="yellow",
            err=True,
        )


def check_database(settings: Settings, *, wants_workers: bool = False) -> None:
    """Say in a sentence when it cannot be reached, when migrations are pending, or when nobody carries jobs out."""
    database = Database.open(settings.database_url, synchronous=settings.synchronous)
    loaded = load_site(settings.root, settings.environ)
    try:
        database.check()
        behind = pending(database, table_owners(loaded, settings.root))
        if behind:
            names = ", ".join(sorted(step.owner for step in behind))
            _warn(f"The database is behind for {names}: run `hostwright db upgrade`.")
        elif wants_workers and not is_there(database, loaded.registry, "worker"):
            _warn("No worker has been seen: mails and other jobs wait until `hostwright worker` runs.")
    finally:
        database.dispose()


def _warn(text: str) -> None:
    click.secho(text, fg="yellow", err=True)
