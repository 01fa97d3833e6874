"""`hostwright user`: accounts made and changed by the operator. The only way to make an administrator.

A password is never an argument, which other users of the machine could read: it is asked for, or read from the
standard input.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import click

from host.actor import SYSTEM
from host.auth.accounts import Accounts
from host.auth.lookup import Row
from host.auth.oidc import IDENTITY
from host.cli.accounts import Door, cells, instant, opened
from host.cli.options import root_option
from host.cli.sessions import revoke

COLUMNS = ("number", "username", "email", "role", "active", "id")
SESSION_COLUMNS = ("id", "kind", "address", "user_agent", "created_at", "used_at", "expires_at")
JSON_KEYS = (
    "id", "number", "hex", "username", "email", "name", "role", "active", "email_verified", "created_at",
)  # fmt: skip

account_argument = click.argument("account", metavar="ACCOUNT")
password_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input, not the terminal."
)


@click.group()
def user() -> None:
    """Make, list and change accounts. ACCOUNT is a user name, an e-mail address or an id."""


user.add_command(revoke)


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
    with opened(root) as door:
        values = {"username": username, "email": email, "name": name, "password": _password(password_stdin)}
        made = door.accounts.sign_up(values, role=role)
    click.echo(f"Made {_called(made)}, number {made['number']}, with the role {made['role']}.")


@user.command("list")
@root_option
@click.option("--json", "as_json", is_flag=True, help="Print the accounts as JSON.")
def list_accounts(root: Path, as_json: bool) -> None:
    """List every account."""
    with opened(root) as door:
        rows = door.accounts.listed()
    if as_json:
        click.echo(json.dumps([_shown(row) for row in rows], indent=2, default=instant))
        return
    for line in cells(COLUMNS, rows):
        click.echo(line)


@user.command()
@root_option
@account_argument
def show(root: Path, account: str) -> None:
    """Print ACCOUNT as JSON, with its sessions, keys and identities elsewhere."""
    with opened(root) as door:
        found = door.accounts.named(account)
        told = {
            **_shown(found),
            "sessions": len(door.accounts.sessions.of(found["id"])),
            "keys": [key["prefix"] for key in door.keys.of(found["id"])],
            "identities": [f"{it['provider']}: {it['subject']}" for it in identities(door, found["id"])],
        }
    click.echo(json.dumps(told, indent=2, default=instant))


@user.command("set-password")
@root_option
@account_argument
@password_option
def set_password(root: Path, account: str, password_stdin: bool) -> None:
    """Give ACCOUNT another password; it has to sign in again everywhere."""
    with opened(root) as door:
        found = door.accounts.named(account)
        door.accounts.set_password(found, _password(password_stdin))
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


@user.command()
@root_option
@account_argument
def verify(root: Path, account: str) -> None:
    """Take the address of ACCOUNT for confirmed."""
    said = "has a confirmed address."
    _change(root, account, lambda accounts, found: accounts.set_verified(found), said)


@user.command()
@root_option
@account_argument
def unlock(root: Path, account: str) -> None:
    """Forget the failed sign-ins of ACCOUNT, so that nobody has to wait."""
    with opened(root) as door:
        found = door.accounts.named(account)
        door.throttle.unlock(found["id"])
    click.echo(f"{_called(found)} can sign in without waiting.")


@user.command("reset-link")
@root_option
@account_argument
def reset_link(root: Path, account: str) -> None:
    """Print a link with which ACCOUNT chooses another password, once; hand it over by a way that you trust."""
    with opened(root) as door:
        click.echo(door.recovery.reset_link(door.accounts.named(account)))


@user.command()
@root_option
@account_argument
@click.option("--end", is_flag=True, help="End all of them.")
def sessions(root: Path, account: str, end: bool) -> None:
    """List the sessions of ACCOUNT, or end them."""
    with opened(root) as door:
        found = door.accounts.named(account)
        if end:
            count = door.accounts.sessions.end_all(found["id"])
            click.echo(f"{count} sessions of {_called(found)} end within seconds.")
            return
        for line in cells(SESSION_COLUMNS, door.accounts.sessions.of(found["id"])):
            click.echo(line)


@user.command()
@root_option
@account_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(root: Path, account: str, yes: bool) -> None:
    """Remove ACCOUNT for good, unless rows refer to it that may not go with it; deactivating keeps them."""
    with opened(root) as door:
        found = door.accounts.named(account)
        if not yes:
            click.confirm(f"Remove {_called(found)} for good?", abort=True)
        door.accounts.delete(found)
    click.echo(f"{_called(found)} has been removed.")


def _change(root: Path, account: str, change: Callable[[Accounts, Row], None], said: str) -> None:
    with opened(root) as door:
        found = door.accounts.named(account)
        change(door.accounts, found)
    click.echo(f"{_called(found)} {said}")


def identities(door: Door, account: str) -> list[Row]:
    """Who an account is at other providers."""
    with door.accounts.runtime.reading(SYSTEM, plugin="host") as ctx:
        return ctx.records(IDENTITY).find_all(account=account)


def _password(is_stdin: bool) -> str:
    if is_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt="The same again")
    return password


def _called(account: Row) -> str:
    return str(account["username"] or account["email"])


def _shown(account: Row) -> Row:
    return {key: account[key] for key in JSON_KEYS}
