"""One site for all tests of a session and database: each test founds boards of its own, which only their members see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from plugins.investigations.tests.board import Board, Station, found_board, open_station

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@contextmanager
def fresh_database(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """An empty database of the kind that the request names."""
    if request.param == "sqlite":
        yield f"sqlite:///{folder / 'test.sqlite3'}"
        return
    server: Any = request.getfixturevalue("postgres_server")
    name = f"investigations_{next(request.getfixturevalue('postgres_names'))}"
    yield server.create(name)
    server.drop(name)


@pytest.fixture(scope="session", params=DATABASES)
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of this session: once SQLite, once PostgreSQL."""
    with fresh_database(request, tmp_path_factory.mktemp("investigations")) as url:
        yield url


@pytest.fixture(scope="session")
def station(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    """The site."""
    with open_station(tmp_path_factory.mktemp("site"), address) as opened:
        yield opened


@pytest.fixture(scope="session")
def shared(station: Station) -> Board:
    """A board for tests that change nothing others look at."""
    return found_board(station)


@pytest.fixture
def board(station: Station) -> Board:
    """A board of the test's own."""
    return found_board(station)
