"""A site that runs this plugin on a database of its own, and users who talk to it as real clients do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from werkzeug.test import Client

from host.application import App, assemble, load_site, table_owners
from host.limiting import Rate
from host.migrations.runner import upgrade
from host.settings import Settings
from host.settings.protection import ProtectionSettings
from host.web.door import Door

SECRET = "of-the-tests-" * 4
PASSWORD = "correct horse battery"
SITE = "grammar: 1\nsite: {name: Freelancers, plugins: [freelance]}\n"
_NUMBERS = count(1)


@dataclass(frozen=True)
class Said:
    """An answer."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class User:
    """Somebody with a token, or nobody. Every request has a client of its own, so that threads can share a user."""

    house: House
    token: str | None = None
    account: Mapping[str, Any] = field(default_factory=dict)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Said:
        """One request; what is sent as text is sent as it is."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token is not None:
            named["Authorization"] = f"Bearer {self.token}"
        given = (
            {"data": body, "content_type": "application/json"} if isinstance(body, str) else {"json": body}
        )
        answer = Client(self.house.door).open(
            path, method=method, headers=named, **(given if body is not None else {})
        )
        return Said(answer.status_code, answer.get_json(silent=True), dict(answer.headers))

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

    def delete(self, path: str) -> Any:
        """What a DELETE answers, which has to succeed."""
        return self._done("DELETE", path)

    def _done(self, method: str, path: str, body: Any = None) -> Any:
        said = self.send(method, path, body)
        assert said.status == 200, (method, path, said)
        return said.body

    # -- rows of every kind, with only what has to be given --

    def client(self, **values: Any) -> Any:
        """A new client."""
        return self.post("/api/clients", {"name": "Acme", "email": "billing@acme.example", **values})

    def project(self, **values: Any) -> Any:
        """A new project."""
        return self.post("/api/projects", {"name": "Website", **values})

    def invoice(self, *items: Mapping[str, Any], **values: Any) -> Any:
        """A new invoice, for a new client unless one is given."""
        lines = items or ({"description": "Design", "quantity": 2, "rate": 50, "amount": 100},)
        given = {"items": list(lines), "due_date": "2030-02-01", **values}
        return self.post("/api/invoices", {"client_id": self.client()["_id"], **given})

    def entry(self, **values: Any) -> Any:
        """A new time entry, running unless it has an end."""
        given = {"description": "Design", "start_time": "2030-01-01T10:00:00Z", **values}
        return self.post("/api/time-tracking", given)

    def contract(self, **values: Any) -> Any:
        """A new contract, for a new client unless one is given."""
        given = {"title": "Agreement", "content": "Both agree.", "start_date": "2030-01-01", **values}
        return self.post("/api/contracts", {"client_id": self.client()["_id"], **given})

    def resume(self, **values: Any) -> Any:
        """A new resume."""
        person = {"full_name": "Ada Lovelace", "email": "ada@example.org"}
        given = {
            "title": "Engineer",
            "personal_info": person,
            "experience": [],
            "education": [],
            "skills": [],
        }
        return self.post("/api/resumes", {**given, **values})


@dataclass(frozen=True, eq=False)
class House:
    """The running site."""

    app: App
    door: Door

    def nobody(self) -> User:
        """Who has not signed in."""
        return User(self)

    def user(self) -> User:
        """Somebody who has just registered."""
        name = f"user{next(_NUMBERS)}"
        body = {"full_name": name, "email": f"{name}@example.org", "password": PASSWORD}
        said = self.nobody().send("POST", "/api/auth/register", body)
        assert said.status == 201, said
        return User(self, said.body["token"], said.body["user"])


@contextmanager
def open_house(
    folder: Path, database_url: str, environ: Mapping[str, str] | None = None, only: str = ""
) -> Iterator[House]:
    """The site in a folder, its tables brought up to date by the real migrations."""
    folder.mkdir(exist_ok=True)
    (folder / "resources.yaml").write_text(SITE)
    settings = Settings(
        root=folder, secret=SECRET, database_url=database_url, environ=environ or {}, only=only,
        protection=ProtectionSettings(sign_up_rate=Rate(100_000, 60)),  # every test signs somebody up
    )  # fmt: skip
    app = assemble(settings)
    database = app.runtime.database
    try:
        upgrade(database, table_owners(load_site(folder, settings.environ), folder))
        yield House(app, Door(app.pipeline(lambda request: None)))
    finally:
        database.dispose()
