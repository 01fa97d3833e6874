"""Tries that nobody works on any more: their lease has run out, or their worker is known to have died.

A job whose worker died begins again at once, and is dead when that has happened too often: it is the likely cause.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import sqlalchemy as sa

from host.jobs.claims import Claimed, held
from host.jobs.endings import DEAD_DAYS, Outcome, fail, note_failure
from host.jobs.failures import Failure
from host.jobs.statements import instant, kept, own_transaction, value
from host.jobs.watching import UNKNOWN
from host.service.jobs import among
from host.service.runtime import Runtime

MOST_CRASHES: Final = 5
AT_ONCE: Final = 100
PAUSE_SECONDS: Final = 5.0  # before a job begins again whose worker has died more than once
LOST: Final = {"code": "crashed", "detail": "the worker died, or could not reach the database for too long"}
LATE: Final = {"code": "timeout", "detail": "it did not end in time, and its process was killed"}
log = logging.getLogger("hostwright.jobs")


@dataclass(frozen=True, slots=True)
class _Lost:
    """A row as it is found."""

    id: str
    attempt: int
    name: str
    state: str
    crashes: int
    started_at: datetime | None
    worker: str | None

    @classmethod
    def of(cls, row: Any) -> _Lost:
        job, attempt, name, state, crashes, started_at, worker = row
        return cls(str(job), attempt, name, state, crashes, started_at and instant(started_at), worker)


def reap(runtime: Runtime) -> int:
    """Take every job away from those whose lease has run out; how many there were."""
    now = datetime.now(UTC)
    with runtime.database.reading() as driver:  # on SQLite looking for nothing must not take the write lock
        if kept(runtime, "is lapsed", _first_lapsed).run(driver, {"now": now}).fetchone() is None:
            return 0
    with own_transaction(runtime) as driver:
        rows = kept(runtime, "lapsed", _lapsed).run(driver, {"now": now}).fetchall()
        for row in rows:
            _take_away(runtime, driver, _Lost.of(row), now)
    if rows:
        runtime.waker.wake()
    return len(rows)


def settle(runtime: Runtime, job: str, attempt: int, why: Literal["died", "timeout", "stopped"]) -> bool:
    """Take a try away from a worker that is known to have ended; False when it was not its any more.

    `stopped` is the operator's doing and no fault of the job; a `timeout` is a failure as any other.
    """
    claimed = held(runtime, job, attempt)
    if claimed is None:
        return False
    if why == "timeout":
        return fail(runtime, claimed, runtime.tasks.get(claimed.name), Failure(LATE), None) != "lost"
    now = datetime.now(UTC)
    with own_transaction(runtime) as driver:
        row = kept(runtime, "of worker", _of_worker).run(driver, {"job": job, "try": attempt}).fetchone()
        if row is None:
            return False
        if why == "stopped":
            ended = {"now": now, "keep_until": now + timedelta(days=DEAD_DAYS)}
            kept(runtime, "put back", _putting_back).run(driver, {"job": job, "try": attempt, **ended})
        else:
            _take_away(runtime, driver, _Lost.of(row), now)
    runtime.waker.wake()
    return True


def give_back(runtime: Runtime, claimed: Claimed, detail: str) -> Outcome:
    """End a try that could not be carried out because the database was away or busy: no failure of the job's."""
    now = datetime.now(UTC)
    with own_transaction(runtime) as driver:
        row = (
            kept(runtime, "of worker", _of_worker)
            .run(driver, {"job": claimed.id, "try": claimed.attempt})
            .fetchone()
        )
        if row is None:
            return "lost"
        _take_away(runtime, driver, _Lost.of(row), now, {"code": "unavailable", "detail": detail})
    return "again"


def _take_away(
    runtime: Runtime, driver: Any, lost: _Lost, now: datetime, error: dict[str, Any] = LOST
) -> None:
    ended = now + timedelta(days=DEAD_DAYS)
    values: dict[str, Any] = {"job": lost.id, "try": lost.attempt, "now": now, "keep_until": ended}
    if lost.state == "dispatched":  # nobody has begun: the queue has lost it, or all workers are busy
        kept(runtime, "put back", _putting_back).run(driver, values)
        return
    crashes = lost.crashes + 1
    values |= {
        "crashes": crashes, "run_at": now + timedelta(seconds=PAUSE_SECONDS * (crashes - 1)), "error": error,
        "is_dead": crashes >= MOST_CRASHES,
    }  # fmt: skip
    kept(runtime, "take away", _taking_away).run(driver, values)
    note_failure(runtime, driver, lost, Failure(error), lost.worker, now)
    extra = {"job": lost.id, "job_name": lost.name, "attempt": lost.attempt}
    runtime.meters.attempt(lost.name if lost.name in runtime.tasks else UNKNOWN, "crashed")
    log.warning("a job was taken away: %s", error["detail"], extra=extra)


# --- the statements ---------------------------------------------------------------------------------------------------


def _found(table: sa.Table) -> sa.Select[Any]:
    columns = table.c
    return sa.select(
        columns.id,
        columns.attempt,
        columns.name,
        columns.state,
        columns.crashes,
        columns.started_at,
        columns.worker,
    )


def _first_lapsed(table: sa.Table) -> Any:
    return _all_lapsed(table).limit(1)


def _lapsed(table: sa.Table) -> Any:
    return _all_lapsed(table).limit(AT_ONCE).with_for_update(skip_locked=True)


def _all_lapsed(table: sa.Table) -> sa.Select[Any]:
    columns = table.c
    held = among(columns.state, ("dispatched", "running"))
    lapsed = columns.leased_until < value(columns.leased_until, "now")
    return _found(table).where(held, lapsed).order_by(columns.leased_until)


def _of_worker(table: sa.Table) -> Any:
    columns = table.c
    mine = [columns.id == value(columns.id, "job"), columns.attempt == value(columns.attempt, "try")]
    return _found(table).where(*mine, among(columns.state, ("running",))).with_for_update()


def _mine(table: sa.Table) -> list[Any]:
    """The try, which the transaction has locked and looked at."""
    columns = table.c
    return [columns.id == value(columns.id, "job"), columns.attempt == value(columns.attempt, "try")]


def _unwanted(table: sa.Table, state: Any) -> dict[str, Any]:
    """What is not wanted any more is cancelled where it would begin again."""
    columns = table.c
    return {
        "attempt": columns.attempt + 1, "leased_until": None,
        "state": sa.case((columns.cancel_wanted, "cancelled"), else_=state),
        "sealed": sa.case((columns.cancel_wanted, sa.null()), else_=columns.sealed),
    }  # fmt: skip


def _putting_back(table: sa.Table) -> Any:
    columns = table.c
    return table.update().where(*_mine(table)).values(
        **_unwanted(table, "queued"), finished_at=sa.case((columns.cancel_wanted, value(columns.finished_at, "now"))),
        keep_until=sa.case((columns.cancel_wanted, value(columns.keep_until))),
    )  # fmt: skip


def _taking_away(table: sa.Table) -> Any:
    columns = table.c
    is_dead = sa.bindparam("is_dead", type_=sa.Boolean())
    has_ended = columns.cancel_wanted | is_dead
    return table.update().where(*_mine(table)).values(
        **_unwanted(table, sa.case((is_dead, "dead"), else_="queued")),
        crashes=value(columns.crashes), error=value(columns.error), run_at=value(columns.run_at),
        finished_at=sa.case((has_ended, value(columns.finished_at, "now"))),
        keep_until=sa.case((has_ended, value(columns.keep_until))),
    )  # fmt: skip
