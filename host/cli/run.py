"""`hostwright run`: everything in one command, with nothing to configure: secret, database, migrations, server."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from host.application import assemble, flask_app, load_site, table_owners
from host.cli.options import only_option, root_option
from host.cli.servers import Listening, check_free, serve_gunicorn
from host.cli.workers_beside import WorkersBeside
from host.database import Database
from host.migrations.embedded import prepare_embedded
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
    "--dev",
    is_flag=True,
    help="Reload when YAML or Python changes; a broken change leaves the last good one serving.",
)
@click.option(
    "--ready-file", type=click.Path(path_type=Path), hidden=True, help="Written when the server listens."
)
def run(root: Path, only: str, address: str, port: int, dev: bool, ready_file: Path | None) -> None:
    """Run the site here: applies migrations to an SQLite database under var/ and serves on 127.0.0.1:8000."""
    listening = Listening(host=address, port=port, reuse_port=ready_file is not None)
    check_free(listening)
    if dev:
        from host.cli.develop import develop  # watching files is only wanted here

        os.environ["HOSTWRIGHT_ONLY"] = only  # of the processes that it starts
        develop(root.resolve(), listening)
        return
    url = f"http://{listening.bind}"
    settings = replace(read_settings(root, is_embedded=True).sharing(), only=only, embedded_url=url)
    configure(settings.logs, is_embedded=True)
    prepare(settings)
    flask = flask_app(assemble(settings))
    listening = replace(listening, head_seconds=settings.protection.head_seconds)
    workers = WorkersBeside(settings)
    try:
        serve_gunicorn(flask, listening, lambda: _ready(listening, ready_file, workers))
    finally:
        workers.stop()


def prepare(settings: Settings) -> None:
    """Bring the database to the declarations and say what was done."""
    loaded = load_site(settings.root, settings.environ)
    database = Database.open(settings.database_url, synchronous=settings.synchronous)
    try:
        database.check()
        for line in prepare_embedded(database, table_owners(loaded, settings.root)):
            click.echo(line)
    finally:
        database.dispose()


def _ready(listening: Listening, ready_file: Path | None, workers: WorkersBeside) -> None:
    address = f"http://{listening.bind}"
    click.echo(f"API            {address}/api\nDocumentation  {address}/docs\nStop with Ctrl+C.")
    if ready_file is not None:
        ready_file.touch()
    workers.start()
