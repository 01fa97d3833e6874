"""The way of commands to the data of a site, without a server and without its secret."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from host.application import load_site
from host.cli.options import settings_without_secret
from host.compiler.models import ACCOUNT
from host.compiler.registry import Registry
from host.database import Database
from host.declaration.calls import CallsLater
from host.errors import ConfigurationError
from host.mail.making import make_mailer
from host.service.files import Files
from host.service.runtime import Runtime
from host.settings import Settings
from host.storage.opening import open_storage


@contextmanager
def opened_data(root: Path) -> Iterator[tuple[Runtime, Settings]]:
    """The running parts of a site whose tables are there. Raises ConfigurationError where they are not."""
    settings = settings_without_secret(root)
    loaded = load_site(settings.root, settings.environ)
    registry = loaded.registry
    database = Database.open(settings.database_url, synchronous=settings.synchronous)
    try:
        check_tables(database, registry)
        files = Files.make(open_storage(settings.storage, settings.root), settings.storage, settings.secret)
        calls = CallsLater(registry.declaration, loaded.discovery.import_function)
        runtime = Runtime.make(registry, database, settings.secret, calls, files, settings.audit)
        mailer = make_mailer(settings, registry.declaration)
        yield replace(runtime, mail=mailer, events=settings.events), settings
    finally:
        database.dispose()


def check_tables(database: Database, registry: Registry) -> None:
    """ConfigurationError where the database cannot be reached, or holds nothing of the site yet."""
    database.check()
    if not sa.inspect(database.engine).has_table(registry.model(ACCOUNT).table.name):
        raise ConfigurationError("the database has no tables yet; run `hostwright db upgrade` first")
