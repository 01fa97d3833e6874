"""`hostwright key`: API keys made, listed and revoked by the operator, for any account."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from host.application import describe
from host.auth.lookup import Row
from host.auth.scopes import check_scopes
from host.cli.accounts import Door, cells, instant, opened
from host.cli.options import root_option
from host.errors import Invalid
from host.web.scopes import targets

COLUMNS = ("prefix", "name", "account", "scopes", "expires_at", "last_used_at")


@click.group()
def key() -> None:
    """Make, list and revoke API keys."""


@key.command()
@root_option
@click.argument("account")
@click.option("--name", required=True, help="What the key is for.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    help="plugin.resource:operations, e.g. freelance.*:read; again for more.",
)
@click.option(
    "--days", type=click.IntRange(1, 36500), help="The key expires after so many days; never, when left out."
)
def create(root: Path, account: str, name: str, scopes: tuple[str, ...], days: int | None) -> None:
    """Make a key that acts for ACCOUNT (a user name, an e-mail address or an id); it is printed once."""
    try:
        check_scopes(scopes, targets(describe(root.resolve(), os.environ).operations))
    except Invalid as error:
        raise click.ClickException("\n".join(item.detail for item in error.errors)) from None
    expires = datetime.now(UTC) + timedelta(days=days) if days is not None else None
    with opened(root) as door:
        text, _ = door.keys.make(door.accounts.named(account)["id"], name, scopes, expires)
    click.echo(text)


@key.command("list")
@root_option
@click.argument("account", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the keys as JSON.")
def list_keys(root: Path, account: str | None, as_json: bool) -> None:
    """List the keys of ACCOUNT, or of everybody."""
    with opened(root) as door:
        found = door.keys.of(door.accounts.named(account)["id"] if account else None)
        rows = [_shown(door, row) for row in found]
    if as_json:
        click.echo(json.dumps(rows, indent=2, default=instant))
        return
    for line in cells(COLUMNS, [{**row, "scopes": " ".join(row["scopes"])} for row in rows]):
        click.echo(line)


@key.command()
@root_option
@click.argument("key", metavar="KEY")
def revoke(root: Path, key: str) -> None:
    """End a key by its id or prefix; it is refused within seconds."""
    with opened(root) as door:
        door.keys.revoke(key.removeprefix("hw_").partition("_")[0])
    click.echo("The key is refused within seconds.")


def _shown(door: Door, row: Row) -> Row:
    account = door.accounts.get(row["account"])
    return {
        "id": row["id"], "prefix": row["prefix"], "name": row["name"],
        "account": account["username"] or account["email"], "scopes": row["scopes"], "created_at": row["created_at"],
        "expires_at": row["expires_at"], "last_used_at": row["last_used_at"],
    }  # fmt: skip
