"""What commands about accounts and keys have in common: the way to the site's database, and tables of rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host.auth.accounts import Accounts
from host.auth.api_keys import ApiKeys
from host.auth.passwords import Passwords
from host.auth.recovery import Recovery
from host.auth.throttling import Throttle
from host.cli.data import opened_data
from host.settings import Settings
from host.web.recovering import make_recovery


@dataclass(frozen=True, eq=False)
class Door:
    """The accounts of a site, their keys, and what can be mailed to them."""

    settings: Settings
    accounts: Accounts
    keys: ApiKeys

    @property
    def throttle(self) -> Throttle:
        """The counters of failures."""
        return Throttle(self.accounts.runtime, self.settings.sign_in, self.settings.secret)

    @property
    def recovery(self) -> Recovery:
        """Links that an operator hands over."""
        return make_recovery(self.accounts.runtime, self.settings, self.accounts, self.keys)


@contextmanager
def opened(root: Path) -> Iterator[Door]:
    """The accounts in the site's database."""
    with opened_data(root) as (runtime, settings):
        passwords = Passwords.of(runtime.registry, settings.identity.password_min)
        yield Door(settings, Accounts(runtime, passwords), ApiKeys(runtime))


def cells(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The lines of a table."""
    lines = [tuple(columns), *(tuple(_cell(row[name]) for name in columns) for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    for line in lines:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def instant(value: Any) -> str:
    """An instant in JSON."""
    return str(value.isoformat().replace("+00:00", "Z"))


def _cell(value: Any) -> str:  # any native value of a row
    if isinstance(value, bool):
        return "yes" if value else "no"
    if hasattr(value, "isoformat"):
        return instant(value.replace(microsecond=0))
    return "-" if value is None else str(value)
