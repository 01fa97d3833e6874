"""One site for all tests of a session and database: each test founds boards of its own, which only their members see."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plugins.investigations.tests.board import Board, Station, found_board, open_station
from tests.support.databases import address

__all__ = ["address"]


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
