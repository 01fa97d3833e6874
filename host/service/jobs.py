"""`ctx.jobs`: work that a worker does later, stored in the transaction that wants it. A rollback leaves none.

Arguments are JSON and are checked here, against the declaration. The row of `host.job` is all there is of a job; after the
commit whoever carries jobs out is told by a signal that may get lost without harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from host.actor import Actor
from host.compiler.schemas import camel
from host.compiler.statements import Statement
from host.declaration.nodes import Field
from host.declaration.problems import did_you_mean
from host.errors import Invalid, PayloadTooLarge
from host.fields.columns import json_value
from host.service.context import Context
from host.service.keys import uuid7
from host.service.tasks import JOB, Task
from host.tracing import traceparent

MOST_BYTES: Final = 1 << 20  # of arguments
SYSTEM_WORD: Final = "system"
NOBODY_WORD: Final = "nobody"
UNFINISHED: Final = ("queued", "dispatched", "running")
NO_INPUT: Final = Field(type="object")
Values = dict[str, Any]


@dataclass(frozen=True)
class Jobs:
    """Enqueues in the transaction of a context."""

    ctx: Context

    def enqueue(
        self, name: str, data: Mapping[str, Any] | None = None, *, run_at: datetime | None = None, delay: float = 0
    ) -> str:  # fmt: skip
        """Have a declared job done after this transaction; answers its id.

        `name` is `ledger.send_reminder`, or `send_reminder` of the same plugin. It begins at `run_at`, or `delay` seconds
        from now, and not before. Of a `unique` job that waits or runs already the id is that one's. Raises Invalid when
        the arguments are not as declared.
        """
        task = self.task(name)
        if task.kind != "job":
            raise Invalid.at("", "job", f"{task.name} is no declared job")
        given = self.checked(task, {} if data is None else data)
        return self.add(task, given, run_at=run_at or self.ctx.now + timedelta(seconds=delay))

    def task(self, name: str) -> Task:
        """What a name means here. Raises Invalid with a name that it resembles."""
        tasks = self.ctx.runtime.tasks
        found = tasks.get(name) or tasks.get(f"{self.ctx.plugin}.{name}")
        if found is None:
            raise Invalid.at("", "unknown_job", f'there is no job "{name}"{did_you_mean(name, tasks)}')
        return found

    def checked(self, task: Task, data: Any) -> Any:
        """The arguments as JSON, if they are as declared."""
        text = encoded(data)
        if len(text) > MOST_BYTES:
            raise PayloadTooLarge(f"the arguments of a job may have at most {MOST_BYTES} bytes")
        given = orjson.loads(text)
        loaded(self.ctx, task, given)
        return given

    def add(
        self, task: Task, data: Any, *, run_at: datetime | None = None, order_key: str | None = None, order_number: int = 0
    ) -> str:  # fmt: skip
        """Store a job whose arguments have been checked, and have it noticed after the commit; answers its id."""
        ctx = self.ctx
        if not ctx.transaction.is_committed:
            raise RuntimeError(
                "what a context that only reads enqueues would be lost: `write: true` makes an action write"
            )
        values = job_values(ctx, task, data, run_at=run_at, order_key=order_key, order_number=order_number)
        found = self._stored(task, values)
        ctx.transaction.after_commit_once(ctx.runtime.waker.wake)
        return found

    def _stored(self, task: Task, values: Values) -> str:
        driver = self.ctx.transaction.driver
        if not task.unique:
            self._statement("enqueue", lambda: _inserting(self._table)).run(driver, values)
            return str(values["id"])
        while True:
            added = self._statement("enqueue unique", self._inserting_unique).run(driver, values).fetchone()
            if added is not None:
                return str(values["id"])
            present = self._statement("enqueued", self._finding).run(driver, values).fetchone()
            if present is not None:  # else it has ended at this moment
                return str(present[0])

    @property
    def _table(self) -> sa.Table:
        return self.ctx.runtime.registry.model(JOB).table

    def _statement(self, key: str, make: Any) -> Statement:
        return self.ctx.runtime.plans.statement((JOB, key), make)

    def _inserting_unique(self) -> Any:
        insert = postgresql.insert if self.ctx.runtime.database.dialect == "postgresql" else sqlite.insert
        columns = self._table.c
        where = sa.and_(columns.unique_key.is_not(None), among(columns.state, UNFINISHED))
        added = insert(self._table).values(_parameters(self._table))
        return added.on_conflict_do_nothing(index_elements=[columns.unique_key], index_where=where).returning(
            columns.id
        )

    def _finding(self) -> Any:
        columns = self._table.c
        same = columns.unique_key == sa.bindparam("unique_key", type_=columns.unique_key.type)
        return sa.select(columns.id).where(same, among(columns.state, UNFINISHED))


def job_values(
    ctx: Context, task: Task, data: Any, *, run_at: datetime | None = None, order_key: str | None = None,
    order_number: int = 0,
) -> Values:  # fmt: skip
    """The columns of a new job, for `inserting` of many at once."""
    origin, run_as = ctx.origin, _run_as(task, ctx.actor)
    asked = origin.actor if ctx.actor.is_system and origin.actor is not None else ctx.actor
    asked_by = (
        None if task.kind == "subscriber" else asked.id
    )  # who wrote a row did not ask for who is told of it
    return {
        "id": uuid7(), "name": task.name, "queue": task.queue, "priority": task.priority,
        "data": None if task.sealed else data, "sealed": ctx.runtime.sealer.seal(data) if task.sealed else None,
        "run_at": run_at.astimezone(UTC) if run_at is not None else ctx.now,
        "unique_key": unique_key(task, data, run_as) if task.unique else None, "order_key": order_key,
        "order_number": order_number, "actor": asked_by, "run_as": run_as,
        "request_id": ctx.request_id or origin.request_id or None, "trace": traceparent(), "created_at": ctx.now,
    }  # fmt: skip


def store_jobs(ctx: Context, rows: Sequence[Values]) -> None:
    """Store many jobs, whose columns `job_values` made, with one statement."""
    table = ctx.runtime.registry.model(JOB).table
    statement = ctx.runtime.plans.statement((JOB, "enqueue"), lambda: _inserting(table))
    ctx.transaction.driver.cursor().executemany(statement.sql, [statement.bind(row) for row in rows])


def unique_key(task: Task, data: Any, run_as: str) -> str:
    """What jobs that are the same have in common; those of two accounts are two, unless both run as the system."""
    text = orjson.dumps([task.name, run_as, data], option=orjson.OPT_SORT_KEYS)
    return sha256(text).hexdigest()


def encoded(data: Any) -> bytes:
    """A JSON text. Raises Invalid for what has no JSON form: jobs hold no objects."""
    try:
        return orjson.dumps(data, json_value, orjson.OPT_UTC_Z)
    except TypeError as error:
        raise Invalid.at("", "json", f"the arguments of a job are JSON: {error}") from None


def loaded(ctx: Context, task: Task, given: Any) -> dict[str, Any]:
    """The native arguments of a job, as its function gets them. Raises Invalid."""
    schemas = ctx.runtime.registry.schemas
    return schemas.load(schemas.value(f"{camel(task.name)}Input", task.input or NO_INPUT), given)


def _run_as(task: Task, actor: Actor) -> str:
    if task.run_as == "system" or actor.is_system:
        return SYSTEM_WORD
    return actor.id or NOBODY_WORD


def _parameters(table: sa.Table) -> Values:
    """The columns of a new job; what is the same for all costs least as a part of the statement."""
    given = {name: sa.bindparam(name, type_=table.c[name].type) for name in STORED}
    return {
        **given,
        **{name: sa.literal_column(text) for name, text in NEW.items()},
        "cancel_wanted": sa.false(),
    }


def _inserting(table: sa.Table) -> Any:
    return table.insert().values(_parameters(table))


def among(column: sa.Column[Any], states: Iterable[str]) -> sa.ColumnElement[bool]:
    """Whether the state is one of these, written as the conditions of the indexes are: with parameters they are not used."""
    written: list[Any] = [sa.literal_column(f"'{state}'") for state in states]
    return column == written[0] if len(written) == 1 else column.in_(written)


STORED: Final = (
    "id", "name", "queue", "priority", "data", "sealed", "run_at", "unique_key", "order_key", "order_number", "actor", "run_as",
    "request_id", "trace", "created_at",
)  # fmt: skip
NEW: Final = {"state": "'queued'", "attempt": "1", "failures": "0", "crashes": "0"}
