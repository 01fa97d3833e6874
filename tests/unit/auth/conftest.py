"""A site without plugins on an empty database, for the tests of `host.auth`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from host.application import load_site
from host.auth.accounts import Accounts
from host.auth.passwords import Passwords
from host.database import Database
from host.service.runtime import Runtime

SECRET = "of-the-tests-" * 4


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    """The running parts of the site; every table is there."""
    (tmp_path / "resources.yaml").write_text("grammar: 1\nsite: {name: Test}\n")
    registry = load_site(tmp_path, {}).registry
    database = Database.open(f"sqlite:///{tmp_path / 'auth.db'}")
    registry.metadata.create_all(database.engine)
    yield Runtime.make(registry, database, SECRET)
    database.dispose()


@pytest.fixture
def accounts(runtime: Runtime) -> Accounts:
    """The site's accounts."""
    return Accounts(runtime, Passwords())
