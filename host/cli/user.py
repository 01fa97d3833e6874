"""`hostwright user`: accounts made and changed by the operator. The only way to make an administrator.

A password is never an argument, which other users of the machine could read: it is asked for, or read from the
standard input.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from host.application import load_site
from host.auth.accounts import Accounts
from host.auth.lookup import Row
from host.auth.passwords import Passwords
from host.cli.options import root_option, settings_without_secret
from host.compiler.models import ACCOUNT
from host.database import Database
from host.errors import ConfigurationError
from host.service.runtime import Runtime

COLUMNS = ("number", "username", "email", "role", "active", "id")
JSON_KEYS = (
    "id",
    "number",
    "hex",
    "username",
    "email",
    "name",
    "role",
    "active",
    "email_verified",
    "created_at",
)

account_argument = click.argument("account", metavar="ACCOUNT")
password_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input, not the terminal."
)


@click.group()
def user() -> None:
    """Make, list and change accounts. ACCOUNT is a user name, an e-mail address or an id."""


@user.command()
@root_option
@click.option("--username", help="User name; made of the e-mail address when left out.")
@click.option("--email", help="E-mail address.")
@click.option("--name", help="Full name.")
@click.option("--role", default="user", show_default=True, help="Role, e.g. admin.")
@password_option
def create(
    root: Path, username: str | None, email: str | None, name: str | None, role: str, password_stdin: bool
) -> None:  # fmt: skip
    """Make an account."""
    if not username and not email:
        raise click.UsageError("give --username or --email")
    with _accounts(root) as accounts:
        values = {"username": username, "email": email, "name": name, "password": _password(password_stdin)}
        made = accounts.sign_up(values, role=role)
    click.echo(f"Made {_called(made)}, number {made['number']}, with the role {made['role']}.")


@user.command("list")
@root_option
@click.option("--json", "as_json", is_flag=True, help="Print the accounts as JSON.")
def list_accounts(root: Path, as_json: bool) -> None:
    """List every account."""
    with _accounts(root) as accounts:
        rows = accounts.listed()
    if as_json:
        click.echo(
            json.dumps([{key: row[key] for key in JSON_KEYS} for row in rows], indent=2, default=_instant)
        )
    else:
        for line in _table(rows):
            click.echo(line)


@user.command("set-password")
@root_option
@account_argument
@password_option
def set_password(root: Path, account: str, password_stdin: bool) -> None:
    """Give ACCOUNT another password; it has to sign in again everywhere."""
    with _accounts(root) as accounts:
        found = accounts.named(account)
        accounts.set_password(found, _password(password_stdin))
    click.echo(f"{_called(found)} has another password; tokens issued so far end within seconds.")


@user.command("set-role")
@root_option
@account_argument
@click.argument("role")
def set_role(root: Path, account: str, role: str) -> None:
    """Give ACCOUNT another ROLE, e.g. admin."""
    _change(root, account, lambda accounts, found: accounts.set_role(found, role), f"has the role {role}.")


@user.command()
@root_option
@account_argument
def deactivate(root: Path, account: str) -> None:
    """Refuse ACCOUNT from now on; its rows stay."""
    said = "cannot sign in any more; its tokens end within seconds."
    _change(root, account, lambda accounts, found: accounts.set_active(found, active=False), said)


@user.command()
@root_option
@account_argument
def activate(root: Path, account: str) -> None:
    """Let ACCOUNT sign in again."""
    _change(
        root, account, lambda accounts, found: accounts.set_active(found, active=True), "can sign in again."
    )


def _change(root: Path, account: str, change: Callable[[Accounts, Row], None], said: str) -> None:
    with _accounts(root) as accounts:
        found = accounts.named(account)
        change(accounts, found)
    click.echo(f"{_called(found)} {said}")


@contextmanager
def _accounts(root: Path) -> Iterator[Accounts]:
    """The accounts in the site's database."""
    settings = settings_without_secret(root)
    registry = load_site(settings.root, settings.environ).registry
    database = Database.open(settings.database_url, synchronous=settings.synchronous)
    try:
        database.check()
        if not sa.inspect(database.engine).has_table(registry.model(ACCOUNT).table.name):
            raise ConfigurationError("the database has no tables yet; run `hostwright db upgrade` first")
        yield Accounts(Runtime.make(registry, database, settings.secret, audit=settings.audit), Passwords.of(registry, settings.identity.password_min))
    finally:
        database.dispose()


def _password(is_stdin: bool) -> str:
    if is_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt="The same again")
    return password


def _called(account: Row) -> str:
    return str(account["username"] or account["email"])


def _table(rows: list[Row]) -> Iterator[str]:
    cells = [COLUMNS, *(tuple(_cell(row[name]) for name in COLUMNS) for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(COLUMNS))]
    for line in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _cell(value: Any) -> str:  # any native value of an account
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)


def _instant(value: Any) -> str:
    return str(value.isoformat().replace("+00:00", "Z"))
