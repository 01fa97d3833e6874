"""Fixtures for all tests of the host; those that hand out databases are in tests/integration/postgres.py."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root folder of the repository."""
    return Path(__file__).parents[1]
