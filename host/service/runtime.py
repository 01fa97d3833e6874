"""What every operation of one app shares, and how a context begins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from host.access import Policy
from host.actor import Actor
from host.compiler.registry import Registry
from host.database import Database
from host.query.cursors import Cursors
from host.query.plans import Planner
from host.service.context import Context
from host.service.plans import Plans
from host.unit_of_work import UnitOfWork, unit_of_work


@dataclass(frozen=True, eq=False)
class Runtime:
    """The running parts of one app. `settings` are the plugins', by plugin name; `calls` the functions named in YAML."""

    registry: Registry
    database: Database
    policy: Policy
    plans: Plans
    cursors: Cursors
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    calls: Mapping[str, Any] = field(default_factory=dict)  # "freelance:actions.send" to the function

    @classmethod
    def make(
        cls, registry: Registry, database: Database, secret: str, calls: Mapping[str, Any] | None = None
    ) -> Runtime:
        """Put the parts of an app together."""
        policy = Policy(registry.models, registry.declaration.rules)
        plans = Plans(registry, policy, database, Planner(registry, policy, database))
        settings = {plugin.name: plugin.settings for plugin in registry.declaration.plugins}
        return cls(registry, database, policy, plans, Cursors(secret), settings, calls or {})

    def context(
        self, actor: Actor, work: UnitOfWork | None = None, request_id: str = "", plugin: str = ""
    ) -> Context:
        """A context outside of, or within, a unit of work."""
        return Context(self, actor, datetime.now(UTC), work, request_id, plugin)

    @contextmanager
    def writing(self, actor: Actor, request_id: str = "", plugin: str = "") -> Iterator[Context]:
        """A context in a transaction of its own: committed at the end, rolled back by any exception."""
        with unit_of_work(self.database) as work:
            yield self.context(actor, work, request_id, plugin)

    @contextmanager
    def reading(self, actor: Actor, request_id: str = "", plugin: str = "") -> Iterator[Context]:
        """A context over one consistent snapshot that is never committed; takes no write lock on SQLite."""
        with self.database.snapshot() as connection:
            yield self.context(actor, UnitOfWork(connection), request_id, plugin)
