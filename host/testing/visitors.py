"""A site on the real migrations, and people who talk to it as its clients do: what a plugin's contract tests begin with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from werkzeug.test import Client

from host.application import App, assemble, load_site, table_owners
from host.jobs.draining import Ran, drain
from host.migrations.runner import upgrade
from host.settings import Settings
from host.web.door import Door

SECRET = "of-the-tests-" * 4
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Said:
    """An answer; `body` is what JSON says, or the bytes of anything else."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Running:
    """A running site."""

    app: App
    door: Door

    def run_jobs(self, *, ahead: float = 0) -> list[Ran]:
        """Carry out what is due, as a worker would; `ahead` counts the next so many seconds as past."""
        return drain(self.app.runtime, ahead=ahead)

    def count(self, resource: str) -> int:
        """How many rows there are, whoever may see them: of `contact`, or `ledger.contact`."""
        models = self.app.runtime.registry.models
        table = next(it.table for name, it in models.items() if resource in (name, it.noun))
        with self.app.runtime.database.engine.connect() as connection:
            return len(connection.execute(table.select()).all())


@dataclass(frozen=True, eq=False)
class Visitor:
    """Somebody with a token, or nobody. Every request has a client of its own, so that threads can share a visitor."""

    SUCCESS: ClassVar[tuple[int, ...]] = (200, 201)

    site: Running
    token: str | None = None
    account: Mapping[str, Any] = field(default_factory=dict)

    def send(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None, **options: Any
    ) -> Said:  # fmt: skip
        """One request; `body` is sent as JSON, a text as it is, other forms by werkzeug's options."""
        named = dict(headers or {})
        if self.token is not None:
            named["Authorization"] = f"Bearer {self.token}"
        if isinstance(body, str):
            options |= {"data": body, "content_type": "application/json"}
        elif body is not None:
            options["json"] = body
        answer = Client(self.site.door).open(path, method=method, headers=named, **options)
        return Said(answer.status_code, _body(answer), dict(answer.headers))

    def get(self, path: str) -> Any:
        """What a GET answers, which has to succeed."""
        return self._done("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        """What a POST answers, which has to succeed."""
        return self._done("POST", path, body)

    def put(self, path: str, body: Any) -> Any:
        """What a PUT answers, which has to succeed."""
        return self._done("PUT", path, body)

    def patch(self, path: str, body: Any) -> Any:
        """What a PATCH answers, which has to succeed."""
        return self._done("PATCH", path, body)

    def delete(self, path: str, body: Any = None) -> Any:
        """What a DELETE answers, which has to succeed."""
        return self._done("DELETE", path, body)

    def _done(self, method: str, path: str, body: Any = None) -> Any:
        said = self.send(method, path, body)
        assert said.status in self.SUCCESS, (method, path, said)
        return said.body


def _body(answer: Any) -> Any:
    """A document as Python values, `null` included."""
    is_json = answer.mimetype == "application/json" or answer.mimetype.endswith("+json")
    return answer.get_json(silent=True) if is_json else answer.data or None


@contextmanager
def running_app(folder: Path, yaml: str, database_url: str, **settings: Any) -> Iterator[App]:
    """The site whose `resources.yaml` this is, its tables brought up to date by the real migrations."""
    folder.mkdir(exist_ok=True)
    (folder / "resources.yaml").write_text(yaml)
    chosen = Settings(root=folder, secret=SECRET, database_url=database_url, **settings)
    app = assemble(chosen)
    database = app.runtime.database
    try:
        owners = table_owners(load_site(folder, chosen.environ), folder)
        upgrade(database, owners, allow_destructive=True)  # there is nothing in it to lose
        yield app
    finally:
        database.dispose()
