"""The scheduler: turns planned times into jobs, each once whatever the number of processes. `hostwright scheduler` runs it.

A firing is a row with the schedule and the planned time for its key, stored in the same transaction as its job; of any number
of schedulers that find a time due one moves the schedule on, and the others find it moved.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any, Final

from host.actor import SYSTEM
from host.auth.inserts import inserting
from host.jobs.timetable import FIRING, ON_TIME, SCHEDULE, Planned, Row, Timetable, last_state
from host.service.context import Context
from host.service.jobs import UNFINISHED
from host.service.runtime import Runtime

MOST_MISSED: Final = 100  # that `run_all` runs after all
LONGEST_PAUSE: Final = 5.0  # seconds; what commands change has been noticed by then
AFTER_FAILURE: Final = 1.0
log = logging.getLogger("hostwright.schedules")


def _now() -> datetime:
    return datetime.now(UTC)


class Scheduler:
    """One of any number of schedulers of a site."""

    def __init__(self, runtime: Runtime, clock: Callable[[], datetime] = _now) -> None:
        self.timetable = Timetable.of(runtime)
        self._runtime, self._clock = runtime, clock
        self._failing: set[str] = set()

    def run(self, stop: Event) -> None:
        """Fire what is due until told to stop; a database that is away is waited for."""
        is_new, is_failing = True, False
        while not stop.is_set():
            try:
                if is_new:
                    self.timetable.forget(self._clock())
                is_new, due = False, self.tick()
                pause = min(max((due - self._clock()).total_seconds(), 0.0), LONGEST_PAUSE)
                is_failing = False
            except Exception:  # it has to outlive whatever a database does
                if not is_failing:
                    log.exception("no schedule fires until this has passed")
                is_failing, pause = True, AFTER_FAILURE
            stop.wait(pause)

    def tick(self, now: datetime | None = None) -> datetime:
        """Fire everything that is due; answers when something is due again. One that fails keeps none from firing."""
        now = now or self._clock()
        due = now + timedelta(days=1)
        for name, row in self.timetable.settled(now).items():
            if row["paused"]:
                continue
            planned, upcoming = self.timetable.planned[name], row["next_at"]
            if upcoming <= now:
                is_fired = self._tried(planned, row, now)
                upcoming = planned.cron.next(now) if is_fired else now + timedelta(seconds=AFTER_FAILURE)
            due = min(due, upcoming)
        return due

    def _tried(self, planned: Planned, row: Row, now: datetime) -> bool:
        """Whether it has fired; it is tried again soon, and told of once."""
        try:
            self._fire(planned, row, now)
        except Exception:
            if planned.name not in self._failing:
                log.exception("schedule %s cannot fire", planned.name)
            self._failing.add(planned.name)
            return False
        self._failing.discard(planned.name)
        return True

    def start(self, name: str, now: datetime | None = None) -> str:
        """Run a schedule's job now, whatever its plan says; answers the id of the job. Raises NotFound."""
        planned, now = self.timetable.named(name), now or self._clock()
        with self._runtime.writing(SYSTEM, plugin="host") as ctx:
            job = _enqueued(ctx, planned, now)
            _add_firing(ctx, name, now, now, job)
        return job

    def _fire(self, planned: Planned, row: Row, now: datetime) -> None:
        """Turn what has become due into jobs, unless another scheduler has."""
        times = chosen(planned, row["next_at"], now)
        lag = (now - planned.cron.newest(row["next_at"], now, 1)[-1]).total_seconds() if times else None
        with self._runtime.writing(SYSTEM, plugin="host") as ctx:
            if not _moved_on(ctx, planned, row, now, {"fired_at": now, "lag": lag} if times else {}):
                return
            is_busy = planned.schedule.overlap == "skip" and last_state(ctx, planned.name) in UNFINISHED
            for at in times:
                is_busy = _started(ctx, planned, at, now, is_busy=is_busy)


def chosen(planned: Planned, first: datetime, now: datetime) -> list[datetime]:
    """Of the planned times from the first one until now those that fire."""
    due = planned.cron.newest(first, now, MOST_MISSED)
    missed = [it for it in due if now - it > ON_TIME]
    timely = [it for it in due if now - it <= ON_TIME]
    if planned.schedule.missed == "run_all":
        return missed + timely
    if planned.schedule.missed == "run_once":
        return timely or missed[-1:]
    return timely


def _moved_on(ctx: Context, planned: Planned, row: Row, now: datetime, told: dict[str, Any]) -> bool:
    """Whether this scheduler is the one that moved the schedule on."""
    table = ctx.table(SCHEDULE)
    same = (table.c.name == planned.name, table.c.next_at == row["next_at"], table.c.paused.is_(False))
    moved = table.update().where(*same).values(next_at=planned.cron.next(now), **told)
    return ctx.execute(moved).rowcount == 1


def _started(ctx: Context, planned: Planned, at: datetime, now: datetime, *, is_busy: bool) -> bool:
    """One planned time: its firing, and its job unless the one before has not ended. Answers whether the next one has to wait."""
    if not _add_firing(ctx, planned.name, at, now, None):
        return is_busy  # fired already, before the schedule was planned anew
    if is_busy:
        log.info("%s of %s is left out: the one before has not ended", planned.name, at)
        return True
    job = _enqueued(ctx, planned, planned.run_at(at))
    table = ctx.table(FIRING)
    ctx.execute(
        table.update().where(table.c.schedule == planned.name, table.c.planned_at == at).values(job=job)
    )
    log.info("%s of %s is job %s", planned.name, at, job)
    return planned.schedule.overlap == "skip" and planned.schedule.missed != "run_all"


def _enqueued(ctx: Context, planned: Planned, run_at: datetime) -> str:
    schedule, jobs = planned.schedule, ctx.jobs
    task = jobs.task(schedule.job)
    order = None if schedule.overlap == "allow" else planned.order_key
    return jobs.add(task, jobs.checked(task, schedule.data), run_at=run_at, order_key=order)


def _add_firing(ctx: Context, name: str, at: datetime, now: datetime, job: str | None) -> bool:
    values = {"schedule": name, "planned_at": at, "fired_at": now, "job": job}
    table = ctx.table(FIRING)
    made = inserting(ctx, table).values(**values).on_conflict_do_nothing().returning(table.c.schedule)
    return ctx.execute(made).first() is not None
