"""The revisions that the repository ships make exactly what its declarations say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from host.application import load_site, table_owners
from host.database import Database
from host.migrations.check import check
from host.migrations.owners import Owner
from host.migrations.runner import downgrade, upgrade


@pytest.fixture
def owners(tmp_path: Path, checkout: Path) -> tuple[Owner, ...]:
    """The host and every bundled plugin."""
    bundled = sorted(manifest.parent.name for manifest in (checkout / "plugins").glob("*/plugin.yaml"))
    site = f"grammar: 1\nsite: {{name: All, plugins: [{', '.join(bundled)}]}}\n"
    (tmp_path / "resources.yaml").write_text(site)
    return table_owners(load_site(tmp_path, {}), tmp_path)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database."""
    database = Database.open(database_url)
    yield database
    database.dispose()


def test_shipped_scripts_match_the_declarations(owners: tuple[Owner, ...], database: Database) -> None:
    upgrade(database, owners)

    assert check(database, owners) == ()


def test_shipped_scripts_go_back_to_nothing(owners: tuple[Owner, ...], database: Database) -> None:
    upgrade(database, owners)

    for owner in reversed(owners):
        downgrade(database, owners, owner.name, "base")

    with database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM host_table_owner").fetchone()[0] == 0
