"""`hostwright logs`: logs listed, and the rows that are made of them made anew. `hostwright <plugin>` offers it by plugin."""

from __future__ import annotations

from pathlib import Path

import click

from host.cli.data import opened_data
from host.cli.options import root_option
from host.service.logs import CompiledLog
from host.service.runtime import Runtime
from host.sync.rebuilding import Report, rebuild

check_option = click.option("--check", is_flag=True, help="Only compare; status 1 where something differs.")
owner_option = click.option(
    "--owner", metavar="KEY", help="Of this owner alone, by the key that the log has."
)


@click.group()
def logs() -> None:
    """List logs, and make the rows of their resources anew."""


@logs.command("list")
@root_option
def list_logs(root: Path) -> None:
    """Show every log with the resources that are made of it."""
    with opened_data(root) as (runtime, _):
        for log in runtime.logs.logs.values():
            made = ", ".join(f"{it.model.name} ({it.type})" for it in runtime.logs.made_of(log))
            click.echo(f"{log.name}  {made or '-'}")


@logs.command("rebuild")
@click.argument("log")
@root_option
@check_option
@owner_option
def rebuild_log(root: Path, log: str, check: bool, owner: str | None) -> None:
    """Make all rows anew from the events of LOG, e.g. ledger.event, or of all logs of a plugin."""
    with opened_data(root) as (runtime, _):
        rebuild_all(runtime, log, check=check, owner=owner)


def rebuild_all(runtime: Runtime, name: str, *, check: bool, owner: str | None) -> None:
    """Rebuild a log, or all logs of a plugin, and tell what was found."""
    chosen = [it for it in runtime.logs.logs.values() if name in (it.name, it.model.plugin)]
    if not chosen:
        known = ", ".join(runtime.logs.logs) or "none"
        raise click.ClickException(f'there is no log "{name}"; there are: {known}')
    reports = [(log, rebuild(runtime, log, check=check, owner=_key(log, owner))) for log in chosen]
    for log, report in reports:
        _tell(log, report, is_check=check)
    if check and not all(report.is_right for _, report in reports):
        raise SystemExit(1)


def _key(log: CompiledLog, owner: str | None) -> int | str | None:
    mixin = log.model.declared.mixins.owned
    return int(owner) if owner is not None and mixin is not None and mixin.by == "number" else owner


def _tell(log: CompiledLog, report: Report, *, is_check: bool) -> None:
    click.echo(f"{log.name}: {report.owners} owners")
    words = ("missing", "different", "too many") if is_check else ("made", "changed", "removed")
    for type_, it in report.types.items():
        numbers = zip((it.made, it.changed, it.removed), words, strict=True)
        told = [f"{it.right} right", *(f"{number} {word}" for number, word in numbers)]
        older = [f"{it.older} older than the log"] if it.older else []
        click.echo(f"  {type_}: {', '.join([*told, *older])}")
