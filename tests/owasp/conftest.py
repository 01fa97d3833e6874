"""The OWASP suite runs on SQLite, and on PostgreSQL among the long tests: what it asks differs by door, hardly by database."""

from collections.abc import Iterator

import pytest

DATABASES = ["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.drill])]


@pytest.fixture(scope="module", params=DATABASES)
def conformance_database_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a fresh, empty database for a module."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('owasp') / 'host.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    name = next(request.getfixturevalue("postgres_names"))
    yield server.create(name)
    server.drop(name)
