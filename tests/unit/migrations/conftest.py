"""Fixtures for tests of migrations: the same site on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from host.database import Database
from tests.unit.migrations.shop import Shop


@pytest.fixture
def shop(database_url: str, tmp_path: Path) -> Iterator[Shop]:
    """A site whose database is still empty."""
    database = Database.open(database_url)
    yield Shop(database, tmp_path / "scripts")
    database.dispose()
