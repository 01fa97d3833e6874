"""What every operation of one app shares, and how a context begins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from host.access import Policy
from host.actor import Actor
from host.compiler.registry import Registry
from host.database import Database
from host.errors import Unavailable
from host.metrics import MemoryStore, Meters
from host.query.cursors import Cursors
from host.query.plans import Planner
from host.service.appending import Appender
from host.service.context import Context
from host.service.files import Files
from host.service.joint import Joint
from host.service.journal import ENTRY, NOWHERE, Journal, Origin
from host.service.logs import Logs
from host.service.mail import Post
from host.service.outbox import EVENT, Outbox
from host.service.plans import Plans
from host.service.sealing import Sealer
from host.service.subscriptions import compile_subscriptions
from host.service.tasks import Task, compile_tasks
from host.service.waking import LocalWaker, Waker
from host.service.working import Working
from host.settings import AuditSettings, EventSettings
from host.storage import Storage
from host.tracing import Exporter
from host.unit_of_work import UnitOfWork, unit_of_work


@dataclass(frozen=True, eq=False, repr=False)  # everything is in it: whoever shows it waits for seconds
class Runtime:
    """The running parts of one app. `settings` are the plugins', by plugin name; `calls` the functions named in YAML."""

    registry: Registry
    database: Database
    policy: Policy
    plans: Plans
    cursors: Cursors
    journal: Journal
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    calls: Mapping[str, Any] = field(default_factory=dict)  # "freelance:actions.send" to the function
    files: Files | None = None
    logs: Logs = field(default_factory=lambda: Logs({}, {}, {}))
    tasks: Mapping[str, Task] = field(default_factory=dict)  # what can be carried out later, by name
    waker: Waker = field(default_factory=LocalWaker)  # tells whoever carries jobs out
    sealer: Sealer = field(default_factory=lambda: Sealer(""))
    mail: Post | None = None  # what sends the mail of `ctx.mail`
    meters: Meters = field(default_factory=lambda: Meters(MemoryStore()))
    events: EventSettings = field(default_factory=EventSettings)
    exporter: Exporter | None = None  # is told of every part of a trace
    _origin: ContextVar[Origin] = field(default_factory=lambda: ContextVar("origin", default=NOWHERE))
    _working: ContextVar[Working | None] = field(default_factory=lambda: ContextVar("working", default=None))
    _joint: ContextVar[Joint | None] = field(default_factory=lambda: ContextVar("joint", default=None))

    @classmethod
    def make(
        cls, registry: Registry, database: Database, secret: str, calls: Mapping[str, Any] | None = None,
        files: Files | None = None, audit: AuditSettings | None = None, waker: Waker | None = None,
    ) -> Runtime:  # fmt: skip
        """Put the parts of an app together."""
        registry = replace(registry, sign=files.signatures.query if files is not None else None)
        policy = Policy(registry.models, registry.declaration.rules)
        plans = Plans(registry, policy, database, Planner(registry, policy, database))
        settings = {plugin.name: plugin.settings for plugin in registry.declaration.plugins}
        tasks = compile_tasks(registry.declaration)
        subscriptions = compile_subscriptions(registry.declaration, tasks, settings)
        outbox = Outbox(registry, Appender(database, registry.model(EVENT).table), subscriptions)
        entries = Appender(database, registry.model(ENTRY).table)
        journal = Journal.make(audit or AuditSettings(), entries, outbox, registry.models)
        return cls(
            registry, database, policy, plans, Cursors(secret), journal, settings, {} if calls is None else calls, files,
            logs=Logs.make(registry, database.dialect), tasks=tasks, waker=waker or LocalWaker(), sealer=Sealer(secret),
        )  # fmt: skip

    def context(
        self, actor: Actor, work: UnitOfWork | None = None, request_id: str = "", plugin: str = ""
    ) -> Context:
        """A context outside of, or within, a unit of work."""
        return Context(self, actor, datetime.now(UTC), work, request_id, plugin)

    @property
    def storage(self) -> Storage:
        """Where files are."""
        if self.files is None:
            raise Unavailable("this app has no storage for files")
        return self.files.storage

    @contextmanager
    def writing(self, actor: Actor, request_id: str = "", plugin: str = "") -> Iterator[Context]:
        """A context in a transaction of its own: committed at the end, rolled back by any exception."""
        joint = self._joint.get()
        with unit_of_work(self.database) if joint is None else joint.part() as work:
            yield self.context(actor, work, request_id, plugin)

    @property
    def origin(self) -> Origin:
        """Where what this thread does was asked for."""
        return self._origin.get()

    @contextmanager
    def asked(self, origin: Origin) -> Iterator[None]:
        """Everything in the block was asked for there."""
        token = self._origin.set(origin)
        try:
            yield
        finally:
            self._origin.reset(token)

    @property
    def working(self) -> Working | None:
        """The job that this thread carries out."""
        return self._working.get()

    @contextmanager
    def carrying(self, job: Working) -> Iterator[None]:
        """Everything in the block is done by this job."""
        token = self._working.set(job)
        try:
            yield
        finally:
            self._working.reset(token)

    @contextmanager
    def joined(self) -> Iterator[Joint]:
        """Everything that this thread writes in the block commits together, at its end, or not at all."""
        with ExitStack() as stack:
            joint = Joint(self.database, stack)
            token = self._joint.set(joint)
            try:
                yield joint
            finally:
                self._joint.reset(token)  # what follows the commit writes for itself again

    @contextmanager
    def reading(self, actor: Actor, request_id: str = "", plugin: str = "") -> Iterator[Context]:
        """A context over one consistent snapshot that is never committed; takes no write lock on SQLite."""
        with self.database.snapshot() as connection:
            yield self.context(actor, UnitOfWork(connection, is_committed=False), request_id, plugin)
