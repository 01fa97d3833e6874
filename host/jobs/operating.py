"""What people do with jobs: cancel one, have a dead one tried again, clear old ones away, look at all of them.

`cancel` and `retry` are the actions of the resource `host.job`, whose rules the service has asked by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from host.errors import Conflict
from host.jobs.endings import UNKNOWN_KEEP
from host.jobs.statements import instant, job_table
from host.service.context import Context
from host.service.jobs import UNFINISHED, among
from host.service.runtime import Runtime

Row = dict[str, Any]
OVER: Final = ("dead", "cancelled")


def cancel(ctx: Context, job: Mapping[str, Any], _data: Any = None) -> Row:
    """Within a transaction that holds the row: it never begins; or it is asked to stop, where it runs."""
    if job["state"] == "running":
        return _changed(ctx, job, {"cancel_wanted": True})
    if job["state"] not in UNFINISHED:
        raise Conflict(f"the job has ended already: it is {job['state']}")
    task = ctx.runtime.tasks.get(job["name"])
    days = task.keep if task is not None else UNKNOWN_KEEP
    ended = {"finished_at": ctx.now, "keep_until": ctx.now + timedelta(days=days), "sealed": None}
    return _changed(ctx, job, {"state": "cancelled", "leased_until": None, **ended})


def retry(ctx: Context, job: Mapping[str, Any], _data: Any = None) -> Row:
    """Within a transaction that holds the row: a dead or cancelled job waits again, with all its tries."""
    if job["state"] not in OVER:
        raise Conflict(f"only what is dead or cancelled can be tried again: the job is {job['state']}")
    if _was_sealed(ctx, job):
        raise Conflict("its arguments were secret and have been erased: have it done anew")
    again = {
        "state": "queued", "attempt": job["attempt"] + 1, "failures": 0, "crashes": 0, "run_at": ctx.now,
        "cancel_wanted": False, "finished_at": None, "keep_until": None, "progress": None, "message": None,
    }  # fmt: skip
    try:
        changed = _changed(ctx, job, again)
    except sa.exc.IntegrityError:
        raise Conflict("the same job waits or runs already") from None
    ctx.transaction.after_commit_once(ctx.runtime.waker.wake)
    return changed


def purge(runtime: Runtime, most: int = 1000, *, before: datetime | None = None) -> int:
    """Remove so many of the jobs that have been kept long enough, with their failures and steps; how many there were.

    With `before`, those that ended before that instant, whatever they were to be kept for.
    """
    table = job_table(runtime)
    if before is None:
        old = [table.c.keep_until < datetime.now(UTC)]
        order = table.c.keep_until
    else:
        old = [table.c.finished_at < before, table.c.keep_until.is_not(None)]
        order = table.c.keep_until
    some = sa.select(table.c.id).where(*old).order_by(order).limit(most).with_for_update(skip_locked=True)
    with runtime.database.writing() as connection:
        return int(connection.execute(table.delete().where(table.c.id.in_(some))).rowcount)


def stats(runtime: Runtime) -> list[Row]:
    """For each queue: how many jobs are in which state, and for how many seconds the longest due one has waited."""
    columns, now = job_table(runtime).c, datetime.now(UTC)
    found: dict[str, Row] = {}
    with runtime.database.snapshot() as connection:
        counted = sa.select(columns.queue, columns.state, sa.func.count()).group_by(
            columns.queue, columns.state
        )
        for queue, state, count in connection.execute(counted):
            found.setdefault(queue, {"queue": queue, "states": {}, "waiting": 0.0})["states"][state] = count
        due = sa.select(columns.queue, sa.func.min(columns.run_at)).where(among(columns.state, ("queued",)))
        for queue, first in connection.execute(due.group_by(columns.queue)):
            found[queue]["waiting"] = max(0.0, (now - instant(first)).total_seconds())
    return [found[queue] for queue in sorted(found)]


def _was_sealed(ctx: Context, job: Mapping[str, Any]) -> bool:
    task = ctx.runtime.tasks.get(job["name"])
    return task is not None and task.sealed and job["sealed"] is None


def _changed(ctx: Context, job: Mapping[str, Any], values: Row) -> Row:
    table = job_table(ctx.runtime)
    ctx.transaction.connection.execute(table.update().where(table.c.id == job["id"]).values(**values))
    return {**job, **values}
