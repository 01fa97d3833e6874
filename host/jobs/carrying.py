"""A try while it runs, as its code sees it: `ctx.job` and `ctx.step`. `execution` makes one for each try."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
import sqlalchemy as sa

from host.fields.columns import json_value
from host.jobs.claims import LEASE_SECONDS, Claimed, hold
from host.jobs.endings import Told
from host.jobs.failures import JobRefused
from host.jobs.interruptions import JobCancelled, JobTimeout, LeaseLost
from host.jobs.statements import kept, of_try, own_transaction, step_table, value
from host.service.context import Context
from host.service.runtime import Runtime
from host.service.tasks import Task

BETWEEN_SECONDS: Final = 0.25  # between two looks at the table, however often the code reports
LONGEST_MESSAGE: Final = 500
MOST_BYTES: Final = 1 << 20  # of a result


class Carrying:
    """The job of this try. Over connections of its own, so that what it says is seen before the job has committed."""

    def __init__(self, runtime: Runtime, claimed: Claimed, task: Task) -> None:
        self._runtime, self._claimed, self._task = runtime, claimed, task
        self._began = time.monotonic()
        self._looked = 0.0
        # On SQLite such a job holds the only write lock itself.
        self._is_mute = task.transaction == "whole" and runtime.database.dialect == "sqlite"
        self.told = Told()  # what has not been stored

    @property
    def id(self) -> str:
        """The id of its row, which stays the same from try to try."""
        return self._claimed.id

    @property
    def attempt(self) -> int:
        """Which try it is, from 1."""
        return self._claimed.attempt

    def progress(self, percent: int, message: str | None = None) -> None:
        """Show how far it is; stops the job where somebody has cancelled it, or its time is over."""
        cut = message[:LONGEST_MESSAGE] if message is not None else self.told.message
        self.told = Told(max(0, min(100, int(percent))), cut)
        if self._is_mute:
            self.check()
        elif self._is_time():
            self._decide(self._store())

    def check(self) -> None:
        """Stop the job where somebody has cancelled it, its time is over, or another worker has taken it."""
        self.check_time()
        if self._is_time():
            with self._runtime.database.reading() as driver:
                self._decide(kept(self._runtime, "look", _looking).run(driver, self._of).fetchone())

    def check_time(self) -> None:
        """Stop the job when its time is over: where there is no alarm, in threads, this is what ends it."""
        if time.monotonic() - self._began > self._task.timeout:
            raise JobTimeout(f"it took longer than {self._task.timeout} seconds")

    def step(self, ctx: Context, key: str, work: Callable[[Context], Any]) -> Any:
        """Do `work(ctx)` in a transaction of its own, once; answers what it returned, also to a repeat."""
        if self._task.transaction != "steps":
            raise RuntimeError(f"{self._task.name} has no steps: declare `transaction: steps`")
        done = self._done(key)
        if done is not None:
            return orjson.loads(done[0]) if done[0] is not None else None
        self.check()
        until = datetime.now(UTC) + timedelta(seconds=LEASE_SECONDS)
        with self._runtime.writing(ctx.actor, ctx.request_id, ctx.plugin) as short:
            text = result_text(work(short))
            driver = short.transaction.driver
            short.transaction.flush()
            if not hold(self._runtime, driver, self.id, self.attempt, until):
                raise LeaseLost("another try of the job has begun")
            values = {"job": self.id, "name": key, "result": orjson.loads(text), "at": datetime.now(UTC)}
            self._stepping("add", _adding).run(driver, values)
        return orjson.loads(text)

    def _done(self, key: str) -> Any:
        with self._runtime.database.reading() as driver:
            return self._stepping("find", _finding).run(driver, {"job": self.id, "name": key}).fetchone()

    def _stepping(self, key: str, make: Callable[[sa.Table], Any]) -> Any:
        table = step_table(self._runtime)
        return self._runtime.plans.statement(("host.job_step", key), lambda: make(table))

    @property
    def _of(self) -> dict[str, Any]:
        return {"job": self.id, "try": self.attempt}

    def _is_time(self) -> bool:
        now = time.monotonic()
        is_time = now - self._looked >= BETWEEN_SECONDS
        self._looked = now if is_time else self._looked
        return is_time

    def _store(self) -> Any:
        self.check_time()
        told, self.told = self.told, Told(None, self.told.message)
        values = {**self._of, "progress": told.progress, "message": told.message}
        with own_transaction(self._runtime) as driver:
            return kept(self._runtime, "progress", _telling).run(driver, values).fetchone()

    def _decide(self, found: Any) -> None:
        if found is None:
            raise LeaseLost("another try of the job has begun")
        if found[0]:
            raise JobCancelled("somebody has cancelled the job")


def result_text(result: Any) -> bytes:
    """A result as JSON. JobRefused for anything else: trying again would not help."""
    try:
        text = orjson.dumps(result, json_value, orjson.OPT_UTC_Z)
    except (TypeError, RecursionError) as error:
        raise JobRefused("not_json", f"what it returned is not JSON: {error}") from None
    if len(text) > MOST_BYTES:
        raise JobRefused("too_large", f"what it returned has more than {MOST_BYTES} bytes")
    return text


def _looking(table: sa.Table) -> Any:
    return sa.select(table.c.cancel_wanted).where(*of_try(table))


def _telling(table: sa.Table) -> Any:
    columns = table.c
    told = {
        "progress": value(columns.progress),
        "message": sa.func.coalesce(value(columns.message), columns.message),
    }
    return table.update().where(*of_try(table)).values(**told).returning(columns.cancel_wanted)


def _finding(table: sa.Table) -> Any:
    columns = table.c
    return sa.select(columns.result).where(
        columns.job_id == value(columns.job_id, "job"), columns.name == value(columns.name)
    )


def _adding(table: sa.Table) -> Any:
    columns = table.c
    given = {name: value(columns[name]) for name in ("name", "result", "at")}
    return table.insert().values(**given, job_id=value(columns.job_id, "job"))
