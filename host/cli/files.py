"""`hostwright files`: what is stored for rows, and clearing away what no row has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
import sqlalchemy as sa

from host.actor import SYSTEM
from host.application import load_site
from host.cli.options import root_option, settings_without_secret
from host.compiler.files import FILE
from host.database import Database
from host.service.files import Files
from host.service.runtime import Runtime
from host.service.sweeping import Sweeper, Swept
from host.storage.opening import open_storage


@click.group()
def files() -> None:
    """See which files are stored, and clear away what no row has."""


@files.command("list")
@root_option
@click.option("--resource", help="Of this resource, e.g. freelance.invoice.")
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="At most so many."
)
def list_files(root: Path, resource: str | None, limit: int) -> None:
    """Show the files on record, the newest first, each as one JSON document a line."""
    with _runtime(root) as runtime, runtime.reading(SYSTEM, plugin="host") as ctx:
        table = ctx.table(FILE)
        wanted = sa.select(table).order_by(table.c.created_at.desc(), table.c.path).limit(limit)
        if resource is not None:
            wanted = wanted.where(table.c.resource == resource)
        for row in ctx.execute(wanted).mappings():
            click.echo(json.dumps(dict(row), default=str, ensure_ascii=False))


@files.command()
@root_option
@click.option("--dry-run", is_flag=True, help="Tell what would be removed, and remove nothing.")
@click.option(
    "--grace", type=click.IntRange(0), metavar="SECONDS",
    help="Leave alone what is younger; by default HOSTWRIGHT_FILE_GRACE_SECONDS.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Also where the database knows of no file at all.")
def sweep(root: Path, *, dry_run: bool, force: bool, grace: int | None) -> None:
    """Remove what uploads left behind and files without a row; tell of rows whose file is missing."""
    with _runtime(root) as runtime:
        assert runtime.files is not None  # made below
        seconds = runtime.files.settings.grace_seconds if grace is None else grace
        found = Sweeper.of(runtime, datetime.now(UTC), seconds, is_dry=dry_run, is_forced=force).sweep()
    _tell(found, is_dry=dry_run)
    if found.missing:
        raise SystemExit(1)


def _tell(found: Swept, *, is_dry: bool) -> None:
    reasons = (
        ("broken off", found.broken_off),
        ("without a row", found.forgotten),
        ("not on record", found.orphaned),
    )
    for reason, paths in reasons:
        for path in paths:
            click.echo(f"{reason}: {path}")
    for place, path in found.missing:
        click.echo(f"missing: {place} {path}", err=True)
    count = sum(len(paths) for _, paths in reasons)
    click.echo(f"{'would remove' if is_dry else 'removed'} {count} files; {len(found.missing)} are missing")


@contextmanager
def _runtime(root: Path) -> Iterator[Runtime]:
    settings = settings_without_secret(root)
    registry = load_site(settings.root, settings.environ).registry
    database = Database.open(settings.database_url, synchronous=settings.synchronous)
    storage = open_storage(settings.storage, settings.root)
    files = Files.make(storage, settings.storage, settings.secret)
    try:
        yield Runtime.make(registry, database, settings.secret, files=files)
    finally:
        database.dispose()
