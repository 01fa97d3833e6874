"""What the commands below `hostwright db` work on: the site's owners of tables and its database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from host.application import Loaded, load_site, table_owners
from host.auth.admission import clashes, give_rows
from host.cli.options import settings_without_secret
from host.compiler.models import ACCOUNT
from host.database import Database
from host.declaration.calls import CallsLater
from host.migrations.owners import Owner
from host.service.runtime import Runtime


@dataclass(frozen=True)
class Site:
    """What the commands work on."""

    root: Path
    loaded: Loaded
    owners: tuple[Owner, ...]
    database: Database

    @property
    def runtime(self) -> Runtime:
        """The running parts; no secret is needed for what is done with them here."""
        registry = self.loaded.registry
        calls = CallsLater(registry.declaration, self.loaded.discovery.import_function)
        return Runtime.make(registry, self.database, "signs nothing", calls)

    def accounts_without_row(self) -> tuple[str, ...]:
        """Why accounts cannot get a row in the user table of another system."""
        return clashes(self.runtime) if self._has_accounts() else ()

    def give_rows(self) -> int:
        """Give every account its row there, as far as there are both; how many got one."""
        if not self._has_accounts():
            return 0
        return give_rows(self.runtime)

    def _has_accounts(self) -> bool:
        identity, account = self.loaded.registry.identity, self.loaded.registry.model(ACCOUNT).table
        if identity is None:
            return False
        inspector = sa.inspect(self.database.engine)
        tables = set(inspector.get_table_names())
        columns = inspector.get_columns(account.name) if account.name in tables else []
        return identity.table.name in tables and any(column["name"] == "mirrored" for column in columns)


@contextmanager
def open_site(root: Path) -> Iterator[Site]:
    """Open the site's database."""
    settings = settings_without_secret(root)
    loaded = load_site(settings.root, settings.environ)
    owners = table_owners(loaded, settings.root)
    database = Database.open(settings.database_url, synchronous=settings.synchronous)
    try:
        yield Site(settings.root, loaded, owners, database)
    finally:
        database.dispose()
