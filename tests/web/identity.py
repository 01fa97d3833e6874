"""A site without plugins behind the host's door, and what the tests of identity say to it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.test import Client, TestResponse

from host.application import App, assemble
from host.settings import Settings
from host.web.door import Door

SECRET = "of-the-tests-" * 4
PASSWORD = "correct horse"
HEAD = "grammar: 1\nsite: {{name: Test, plugins: [{}]}}\n"
SITE = """resources:
  note:
    mixins: [owned]
    fields: {text: {type: string, required: true}}
    access: {every: owner, list: public, get: [owner, "role('admin')"]}
  letter:
    fields: {text: string, address: {type: string}}
    access: {every: "row.address == me.email"}
"""


@dataclass(frozen=True, repr=False)
class IdentitySite:
    """The running site."""

    app: App

    def client(self) -> Client:
        """A client of one's own; threads must not share one."""
        return Client(Door(self.app.pipeline(lambda request: None)))

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """One request; header names are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {} if body is None else {"json": body}
        return self.client().open(path, method=method, headers=named, **given)

    def register(self, **body: Any) -> TestResponse:
        """Sign up; the password is the usual one unless given."""
        return self.send("POST", "/api/auth/register", {"password": PASSWORD, **body})

    def login(self, **body: Any) -> TestResponse:
        """Sign in."""
        return self.send("POST", "/api/auth/login", {"password": PASSWORD, **body})

    def me(self, token: str) -> TestResponse:
        """Who the token stands for."""
        return self.send("GET", "/api/auth/me", Authorization=f"Bearer {token}")

    def token(self, **body: Any) -> str:
        """The token of a new account."""
        answer: dict[str, str] = self.register(**body).json  # type: ignore[assignment]  # JSON of an object
        return answer["token"]


@contextmanager
def running(
    root: Path, database_url: str, *, plugins: Iterable[str] = (), more: str = "", **settings: Any
) -> Iterator[IdentitySite]:
    """The site on an empty database, with its tables; `more` are further resources, or sections behind them."""
    (root / "resources.yaml").write_text(HEAD.format(", ".join(plugins)) + SITE + more)
    app = assemble(Settings(root=root, secret=SECRET, database_url=database_url, **settings))
    app.runtime.registry.metadata.create_all(app.runtime.database.engine)
    try:
        yield IdentitySite(app)
    finally:
        app.runtime.database.dispose()
