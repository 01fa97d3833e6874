"""A site that runs this plugin on a database of its own, and people who keep a ledger as its clients do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from host.actor import SYSTEM
from host.compiler.models import ACCOUNT
from host.limiting import Rate
from host.service.keys import hex24
from host.settings.protection import ProtectionSettings
from host.testing.visitors import PASSWORD, Running, Said, Visitor, running_app
from host.web.door import Door

__all__ = ["NOBODY", "PASSWORD", "SITE", "Book", "Keeper", "Said", "event", "open_book"]
SITE = "grammar: 1\nsite: {name: Ledgers, plugins: [ledger]}\n"
NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"  # the key of no row
_NUMBERS = count(1)


@dataclass(frozen=True, eq=False)
class Keeper(Visitor):
    """A user of this plugin."""

    @property
    def book(self) -> Book:
        """The site."""
        return cast("Book", self.site)

    def contact(self, **values: Any) -> str:
        """A new contact; its id."""
        return str(self.post("/api/contacts", {"name": "Ada", "comment": "met", **values})["id"])

    def transaction(self, contact: str, **values: Any) -> str:
        """A new transaction with a contact; its id."""
        given = {
            "type": "money",
            "direction": "lent",
            "amount": 1000,
            "transaction_date": "2026-01-31",
            **values,
        }
        return str(self.post("/api/transactions", {"contact_id": contact, **given})["id"])

    def balance(self, contact: str) -> int:
        """What the contact owes."""
        return int(self.get(f"/api/contacts/{contact}")["balance"])


@dataclass(frozen=True, eq=False)
class Book(Running):
    """The running site."""

    def nobody(self) -> Keeper:
        """Who has not signed in."""
        return Keeper(self)

    def keeper(self, *, role: str = "user", **values: str) -> Keeper:
        """Somebody who is signed in and has no password, whose hash most tests need not wait for."""
        name = f"keeper{next(_NUMBERS)}"
        given = {"username": name, "hex": hex24(), "role": role, **values}
        with self.app.runtime.writing(SYSTEM, plugin="host") as ctx:
            row = ctx.records(ACCOUNT).create(given)
        token = self.app.authentication.grants.begin(row).token
        return Keeper(self, token, {"username": name, "user_id": row["id"]})

    def registered(self, **values: str) -> Keeper:
        """Somebody who has just registered."""
        name = f"keeper{next(_NUMBERS)}"
        body = {"username": name, "password": PASSWORD, **values}
        said = self.nobody().send("POST", "/api/auth/register", body)
        assert said.status == 201, said
        return Keeper(self, said.body["token"], {"username": name, "user_id": said.body["user_id"]})


def event(kind: str, what: str, data: dict[str, Any], **values: Any) -> dict[str, Any]:
    """An event as a device makes it."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "id": str(uuid4()), "aggregate_type": what, "aggregate_id": str(uuid4()), "event_type": kind,
        "event_data": data, "timestamp": now, "version": 1, **values,
    }  # fmt: skip


@contextmanager
def open_book(folder: Path, database_url: str, **settings: Any) -> Iterator[Book]:
    """The site in a folder, its tables brought up to date by the real migrations."""
    settings.setdefault("protection", ProtectionSettings(sign_up_rate=Rate(100_000, 60)))
    with running_app(folder, SITE, database_url, **settings) as app:
        yield Book(app, Door(app.pipeline(lambda request: None)))
