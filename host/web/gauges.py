"""What the database knows of jobs, schedules and events, as numbers: for `/metrics`, which asks when it is asked itself.

The statements read small partial indexes, end in time, and are repeated the more seldom the longer they take, so that however
many ask keep the database busy for a twentieth of the time at most.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Final

import sqlalchemy as sa

from host.database.engines import TICK
from host.metrics.definitions import (
    DATABASE_UP,
    FIRED_LAG,
    JOBS,
    OUTBOX,
    OUTBOX_LAG,
    PROCESSES,
    QUEUE_AGE,
    SCHEDULE_LAG,
    Metric,
)
from host.metrics.meters import key_of
from host.service.runtime import Runtime

SECONDS: Final = 2.0  # for all statements together
FRESH_SECONDS: Final = 5.0
SHARE: Final = 20
STATES: Final = ("queued", "later", "dispatched", "running", "dead")
GONE: Final = timedelta(seconds=30)
log = logging.getLogger("hostwright")
Values = dict[str, float]


@dataclass(eq=False)
class Gauges:
    """The numbers of one app's database. `clock` is monotonic."""

    runtime: Runtime
    clock: Callable[[], float] = time.monotonic
    _values: Values = field(default_factory=dict)
    _until: float = -1.0
    _lock: Lock = field(default_factory=Lock)

    def values(self) -> Values:
        """The numbers, a few seconds old at most. While another thread asks for new ones, the old ones."""
        if self.clock() < self._until or not self._lock.acquire(blocking=not self._values):
            return self._values
        try:
            if self.clock() >= self._until:
                started = self.clock()
                self._values = self._asked()
                now = self.clock()
                self._until = now + max(FRESH_SECONDS, SHARE * (now - started))
            return self._values
        finally:
            self._lock.release()

    def _asked(self) -> Values:
        try:
            with self.runtime.database.snapshot() as connection, in_time(connection):
                values = {key_of(DATABASE_UP.name, "", ()): 1.0}
                now = datetime.now(UTC)
                for ask in (self._jobs, self._processes, self._schedules, self._events):
                    values |= {
                        key_of(metric.name, "", labels): value
                        for metric, labels, value in ask(connection, now)
                    }
                return values
        except Exception as error:  # whatever it is, the counters are told
            log.warning("the database does not tell what /metrics asks for: %s", type(error).__name__)
            return {key_of(DATABASE_UP.name, "", ()): 0.0}

    def _jobs(self, connection: sa.Connection, now: datetime) -> Iterator[Told]:
        for queue in {task.queue for task in self.runtime.tasks.values()}:  # told even where nothing waits
            yield QUEUE_AGE, (queue,), 0.0
            yield from ((JOBS, (queue, state), 0.0) for state in STATES)
        job = self._table("host.job")
        is_due = sa.case((job.run_at <= now, 1), else_=0)
        waiting = (
            sa.select(job.queue, sa.func.count(), sa.func.sum(is_due), sa.func.min(job.run_at))
            .where(job.state == sa.literal_column("'queued'"))
            .group_by(job.queue)
        )
        for queue, count, due, oldest in connection.execute(waiting):
            yield JOBS, (queue, "queued"), float(due)
            yield JOBS, (queue, "later"), float(count - due)
            yield QUEUE_AGE, (queue,), _age(oldest, now)
        # As the partial index has it; and with names, without which all that are done would be looked through.
        taken = sa.text("state IN ('dispatched', 'running')")
        dead = sa.and_(job.name.in_(list(self.runtime.tasks)), job.state == sa.literal_column("'dead'"))
        for which in (taken, dead):
            counted = sa.select(job.queue, job.state, sa.func.count()).where(which)
            for queue, state, count in connection.execute(counted.group_by(job.queue, job.state)):
                yield JOBS, (queue, state), float(count)

    def _processes(self, connection: sa.Connection, now: datetime) -> Iterator[Told]:
        process = self._table("host.process")
        alive = (
            sa.select(process.kind, sa.func.count())
            .where(process.seen_at > now - GONE)
            .group_by(process.kind)
        )
        found = {str(kind): float(count) for kind, count in connection.execute(alive)}
        for kind in ("worker", "scheduler"):
            yield PROCESSES, (kind,), found.get(kind, 0.0)

    def _schedules(self, connection: sa.Connection, now: datetime) -> Iterator[Told]:
        row = self._table("host.schedule")
        known = self.runtime.registry.declaration.schedules
        for name, is_paused, next_at, lag in connection.execute(
            sa.select(row.name, row.paused, row.next_at, row.lag)
        ):
            if name in known:  # rows of what was declared once stay
                yield SCHEDULE_LAG, (name,), 0.0 if is_paused else _age(next_at, now)
                yield FIRED_LAG, (name,), float(lag or 0.0)

    def _events(self, connection: sa.Connection, now: datetime) -> Iterator[Told]:
        event = self._table("host.event")
        without = event.position.is_(None)
        count = connection.execute(sa.select(sa.func.count(event.id)).where(without)).scalar_one()
        oldest = sa.select(event.at).where(without).order_by(event.id).limit(1)
        yield OUTBOX, (), float(count)
        yield OUTBOX_LAG, (), _age(connection.execute(oldest).scalar(), now)

    def _table(self, name: str) -> Any:
        return self.runtime.registry.model(name).table.c


Told = tuple[Metric, tuple[str, ...], float]


def _age(at: datetime | None, now: datetime) -> float:
    return max((now - at).total_seconds(), 0.0) if at is not None else 0.0


@contextmanager
def in_time(connection: sa.Connection, seconds: float = SECONDS) -> Iterator[None]:
    """Interrupt what the block asks of the database when it takes longer."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(seconds * 1000)}")
        yield
        return
    driver: Any = connection.connection.dbapi_connection
    end = time.monotonic() + seconds
    driver.set_progress_handler(lambda: time.monotonic() > end, TICK)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)
