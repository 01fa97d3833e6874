"""`hostwright user revoke`: sessions ended by the operator, one by one or all."""

from __future__ import annotations

from pathlib import Path

import click

from host.cli.accounts import opened
from host.cli.options import root_option


@click.command()
@root_option
@click.argument("account", metavar="ACCOUNT")
@click.argument("sessions", metavar="[SESSION]...", nargs=-1)
def revoke(root: Path, account: str, sessions: tuple[str, ...]) -> None:
    """End the sessions of ACCOUNT with these ids, as `hostwright user sessions` lists them; without an id all."""
    with opened(root) as door:
        found = door.accounts.named(account)
        kept = door.accounts.sessions
        for session in sessions:
            kept.end_own(session.lower(), found["id"])
        count = len(sessions) if sessions else kept.end_all(found["id"])
    said = "1 session ends" if count == 1 else f"{count} sessions end"
    click.echo(f"{said} within seconds.")
