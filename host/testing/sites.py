"""A site assembled for a test: on an empty database with its tables, with accounts and clients made in a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from secrets import token_hex
from shutil import rmtree
from tempfile import gettempdir
from typing import Any

import sqlalchemy as sa
from flask import Flask
from werkzeug.test import Client as WerkzeugClient
from werkzeug.test import TestResponse

from host.actor import SYSTEM, Actor
from host.application import App, assemble, flask_app
from host.compiler.models import ACCOUNT
from host.database import Database
from host.events.event import Event
from host.jobs.draining import Ran, drain
from host.jobs.relay import relay
from host.service.following import event_of
from host.service.keys import hex24
from host.service.outbox import EVENT
from host.service.runtime import Runtime
from host.settings import Settings, StorageSettings

SECRET = "only-for-tests-" * 3


class Client(WerkzeugClient):
    """A client of the whole WSGI application, as an actor where it has a token."""

    def __init__(self, flask: Flask, token: str | None = None) -> None:
        super().__init__(flask)
        self.token = token

    def open(self, *args: Any, **options: Any) -> TestResponse:
        """Send a request; options are those of werkzeug's test client."""
        headers = dict(options.pop("headers", None) or {})
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        return super().open(*args, headers=headers, **options)


@dataclass(eq=False, repr=False)
class Site:
    """An assembled site. Two of them do not know of each other."""

    app: App
    _files: Path | None = None
    _numbers: Any = field(default_factory=lambda: count(1))

    @classmethod
    def make(cls, root: Path, database_url: str, environ: Mapping[str, str] | None = None) -> Site:
        """The site whose `resources.yaml` lies in `root`, with every table in an empty database."""
        site = cls.open(root, database_url, environ)
        site.runtime.registry.metadata.create_all(site.database.engine)
        return site

    @classmethod
    def open(cls, root: Path, database_url: str, environ: Mapping[str, str] | None = None) -> Site:
        """The site on a database that has its tables."""
        files = Path(gettempdir()) / f"hostwright-files-{token_hex(8)}"  # never in the site's own folder
        settings = Settings(
            root=root, secret=SECRET, database_url=database_url, environ=environ or {},
            storage=StorageSettings(place=str(files)),
        )  # fmt: skip
        site = cls(assemble(settings), files)
        if site.database.dialect == "sqlite":
            sa.event.listen(site.database.engine, "connect", _hurry)
        return site

    @property
    def runtime(self) -> Runtime:
        """The running parts."""
        return self.app.runtime

    @property
    def database(self) -> Database:
        """Its database."""
        return self.app.runtime.database

    @cached_property
    def flask(self) -> Flask:
        """The WSGI application, with the door in front."""
        return flask_app(self.app)

    def account(self, name: str | None = None, *, role: str = "user") -> Actor:
        """A new account, as the rules see it."""
        name = name or f"user{next(self._numbers)}"
        values = {"username": name, "email": f"{name}@example.org", "hex": hex24(), "role": role}
        with self.runtime.writing(SYSTEM, plugin="host") as ctx:
            row = ctx.records(ACCOUNT).create(values)
        return self.app.authentication.tokens.actor(self.app.authentication.grants.begin(row).token)

    def token(self, actor: Actor) -> str:
        """A real token of an account."""
        row = self.app.authentication.accounts.get(actor.id or "")
        return self.app.authentication.grants.begin(row).token

    def client(self, actor: Actor | None = None) -> Client:
        """A client that is signed in as the actor, or as nobody."""
        return Client(self.flask, self.token(actor) if actor is not None else None)

    def as_actor(self, name: str | None = None, *, role: str = "user") -> Client:
        """A client signed in as a new account."""
        return self.client(self.account(name, role=role))

    def run_jobs(self, *, ahead: float = 0) -> list[Ran]:
        """Carry out what is due, as a worker would; `ahead` counts the next so many seconds as past."""
        ran = drain(self.runtime, ahead=ahead)
        while relay(self.runtime):  # what a worker's supervisor does beside it
            pass
        return ran

    @contextmanager
    def events(self) -> Iterator[list[Event]]:
        """The events that the block fires, filled in at its end: `with site.events() as fired: …`."""
        fired: list[Event] = []
        event = self.runtime.registry.model(EVENT).table
        with self.runtime.reading(SYSTEM) as ctx:
            last = ctx.execute(sa.select(sa.func.max(event.c.id))).scalar() or 0
        yield fired
        with self.runtime.reading(SYSTEM) as ctx:
            rows = ctx.records(EVENT).find_all(event.c.id > last, sort="id", limit=100_000)
            fired += [event_of(ctx, row) for row in rows]

    def close(self) -> None:
        """Give back every connection."""
        self.database.dispose()
        if self._files is not None:
            rmtree(self._files, ignore_errors=True)


def _hurry(connection: Any, _record: Any) -> None:
    """What a test writes need not survive a power cut: waiting for the disk is half the time of a write."""
    connection.execute("PRAGMA synchronous=OFF")
