"""A site that runs this plugin on a database of its own, and users who talk to it as real clients do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, cast

from host.limiting import Rate
from host.settings.protection import ProtectionSettings
from host.testing.visitors import PASSWORD, SECRET, Running, Said, Visitor, running_app
from host.web.door import Door

__all__ = ["PASSWORD", "SECRET", "SITE", "House", "Said", "User", "open_house"]
SITE = "grammar: 1\nsite: {name: Freelancers, plugins: [freelance]}\n"
_NUMBERS = count(1)


@dataclass(frozen=True, eq=False)
class User(Visitor):
    """A user of this plugin."""

    SUCCESS: ClassVar[tuple[int, ...]] = (200,)

    @property
    def house(self) -> House:
        """The site."""
        return cast("House", self.site)

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
class House(Running):
    """The running site."""

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
    protection = ProtectionSettings(sign_up_rate=Rate(100_000, 60))  # every test signs somebody up
    options = {"environ": environ or {}, "only": only, "protection": protection}
    with running_app(folder, SITE, database_url, **options) as app:
        yield House(app, Door(app.pipeline(lambda request: None)))
