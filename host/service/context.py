"""The context that every operation, action and prepare function gets first: who asks, when, and the doors to data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from host.access import actor_values, facts_of
from host.actor import SYSTEM, Actor
from host.compiler.expressions import Facts
from host.compiler.parents import Parent
from host.service.log_waiting import store_waiting
from host.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from host.service.jobs import Jobs
    from host.service.journal import Origin
    from host.service.mail import Mail
    from host.service.records import Records
    from host.service.runtime import Runtime
    from host.service.working import Working


NO_PARENTS: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Context:
    """One request's, job's or command's view of the app. `now` is the same instant from its first to its last statement."""

    runtime: Runtime
    actor: Actor
    now: datetime
    work: UnitOfWork | None = None
    request_id: str = ""
    plugin: str = ""
    under: tuple[Parent, ...] = ()  # what the path of a nested resource fixes; see `host.service.parents`
    parents: Mapping[str, Any] = field(
        default_factory=lambda: NO_PARENTS
    )  # the keys it is fixed to, by the names of the path's parameters
    moment: datetime | None = (
        None  # when what is written happened, if not now: the time of its event in a log
    )
    facts: Facts = field(init=False)  # what is known of the actor before any query
    values: dict[str, Any] = field(init=False)  # the actor's and the clock's parameters of compiled rules

    def __post_init__(self) -> None:
        # Every operation wants both, and a cached property costs more than they do.
        object.__setattr__(self, "facts", facts_of(self.actor))
        values = actor_values(self.actor, self.now)
        if self.under:
            values.update((parent.bind, self.parents[parent.parameter]) for parent in self.under)
        object.__setattr__(self, "values", values)

    @property
    def stamp(self) -> datetime:
        """The time that is written into rows. Rules go by `now`."""
        return self.moment or self.now

    @property
    def transaction(self) -> UnitOfWork:
        """The open unit of work; a programming error outside of one."""
        if self.work is None:
            raise RuntimeError("this context has no transaction")
        return self.work

    @property
    def origin(self) -> Origin:
        """Where this was asked for, and by whom."""
        return self.runtime.origin

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings of the plugin whose code runs."""
        return self.runtime.settings.get(self.plugin, {})

    @property
    def session(self) -> Session:
        """A raw ORM session in the same transaction. No rule is checked here."""
        return self.transaction.session

    @property
    def jobs(self) -> Jobs:
        """Work for later, stored in this transaction: `ctx.jobs.enqueue("ledger.send_reminder", {…})`."""
        from host.service.jobs import Jobs  # the two refer to each other

        return Jobs(self)

    @property
    def mail(self) -> Mail:
        """Mail to anybody, sent by a job of this transaction: `ctx.mail.send("ann@example.org", "reminder", {…})`."""
        from host.service.mail import Mail  # the two refer to each other

        return Mail(self)

    @property
    def job(self) -> Working:
        """The job that runs this code: `ctx.job.progress(40, "…")`, `ctx.job.check()`, `ctx.job.id`."""
        working = self.runtime.working
        if working is None:
            raise RuntimeError("no job runs this code")
        return working

    def step(self, key: str, work: Callable[[Context], Any]) -> Any:
        """In a job with `transaction: steps`: do `work(ctx)` in a transaction of its own, once.

        What it returns, which has to be JSON, is kept with what it has written; a repeat of the job passes over the step
        and answers the kept value. The key tells it from the job's other steps.
        """
        return self.job.step(self, key, work)

    def records(self, name: str) -> Records:
        """The checked service of a resource: `ctx.records("freelance.client")`, or `"client"` of the same plugin."""
        from host.service.records import Records  # the two refer to each other

        model = self.runtime.registry.model(self._qualified(name))
        if model.declared.log is not None and self.work is not None:
            store_waiting(self)
        return Records(self, model)

    def model(self, name: str) -> type[Any]:
        """The ORM class of a resource, for `ctx.session`."""
        return self.runtime.registry.classes[self._qualified(name)]

    def table(self, name: str) -> sa.Table:
        """The table of a resource, for statements of one's own."""
        return self.runtime.registry.model(self._qualified(name)).table

    def execute(self, statement: Any) -> sa.CursorResult[Any]:
        """Run a SQLAlchemy statement in this transaction; rule conditions in it get the actor's values."""
        return self.transaction.connection.execute(statement, self.values)

    def emit(self, event: str, row: Any, data: Mapping[str, Any] | None = None) -> None:
        """Append an event that a resource of this plugin declares, about a row or its key, to this transaction.

        `ctx.emit("invoice.sent", row, {"client": "…"})`. Raises ValueError when the data are not as declared.
        """
        outbox = self.runtime.journal.outbox
        if outbox is not None:
            outbox.emit(self, event, row, data)

    def after_commit(self, follow: Callable[[], None]) -> None:
        """Call this when the transaction has been committed; never, when it is rolled back."""
        self.transaction.after_commit(follow)

    def reading(self) -> AbstractContextManager[Context]:
        """The same actor over a snapshot of its own, for code that runs outside of a transaction."""
        return self.runtime.reading(self.actor, self.request_id, self.plugin)

    def writing(self) -> AbstractContextManager[Context]:
        """The same actor in a transaction of its own, for code that runs outside of one."""
        return self.runtime.writing(self.actor, self.request_id, self.plugin)

    def within(self, plugin: str) -> Context:
        """The same context for the code of a plugin: its settings, its resources by short names."""
        return self if plugin == self.plugin else replace(self, plugin=plugin)

    def as_system(self) -> Context:
        """The same transaction without rules, for what the plugin does on its own account."""
        return replace(self, actor=SYSTEM)

    def _qualified(self, name: str) -> str:
        return name if "." in name else f"{self.plugin}.{name}"
