"""One site for all tests of a session and database: each test registers people of its own, who see only their rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plugins.ledger.tests.book import Book, Keeper, open_book
from tests.support.databases import address

__all__ = ["address"]


@pytest.fixture(scope="session")
def book(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    """The site."""
    with open_book(tmp_path_factory.mktemp("site"), address) as opened:
        yield opened


@pytest.fixture(scope="module")
def ann(book: Book) -> Keeper:
    """Somebody whom the tests of a module share."""
    return book.keeper()


@pytest.fixture(scope="module")
def bob(book: Book) -> Keeper:
    """Somebody else."""
    return book.keeper()


@pytest.fixture(scope="session")
def boss(book: Book) -> Keeper:
    """An administrator."""
    return book.keeper(role="admin")
