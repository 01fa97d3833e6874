"""One site for all tests of a session and database: each test registers users of its own, who see only their rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plugins.freelance.tests.endpoint import Endpoint
from plugins.freelance.tests.house import House, User, open_house
from tests.support.databases import address

__all__ = ["address"]


@pytest.fixture(scope="session")
def house(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The site without an AI endpoint."""
    with open_house(tmp_path_factory.mktemp("site"), address) as opened:
        yield opened


@pytest.fixture(scope="session")
def endpoint() -> Iterator[Endpoint]:
    """A server that speaks the chat completions protocol, and says what the test wants."""
    with Endpoint.running() as running:
        yield running


@pytest.fixture(scope="session")
def assisted(address: str, endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The site with that server as its AI endpoint."""
    environ = {
        "HOSTWRIGHT_FREELANCE__AI_BASE_URL": f"{endpoint.url}/v1",
        "HOSTWRIGHT_FREELANCE__AI_API_KEY": "sk-tests",
        "HOSTWRIGHT_FREELANCE__AI_MODEL": "test-model",
        "HOSTWRIGHT_FREELANCE__AI_ANSWER_SECONDS": "1",
        "HOSTWRIGHT_FREELANCE__AI_ANSWER_BYTES": "20000",
    }
    with open_house(tmp_path_factory.mktemp("assisted"), address, environ) as opened:
        yield opened


@pytest.fixture
def ann(house: House) -> User:
    """A user."""
    return house.user()


@pytest.fixture
def bob(house: House) -> User:
    """Another user."""
    return house.user()
