"""Conformance runs on both databases."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def conformance_database_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a fresh, empty database for a module."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('conformance') / 'host.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    name = next(request.getfixturevalue("postgres_names"))
    yield server.create(name)
    server.drop(name)
