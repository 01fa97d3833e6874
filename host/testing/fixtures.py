"""The pytest plugin of the host: a site of declarations, clients, and the conformance suite's parameters.

`declare` makes a site of YAML; `host_app`, `client` and `as_actor` are about the site that the test session runs in: the
nearest folder above the test with a `resources.yaml`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from functools import lru_cache
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
    """`declare(yaml)` is a running site; `grammar` and `site` may be left out, another database be named."""
    from host.testing.sites import Site  # the host is loaded by the tests that need it, not by every session

    made: list[Site] = []

    def make(text: str, environ: dict[str, str] | None = None, database_url: str | None = None) -> Site:
        folder = tmp_path / f"site{len(made)}"
        folder.mkdir()
        (folder / SITE_FILE).write_text(complete(text), encoding="utf-8")
        made.append(Site.make(folder, database_url or host_database_url, environ))
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


# --- conformance ------------------------------------------------------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each wire of the module's site, for tests that take `conforming`."""
    if "conforming" in metafunc.fixturenames:
        names = wire_names(conformance_root(metafunc.module))
        metafunc.parametrize("conforming", names, indirect=True)


def conformance_root(module: Any) -> Path:
    """The folder of the site that a module's conformance tests are about."""
    named = getattr(module, "SITE", None)
    return Path(named) if named is not None else site_root(Path(module.__file__))


@lru_cache(maxsize=8)
def wire_names(root: Path) -> list[str]:
    """The wires of a site that serve anything, by the names that `conforming` takes; the host's own are its own affair."""
    from host.application import describe
    from host.declaration.workspace import HOST
    from host.testing.conforming import label

    operations = describe(root, {}).operations
    served = {it.wire for it in operations if it.wire is not None and it.wire.model.plugin != HOST}
    return sorted(label(wire) for wire in served)


@pytest.fixture(scope="module")
def conformance_database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the database that conformance tests of a module share; override it for another."""
    return f"sqlite:///{tmp_path_factory.mktemp('conformance') / 'host.db'}"


@pytest.fixture(scope="module")
def conformance_samples() -> dict[str, dict[str, Any]]:
    """Values that declared examples cannot tell, by resource and field; override it where there are some."""
    return {}


@pytest.fixture(scope="module")
def conforming_wires(
    request: pytest.FixtureRequest,
    conformance_database_url: str,
    conformance_samples: dict[str, dict[str, Any]],
) -> Iterator[dict[str, Any]]:
    """Every wire of the running site, by name."""
    from host.testing.conforming import Conforming
    from host.testing.sites import Site

    site = Site.make(conformance_root(request.module), conformance_database_url)
    yield Conforming.all_of(site, conformance_samples)
    site.close()


@pytest.fixture
def conforming(request: pytest.FixtureRequest, conforming_wires: dict[str, Any]) -> Any:
    """One wire of the site, ready to be called."""
    return conforming_wires[request.param]
