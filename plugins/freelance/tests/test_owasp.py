"""The OWASP API Top 10 on every resource of this plugin."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from host.testing.owasp import *  # noqa: F403
from plugins.freelance.tests.conftest import fresh_database

SITE = Path(__file__).parent / "site"
DATABASES = ["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.drill])]


@pytest.fixture(scope="module", params=DATABASES)
def conformance_database_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A database of the suite's own, of each kind."""
    with fresh_database(request, tmp_path_factory.mktemp("owasp")) as url:
        yield url
