"""How a try ends: done, tried again later, dead, or cancelled. Each statement is fenced, so that a lost try ends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, Protocol

import sqlalchemy as sa

from host.jobs.claims import Claimed
from host.jobs.failures import Failure
from host.jobs.interruptions import LeaseLost
from host.jobs.statements import failure_table, kept, of_try, own_transaction, value
from host.service.runtime import Runtime
from host.service.tasks import Task

DEAD_DAYS: Final = 30  # that a dead job is kept at least, so that somebody can look at it
UNKNOWN_KEEP: Final = 7
Outcome = Literal["done", "again", "dead", "cancelled", "lost", "skipped"]


class Try(Protocol):
    """A try that has failed."""

    @property
    def id(self) -> str: ...

    @property
    def attempt(self) -> int: ...

    @property
    def started_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Told:
    """What a try has said of itself and not stored yet."""

    progress: int | None = None
    message: str | None = None


def finish(runtime: Runtime, driver: Any, claimed: Claimed, task: Task, result: Any, told: Told) -> None:
    """Within a transaction: the job is done. LeaseLost, when it belongs to another try by now."""
    now = datetime.now(UTC)
    values = {
        **_of(claimed), "result": result, "finished_at": now, "keep_until": now + timedelta(days=task.keep),
        "message": told.message,
    }  # fmt: skip
    if kept(runtime, "finish", _finishing).run(driver, values).rowcount == 0:
        raise LeaseLost("another try of the job has begun")


def fail(
    runtime: Runtime, claimed: Claimed, task: Task | None, failure: Failure, told: Told | None
) -> Outcome:
    """In a transaction of its own: the try has failed, and the job is tried again later or dead."""
    now = datetime.now(UTC)
    failures = claimed.failures + 1
    is_dead = failure.is_final or failures > (task.retry.times if task is not None else 3)
    wait = task.wait(failures) if task is not None else 10.0 * failures
    days = max(task.keep if task is not None else UNKNOWN_KEEP, DEAD_DAYS)
    told = told or Told()
    values = {
        **_of(claimed), "error": failure.error, "progress": told.progress, "message": told.message, "now": now,
        "run_at": now + timedelta(seconds=wait), "keep_until": now + timedelta(days=days),
    }  # fmt: skip
    with own_transaction(runtime) as driver:
        key = "bury" if is_dead else "try again"
        found = kept(runtime, key, _burying if is_dead else _trying_again).run(driver, values).fetchone()
        if found is None:
            return "lost"
        note_failure(runtime, driver, claimed, failure, str(found[1] or "") or None, now)
    return "cancelled" if found[0] == "cancelled" else "dead" if is_dead else "again"


def note_failure(
    runtime: Runtime, driver: Any, failed: Try, failure: Failure, worker: str | None, now: datetime
) -> None:
    """Within a transaction: the record of a try that has failed."""
    values = {
        "job": failed.id, "attempt": failed.attempt, "started_at": failed.started_at, "at": now, "worker": worker,
        "error": failure.error, "cause": failure.private or None,
    }  # fmt: skip
    statement = runtime.plans.statement(("host.job_failure", "add"), lambda: _noting(failure_table(runtime)))
    statement.run(driver, values)


def stop(runtime: Runtime, claimed: Claimed, task: Task | None, told: Told | None) -> Outcome:
    """In a transaction of its own: the job has ended as somebody wanted it."""
    now = datetime.now(UTC)
    days = task.keep if task is not None else UNKNOWN_KEEP
    told = told or Told()
    values = {
        **_of(claimed), "finished_at": now, "keep_until": now + timedelta(days=days), "progress": told.progress,
        "message": told.message,
    }  # fmt: skip
    with own_transaction(runtime) as driver:
        found = kept(runtime, "stop", _stopping).run(driver, values)
        return "cancelled" if found.rowcount else "lost"


def _of(claimed: Claimed) -> dict[str, Any]:
    return {"job": claimed.id, "try": claimed.attempt}


# --- the statements ---------------------------------------------------------------------------------------------------


def _finishing(table: sa.Table) -> Any:
    columns = table.c
    return table.update().where(*of_try(table)).values(
        state="done", result=value(columns.result), finished_at=value(columns.finished_at),
        keep_until=value(columns.keep_until), progress=100, leased_until=None, sealed=None, error=None,
        message=sa.func.coalesce(value(columns.message), columns.message),
    )  # fmt: skip


def _ended(table: sa.Table) -> dict[str, Any]:
    columns = table.c
    return {
        "error": value(columns.error), "leased_until": None,
        "progress": sa.func.coalesce(value(columns.progress), columns.progress),
        "message": sa.func.coalesce(value(columns.message), columns.message),
        "failures": columns.failures + 1,
    }  # fmt: skip


def _trying_again(table: sa.Table) -> Any:
    """Back among those that wait, unless it is not wanted any more."""
    columns = table.c
    now, unwanted = value(columns.finished_at, "now"), columns.cancel_wanted
    return table.update().where(*of_try(table)).values(
        **_ended(table), attempt=columns.attempt + 1, run_at=value(columns.run_at),
        state=sa.case((unwanted, "cancelled"), else_="queued"), finished_at=sa.case((unwanted, now)),
        keep_until=sa.case((unwanted, value(columns.keep_until))),
        sealed=sa.case((unwanted, sa.null()), else_=columns.sealed),
    ).returning(columns.state, columns.worker)  # fmt: skip


def _burying(table: sa.Table) -> Any:
    columns = table.c
    return table.update().where(*of_try(table)).values(
        **_ended(table), state="dead", finished_at=value(columns.finished_at, "now"), keep_until=value(columns.keep_until),
    ).returning(columns.state, columns.worker)  # fmt: skip


def _stopping(table: sa.Table) -> Any:
    columns = table.c
    return table.update().where(*of_try(table)).values(
        state="cancelled", finished_at=value(columns.finished_at), keep_until=value(columns.keep_until), sealed=None,
        leased_until=None, progress=sa.func.coalesce(value(columns.progress), columns.progress),
        message=sa.func.coalesce(value(columns.message), columns.message),
    )  # fmt: skip


def _noting(table: sa.Table) -> Any:
    columns = table.c
    given = {
        name: value(columns[name]) for name in ("attempt", "started_at", "at", "worker", "error", "cause")
    }
    return table.insert().values(**given, job_id=value(columns.job_id, "job"))
