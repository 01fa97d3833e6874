"""Who works on which job: waiting jobs are chosen in order, claimed by a worker, and held by a lease that has to be renewed.

A try is told by the row's id and its attempt. Whoever loses the lease loses the try: every later statement of it finds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
import sqlalchemy as sa

from host.jobs.statements import instant, kept, listed, listing, of_try, own_transaction, value
from host.service.jobs import UNFINISHED, among
from host.service.runtime import Runtime

LEASE_SECONDS: Final = 15.0  # of a running job; renewed every RENEW_SECONDS
RENEW_SECONDS: Final = 5.0
DISPATCH_SECONDS: Final = 12.0  # that a dispatched job may wait, unless it is seen in Redis again
HIGHEST: Final = (1 << 63) - 1
CHOOSING: Final = 0x6A6F6273  # the lock of PostgreSQL under which jobs with a bound are chosen


@dataclass(frozen=True, slots=True)
class Chosen:
    """A job that may begin: for a dispatcher, which tells a worker of it."""

    id: str
    attempt: int
    name: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """A try that this worker holds."""

    id: str
    attempt: int
    name: str
    data: Any
    sealed: str | None
    actor: str | None
    run_as: str
    request_id: str
    trace: str
    failures: int
    run_at: datetime
    started_at: datetime


COLUMNS: Final = (
    "id", "attempt", "name", "data", "sealed", "actor", "run_as", "request_id", "trace", "failures", "run_at", "started_at",
)  # fmt: skip


def claim(runtime: Runtime, job: str, attempt: int, worker: str = "") -> Claimed | None:
    """Begin a dispatched try; None where it has been taken away, cancelled, or begun by another worker."""
    now = datetime.now(UTC)
    values = {"job": job, "try": attempt, **_running(now, worker)}
    with own_transaction(runtime) as driver:
        row = kept(runtime, "claim", _claiming).run(driver, values).fetchone()
    return _claimed(row) if row is not None else None


def held(runtime: Runtime, job: str, attempt: int) -> Claimed | None:
    """A running try as it is in the table; None where it is over."""
    with runtime.database.reading() as driver:
        row = kept(runtime, "held", _holding).run(driver, {"job": job, "try": attempt}).fetchone()
    return _claimed(row) if row is not None else None


def renew(runtime: Runtime, job: str, attempt: int, seconds: float = LEASE_SECONDS) -> bool:
    """Hold a running try for so much longer, over a connection of its own; False when it has been taken away."""
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    with own_transaction(runtime) as driver:
        return hold(runtime, driver, job, attempt, until)


def hold(runtime: Runtime, driver: Any, job: str, attempt: int, until: datetime) -> bool:
    """The same within a transaction: whether the try still is this worker's, which then stays so until the commit."""
    found = kept(runtime, "renew", lambda table: table.update().where(*of_try(table)).values(
        leased_until=value(table.c.leased_until)
    )).run(driver, {"job": job, "try": attempt, "leased_until": until})  # fmt: skip
    return bool(found.rowcount)


def queues_with_jobs(runtime: Runtime) -> list[str]:
    """Every queue that a declaration names, and those in which jobs of earlier declarations wait."""
    declared = {task.queue for task in runtime.tasks.values()}
    with runtime.database.reading() as driver:
        waiting = {row[0] for row in kept(runtime, "queues", _queues).run(driver, {}).fetchall()}
    return sorted(declared | waiting)


def next_due(runtime: Runtime, queue: str) -> datetime | None:
    """When the first waiting job of a queue is to begin; None where none waits. It may have to wait for others still."""
    found: list[datetime] = []
    with runtime.database.reading() as driver:
        priority = _next_priority(runtime, driver, queue, HIGHEST)
        while priority is not None:
            row = kept(runtime, "first due", _first_due).run(driver, {"queue": queue, "priority": priority})
            found += [instant(it[0]) for it in row.fetchall()]
            priority = _next_priority(runtime, driver, queue, priority)
    return min(found, default=None)


def choose(runtime: Runtime, queue: str, most: int, *, now: datetime | None = None) -> list[Chosen]:
    """Take at most so many jobs that may begin out of a queue, the most important and oldest first: they are dispatched now.

    Several processes may choose at once. A job whose `order_key` an earlier unfinished one has stays, and so do those of which
    as many run as their `concurrency` allows.
    """
    now = now or datetime.now(UTC)
    values = {"state": "dispatched", "leased_until": datetime.now(UTC) + timedelta(seconds=DISPATCH_SECONDS)}
    rows = _taken(runtime, queue, most, now, "dispatch", values)
    return [Chosen(str(row[0]), row[1], row[2]) for row in rows]


def take(
    runtime: Runtime, queue: str, most: int = 1, *, worker: str = "", now: datetime | None = None
) -> list[Claimed]:
    """The same for a worker that carries them out itself: they are claimed at once."""
    now = now or datetime.now(UTC)
    rows = _taken(runtime, queue, most, now, "take", _running(datetime.now(UTC), worker))
    return [_claimed(row) for row in rows]


def take_one(runtime: Runtime, job: str, *, worker: str = "") -> Claimed | None:
    """Claim this waiting job, whatever else waits; None where it does not wait any more."""
    with own_transaction(runtime) as driver:
        rows = _marked(runtime, driver, "take", [job], _running(datetime.now(UTC), worker))
    return _claimed(rows[0]) if rows else None


def _running(now: datetime, worker: str) -> dict[str, Any]:
    until = now + timedelta(seconds=LEASE_SECONDS)
    return {"state": "running", "started_at": now, "worker": worker or None, "leased_until": until}


def _taken(
    runtime: Runtime, queue: str, most: int, now: datetime, how: str, values: dict[str, Any]
) -> list[Any]:
    with runtime.database.reading() as driver:  # on SQLite looking for nothing must not take the write lock
        if next(_due(runtime, driver, queue, now), None) is None:
            return []
    found: list[Any] = []
    with own_transaction(runtime) as driver:
        room = _Room.of(runtime, driver, queue)
        for priority in _due(runtime, driver, queue, now):
            while len(found) < most:
                given = {"queue": queue, "priority": priority, "now": now, "most": most - len(found)}
                waiting = _picking(runtime, driver, room.full, given)
                chosen = [row[0] for row in waiting if room.has(row[1])]
                found += _marked(runtime, driver, how, chosen, values)
                if len(chosen) == len(waiting):  # else those of a full name have taken the place of others
                    break
    return found


def _due(runtime: Runtime, driver: Any, queue: str, now: datetime) -> Iterator[int]:
    """The priorities of which a job is due, the highest first."""
    priority = _next_priority(runtime, driver, queue, HIGHEST)
    while priority is not None:
        first = (
            kept(runtime, "first due", _first_due)
            .run(driver, {"queue": queue, "priority": priority})
            .fetchone()
        )
        if first is not None and instant(first[0]) <= now:
            yield priority
        priority = _next_priority(runtime, driver, queue, priority)


def _next_priority(runtime: Runtime, driver: Any, queue: str, below: int) -> int | None:
    found = kept(runtime, "priority", _priority).run(driver, {"queue": queue, "below": below}).fetchone()
    return found[0] if found is not None else None


@dataclass
class _Room:
    """How many more of each job with a bound may run."""

    left: dict[str, int]
    full: list[str]

    @classmethod
    def of(cls, runtime: Runtime, driver: Any, queue: str) -> _Room:
        bounds = {
            task.name: task.concurrency for task in runtime.tasks.values() if task.queue == queue and task.concurrency
        }  # fmt: skip
        if not bounds:
            return cls({}, [])
        if runtime.database.dialect == "postgresql":  # SQLite has its one write lock
            driver.execute("SELECT pg_advisory_xact_lock(%s)", (CHOOSING,))
        counted = kept(runtime, "running", lambda table: _counting(runtime, table))
        for name, count in counted.run(driver, {"names": listing(runtime, list(bounds))}).fetchall():
            bounds[name] -= count
        return cls(bounds, [name for name, left in bounds.items() if left <= 0])

    def has(self, name: str) -> bool:
        """Whether one more may run, which then counts."""
        left = self.left.get(name)
        if left is None:
            return True
        self.left[name] = left - 1
        if left == 1:
            self.full.append(name)
        return left > 0


def _picking(runtime: Runtime, driver: Any, full: list[str], given: dict[str, Any]) -> list[Any]:
    if not full:
        return list(kept(runtime, "pick", _waiting).run(driver, given).fetchall())
    statement = kept(
        runtime,
        "pick others",
        lambda table: _waiting(table).where(~listed(runtime, table.c.name, "full", "text")),
    )
    return list(statement.run(driver, {**given, "full": listing(runtime, full)}).fetchall())


def _marked(runtime: Runtime, driver: Any, how: str, ids: list[Any], values: dict[str, Any]) -> list[Any]:
    """The rows in the order in which they were picked."""
    if not ids:
        return []
    statement = kept(runtime, how, lambda table: _marking(runtime, table, values))
    texts = [str(it) for it in ids]
    rows = statement.run(driver, {**values, "ids": listing(runtime, texts)}).fetchall()
    return sorted(rows, key=lambda row: texts.index(str(row[0])))


def _claimed(row: Any) -> Claimed:
    found = dict(zip(COLUMNS, row, strict=True))
    found |= {"run_at": instant(found["run_at"]), "started_at": instant(found["started_at"])}
    data = found["data"]
    found["data"] = orjson.loads(data) if isinstance(data, str | bytes) else data
    found |= {name: found[name] or "" for name in ("request_id", "trace")}
    found |= {name: str(found[name]) for name in ("id", "actor") if found[name] is not None}
    return Claimed(**found)


# --- the statements ---------------------------------------------------------------------------------------------------


def _claiming(table: sa.Table) -> Any:
    columns = table.c
    mine = [
        columns.id == value(columns.id, "job"),
        columns.attempt == value(columns.attempt, "try"),
        among(columns.state, ("dispatched",)),
    ]
    return _begun(table.update().where(*mine), table).returning(*(columns[name] for name in COLUMNS))


def _holding(table: sa.Table) -> Any:
    return sa.select(*(table.c[name] for name in COLUMNS)).where(*of_try(table))


def _begun(update: Any, table: sa.Table) -> Any:
    columns = table.c
    given = {name: value(columns[name]) for name in ("state", "started_at", "worker", "leased_until")}
    return update.values(**given, progress=None, message=None)


def _marking(runtime: Runtime, table: sa.Table, values: dict[str, Any]) -> Any:
    columns = table.c
    update = table.update().where(
        listed(runtime, columns.id, "ids", "uuid"), among(columns.state, ("queued",))
    )
    if "started_at" in values:
        return _begun(update, table).returning(*(columns[name] for name in COLUMNS))
    marked = update.values(state=value(columns.state), leased_until=value(columns.leased_until))
    return marked.returning(columns.id, columns.attempt, columns.name)


def _waiting(table: sa.Table) -> Any:
    columns = table.c
    earlier = table.alias("earlier")
    is_before = sa.tuple_(earlier.c.order_number, earlier.c.id) < sa.tuple_(columns.order_number, columns.id)
    blocking = sa.exists(
        sa.select(sa.literal_column("1")).select_from(earlier).where(
            earlier.c.order_key == columns.order_key, among(earlier.c.state, UNFINISHED), is_before
        ).correlate(table)
    )  # fmt: skip
    return (
        sa.select(columns.id, columns.name)
        .where(
            among(columns.state, ("queued",)),
            columns.queue == value(columns.queue),
            columns.priority == value(columns.priority),
            columns.run_at <= value(columns.run_at, "now"),
            columns.order_key.is_(None) | ~blocking,
        )
        .order_by(columns.run_at, columns.id)
        .limit(sa.bindparam("most", type_=sa.Integer()))
        .with_for_update(skip_locked=True, of=table)
    )


def _counting(runtime: Runtime, table: sa.Table) -> Any:
    columns = table.c
    busy = among(columns.state, ("dispatched", "running"))
    counted = sa.select(columns.name, sa.func.count()).where(
        listed(runtime, columns.name, "names", "text"), busy
    )
    return counted.group_by(columns.name)


def _queues(table: sa.Table) -> Any:
    return sa.select(table.c.queue).where(among(table.c.state, ("queued",))).distinct()


def _priority(table: sa.Table) -> Any:
    columns = table.c
    waiting = [among(columns.state, ("queued",)), columns.queue == value(columns.queue)]
    below = columns.priority < sa.bindparam("below", type_=sa.BigInteger())
    return sa.select(columns.priority).where(*waiting, below).order_by(columns.priority.desc()).limit(1)


def _first_due(table: sa.Table) -> Any:
    columns = table.c
    waiting = [among(columns.state, ("queued",)), columns.queue == value(columns.queue)]
    same = columns.priority == value(columns.priority)
    return sa.select(columns.run_at).where(*waiting, same).order_by(columns.run_at).limit(1)
