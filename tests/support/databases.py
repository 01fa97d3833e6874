"""Empty databases for tests that run once on each kind; import a fixture of it under the name that the suite asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
OF_DRILLS = ["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.drill])]


@contextmanager
def fresh_database(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """The address of an empty database of the kind that the request names."""
    with database_of(request, request.param, folder) as url:
        yield url


@contextmanager
def database_of(request: pytest.FixtureRequest, kind: str, folder: Path) -> Iterator[str]:
    """The address of an empty database of a kind."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'test.sqlite3'}"
        return
    server: Any = request.getfixturevalue("postgres_server")
    name = next(request.getfixturevalue("postgres_names"))
    yield server.create(name)
    server.drop(name)


@pytest.fixture(scope="session", params=DATABASES)
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of the session."""
    with fresh_database(request, tmp_path_factory.mktemp("database")) as url:
        yield url


@pytest.fixture(scope="module", params=DATABASES)
def on_both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of the module."""
    with fresh_database(request, tmp_path_factory.mktemp("database")) as url:
        yield url


@pytest.fixture(scope="module", params=OF_DRILLS)
def on_both_in_drills(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A database of the module; PostgreSQL only among the long tests."""
    with fresh_database(request, tmp_path_factory.mktemp("database")) as url:
        yield url
