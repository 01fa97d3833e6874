"""A site that runs this plugin on a database of its own, and people who talk to it as the board's clients do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

from werkzeug.test import Client

from host.application import App, assemble, load_site, table_owners
from host.migrations.runner import upgrade
from host.settings import Settings
from host.web.door import Door

SECRET = "of-the-tests-" * 4
PASSWORD = "correct horse battery"
SITE = "grammar: 1\nsite: {name: Detectives, plugins: [investigations]}\n"
_NUMBERS = count(1)


@dataclass(frozen=True)
class Said:
    """An answer."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Person:
    """Somebody with a token, or nobody. Every request has a client of its own, so that threads can share a person."""

    station: Station
    token: str | None = None
    user: Mapping[str, Any] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """The key in the board's own table of users."""
        account = self.station.app.authentication.accounts.named(self.user["username"])
        return int(account["number"])

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> Said:
        """One request; `body` is sent as JSON, other forms by werkzeug's options."""
        headers = dict(options.pop("headers", {}))
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        given = {"json": body} if body is not None else {}
        answer = Client(self.station.door).open(path, method=method, headers=headers, **given, **options)
        return Said(answer.status_code, answer.get_json(silent=True) or answer.data, dict(answer.headers))

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
        assert said.status in (200, 201), (method, path, said)
        return said.body


@dataclass(frozen=True, eq=False)
class Station:
    """The running site."""

    app: App
    door: Door

    @cached_property
    def people(self) -> tuple[Person, ...]:
        """Five persons, whom every board can have: hashing passwords is what tests spend their time on."""
        return tuple(self.person() for _ in range(5))

    def nobody(self) -> Person:
        """Who has not signed in."""
        return Person(self)

    def person(self) -> Person:
        """Somebody who has just registered."""
        name = f"person{next(_NUMBERS)}"
        body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        said = self.nobody().send("POST", "/api/auth/register", body)
        assert said.status == 201, said
        return Person(self, said.body["token"], said.body["user"])

    def count(self, resource: str) -> int:
        """How many rows there are, whoever may see them."""
        table = self.app.runtime.registry.model(f"investigations.{resource}").table
        with self.app.runtime.database.engine.connect() as connection:
            return len(connection.execute(table.select()).all())


@dataclass(frozen=True, eq=False)
class Board:
    """An investigation with one person of each role, and somebody who does not belong to it."""

    id: str
    code: str
    owner: Person
    admin: Person
    member: Person
    viewer: Person
    stranger: Person

    @property
    def path(self) -> str:
        """Where it is."""
        return f"/api/investigations/{self.id}"

    @property
    def page(self) -> str:
        """Where the pages of the browser find it."""
        return f"/api/investigation/{self.id}"

    @property
    def everyone(self) -> tuple[Person, ...]:
        """From the owner to the stranger."""
        return self.owner, self.admin, self.member, self.viewer, self.stranger

    def entity(self, **values: Any) -> str:
        """A new entity of the owner's; its id."""
        given = {"type": "person", "title": "The night porter", **values}
        return str(self.owner.post(f"{self.path}/entities", given)["id"])

    def entities(self, query: str = "") -> list[dict[str, Any]]:
        """The entities as lists show them."""
        rows: list[dict[str, Any]] = self.owner.get(f"{self.path}/entities{query}")["entities"]
        return rows


def found_board(station: Station) -> Board:
    """A new investigation with its people, who have joined by its code."""
    owner, admin, member, viewer, stranger = station.people
    made = owner.post("/api/investigations", {"title": "The missing painting"})
    board = Board(made["id"], made["code"], owner, admin, member, viewer, stranger)
    for person, role in ((admin, "admin"), (member, "member"), (viewer, "viewer")):
        person.post("/api/investigations/join", {"code": board.code})
        if role != "member":
            owner.patch(f"{board.path}/members/{person.number}", {"role": role})
    return board


@contextmanager
def open_station(folder: Path, database_url: str, only: str = "") -> Iterator[Station]:
    """The site in a folder, its tables brought up to date by the real migrations."""
    folder.mkdir(exist_ok=True)
    (folder / "resources.yaml").write_text(SITE)
    settings = Settings(root=folder, secret=SECRET, database_url=database_url, only=only)
    app = assemble(settings)
    database = app.runtime.database
    try:
        upgrade(database, table_owners(load_site(folder, settings.environ), folder))
        yield Station(app, Door(app.pipeline(lambda request: None)))
    finally:
        database.dispose()
