"""The pytest plugin of the host: a site of declarations, clients, and the conformance suite's parameters.

`declare` makes a site of YAML; `host_app`, `client` and `as_actor` are about the site that the test session runs in: the
nearest folder above the test with a `resources.yaml`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SITE_FILE = "resources.yaml"
Declare = Callable[..., Any]


@pytest.fixture
def host_database_url(tmp_path: Path) -> str:
    """The address of the database that sites of this test use; override it for another."""
    return f"sqlite:///{tmp_path / 'host.db'}"


@pytest.fixture
def declare(tmp_path: Path, host_database_url: str) -> Iterator[Declare]:
    """`declare(yaml)` is a running site of these declarations; the keys `grammar` and `site` may be left out."""
    from host.testing.sites import Site  # the host is loaded by the tests that need it, not by every session

    made: list[Site] = []

    def make(text: str, environ: dict[str, str] | None = None) -> Site:
        folder = tmp_path / f"site{len(made)}"
        folder.mkdir()
        (folder / SITE_FILE).write_text(complete(text), encoding="utf-8")
        made.append(Site.make(folder, host_database_url, environ))
        return made[-1]

    yield make
    for site in made:
        site.close()


def complete(text: str) -> str:
    """The declarations with the head that every site has."""
    body = textwrap.dedent(text)
    head = "" if "grammar:" in body else "grammar: 1\n"
    return head + ("" if "\nsite:" in f"\n{body}" else "site: {name: Test}\n") + body


@pytest.fixture
def host_app(request: pytest.FixtureRequest, host_database_url: str) -> Iterator[Any]:
    """The site around the test, running on an empty database."""
    from host.testing.sites import Site

    site = Site.make(site_root(request.path), host_database_url)
    yield site
    site.close()


def site_root(path: Path) -> Path:
    """The nearest folder above with a site in it."""
    for folder in path.parents:
        if (folder / SITE_FILE).is_file() and not (folder / "plugin.yaml").is_file():
            return folder
    raise pytest.UsageError(f"there is no {SITE_FILE} of a site above {path}")


@pytest.fixture
def client(host_app: Any) -> Any:
    """An anonymous client of the site around the test."""
    return host_app.client()


@pytest.fixture
def as_actor(host_app: Any) -> Callable[..., Any]:
    """`as_actor("ann", role="admin")` is a client signed in as a new account."""
    make: Callable[..., Any] = host_app.as_actor
    return make
