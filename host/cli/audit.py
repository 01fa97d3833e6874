"""`hostwright audit`: the audit log read, and cleared of what is old, by the operator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from host.actor import SYSTEM
from host.auth.lookup import by_any
from host.cli.data import opened_data
from host.cli.options import root_option
from host.jobs.cleaning import remove_entries
from host.service.journal import ENTRY

SHOWN = ("at", "kind", "operation", "resource", "key", "actor", "address", "count")


@click.group()
def audit() -> None:
    """Read the audit log, and clear old entries away."""


@audit.command("list")
@root_option
@click.option("--actor", metavar="ACCOUNT", help="Of this user name, e-mail address or id.")
@click.option("--resource", help="About this resource, e.g. freelance.invoice.")
@click.option("--key", help="About the row with this key.")
@click.option("--operation", help="This operation, e.g. delete or sign_in.")
@click.option("--kind", type=click.Choice(["write", "identity", "denied"]), help="This kind alone.")
@click.option("--address", help="From this address.")
@click.option("--since", type=click.DateTime(), help="Since this instant, in UTC.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document a line, with what has changed.")
def list_entries(
    root: Path, actor: str | None, since: datetime | None, limit: int, as_json: bool, **equal: str | None
) -> None:  # fmt: skip
    """Show entries, the newest last."""
    with opened_data(root) as (runtime, _), runtime.reading(SYSTEM, plugin="host") as ctx:
        wanted = {name: value for name, value in equal.items() if value is not None}
        if actor is not None:
            wanted["actor"] = by_any(runtime, ctx.transaction.driver, actor)["id"]
        later = [ctx.table(ENTRY).c.at >= since.replace(tzinfo=UTC)] if since is not None else []
        rows = ctx.records(ENTRY).find_all(*later, sort="-id", limit=limit, **wanted)
    for row in reversed(rows):
        click.echo(json.dumps(row, default=str) if as_json else _line(row))


@audit.command()
@root_option
@click.option("--days", type=click.IntRange(1), help="Keep so many days; by default HOSTWRIGHT_AUDIT_DAYS.")
def prune(root: Path, days: int | None) -> None:
    """Remove entries that are older than they have to be kept."""
    with opened_data(root) as (runtime, _):
        kept = days or runtime.journal.settings.days
        removed = remove_entries(runtime, datetime.now(UTC) - timedelta(days=kept))
    click.echo(f"removed {removed} entries older than {kept} days")


def _line(row: Mapping[str, Any]) -> str:
    at = row["at"].strftime("%Y-%m-%d %H:%M:%SZ")
    return "  ".join([at, *(str(row[name]) if row[name] is not None else "-" for name in SHOWN[1:])])
