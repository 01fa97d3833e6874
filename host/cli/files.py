"""`hostwright files`: what is stored for rows, and clearing away what no row has."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click
import sqlalchemy as sa

from host.actor import SYSTEM
from host.cli.data import opened_data
from host.cli.options import root_option
from host.compiler.files import FILE
from host.service.sweeping import Sweeper, Swept


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
    with opened_data(root) as (runtime, _), runtime.reading(SYSTEM, plugin="host") as ctx:
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
    with opened_data(root) as (runtime, _):
        assert runtime.files is not None  # every site has a storage
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
