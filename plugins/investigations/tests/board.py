"""A site that runs this plugin on a database of its own, and people who talk to it as the board's clients do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, cast

from host.testing.visitors import PASSWORD, Running, Said, Visitor, running_app
from host.web.door import Door

__all__ = ["PASSWORD", "SITE", "Board", "Person", "Said", "Station", "found_board", "open_station"]
SITE = "grammar: 1\nsite: {name: Detectives, plugins: [investigations]}\n"
_NUMBERS = count(1)


@dataclass(frozen=True, eq=False)
class Person(Visitor):
    """A user of this plugin."""

    @property
    def station(self) -> Station:
        """The site."""
        return cast("Station", self.site)

    @property
    def user(self) -> Any:
        """The account as signing up has answered it."""
        return self.account

    @property
    def number(self) -> int:
        """The key in the board's own table of users."""
        account = self.station.app.authentication.accounts.named(self.user["username"])
        return int(account["number"])


@dataclass(frozen=True, eq=False)
class Station(Running):
    """The running site."""

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
    with running_app(folder, SITE, database_url, only=only) as app:
        yield Station(app, Door(app.pipeline(lambda request: None)))
