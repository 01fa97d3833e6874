"""`hostwright db`: what the database is missing, the scripts that bring it, and running them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from host.application import load_site, table_owners
from host.cli.adopting import adopt
from host.cli.migrating import Site, open_site
from host.cli.options import root_option
from host.declaration.problems import Problems
from host.discovery import discover
from host.migrations.check import check as find_unfinished
from host.migrations.errors import MigrationError, rows_text
from host.migrations.history import read_history
from host.migrations.owners import Owner, owner_named
from host.migrations.pending import current_revisions
from host.migrations.plan import Plan, Step
from host.migrations.plan import plan as make_plan
from host.migrations.runner import downgrade as run_downgrade
from host.migrations.runner import upgrade as run_upgrade
from host.migrations.script import make as make_script

allow_destructive_option = click.option(
    "--allow-destructive", is_flag=True, help="Run steps that lose data, too."
)


@click.group()
def db() -> None:
    """Plan, make and run migrations."""


db.add_command(adopt)


@db.command()
@root_option
@click.option("--sql", "shows_sql", is_flag=True, help="Show the SQL of every step.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def plan(root: Path, shows_sql: bool, as_json: bool) -> None:
    """Show what the database needs to match the declarations; changes nothing."""
    with open_site(root) as site:
        found = make_plan(site.database, site.owners)
    if as_json:
        click.echo(json.dumps(asdict(found), indent=2))
    else:
        for line in _plan_lines(found, shows_sql=shows_sql):
            click.echo(line)


@db.command()
@root_option
@click.option("--message", "-m", help="What the revision does; by default told from the changes.")
@click.argument("plugin", required=False)
def make(root: Path, message: str | None, plugin: str | None) -> None:
    """Write the revisions that bring the scripts to the declarations."""
    owners = _owners(root)
    chosen = [owner_named(owners, plugin)] if plugin else [owner for owner in owners if owner.editable]
    written = [path for owner in chosen if (path := make_script(owner, owners, message))]
    for path in written:
        click.echo(f"wrote {_short(path, root)}")
    if not written:
        click.echo("Nothing to write: the scripts are where the declarations are.")


@db.command()
@root_option
@allow_destructive_option
def upgrade(root: Path, allow_destructive: bool) -> None:
    """Run every revision that the database does not have yet."""
    with open_site(root) as site:
        applied = run_upgrade(site.database, site.owners, allow_destructive=allow_destructive)
        given = site.give_rows()
    for revision in applied:
        click.echo(str(revision))
    if given:
        click.echo(f"{given} accounts have got a row in the plugin's user table.")
    if not applied:
        click.echo("Nothing to run: the database is up to date.")


# `-1` is a revision, not an option.
@db.command(context_settings={"ignore_unknown_options": True})
@root_option
@allow_destructive_option
@click.argument("plugin")
@click.argument("revision")
def downgrade(root: Path, plugin: str, revision: str, allow_destructive: bool) -> None:
    """Take one plugin back to a revision, to `-1` or to `base`, which removes its tables."""
    with open_site(root) as site:
        owners = [*site.owners, *_disabled(site)]
        applied = run_downgrade(site.database, owners, plugin, revision, allow_destructive=allow_destructive)
    for each in applied:
        click.echo(str(each))
    if not applied:
        click.echo(f"Nothing to run: {plugin} is there already.")


@db.command()
@root_option
def check(root: Path) -> None:
    """Fail unless declarations, scripts and database are all at the same state."""
    with open_site(root) as site:
        findings = find_unfinished(site.database, site.owners)
    for finding in findings:
        click.echo(finding)
    if findings:
        raise SystemExit(1)
    click.echo("Declarations, scripts and database are at the same state.")


@db.command()
@root_option
def history(root: Path) -> None:
    """List every revision, with a mark at those that the database has."""
    with open_site(root) as site:
        current = current_revisions(site.database)
        for owner in site.owners:
            for line in _history_lines(owner, current.get(owner.name)):
                click.echo(line)


def _owners(root: Path) -> tuple[Owner, ...]:
    root = root.resolve()
    return table_owners(load_site(root, os.environ), root)


def _disabled(site: Site) -> list[Owner]:
    """Plugins that are there but not enabled: they can be taken back, nothing else."""
    enabled = {owner.name for owner in site.owners}
    installed = discover(site.root, Problems()).installed
    return [
        Owner(found.name, found.folder / "migrations", editable=False)
        for found in installed
        if found.folder is not None and found.name not in enabled
    ]


def _plan_lines(found: Plan, *, shows_sql: bool) -> Iterator[str]:
    for name in dict.fromkeys(step.owner for step in found.steps):
        yield name
        for step in (step for step in found.steps if step.owner == name):
            yield f"  {step.summary}{_warning(step)}"
            if shows_sql and step.sql:
                yield from (f"    {line}" for line in step.sql.splitlines())
    if not found.steps:
        yield "Nothing to do: the database matches the declarations."
    for each in found.pending:
        yield f"Not run yet: {each}"
    for name in found.orphans:
        yield f"Not enabled: {name} has tables here, which stay until `hostwright db downgrade {name} base`."


def _warning(step: Step) -> str:
    if step.problem is not None:
        return f"  IMPOSSIBLE, {rows_text(step.rows_at_stake)}: {step.problem}"
    return f"  DESTRUCTIVE, {rows_text(step.rows_at_stake)}" if step.destructive else ""


def _history_lines(owner: Owner, current: str | None) -> Iterator[str]:
    revisions = read_history(owner.folder)
    yield f"{owner.name} ({current or 'nothing run'})"
    ids: Sequence[str] = [revision.id for revision in revisions]
    if current is not None and current not in ids:
        raise MigrationError(f"the database is at {owner.name} {current}, which its scripts do not know")
    reached = ids.index(current) + 1 if current is not None else 0
    for position, revision in enumerate(revisions):
        mark = "*" if position < reached else " "
        yield f"  {mark} {revision.id}  {revision.message}"


def _short(path: Path, root: Path) -> Path:
    resolved = root.resolve()
    return path.relative_to(resolved) if path.is_relative_to(resolved) else path
