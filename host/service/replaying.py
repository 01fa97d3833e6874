"""Events carried to a subscriber once more: what it missed, or what it is to see anew. Commands ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from host.actor import SYSTEM
from host.errors import NotFound
from host.service.jobs import store_jobs
from host.service.outbox import EVENT, delivery
from host.service.runtime import Runtime
from host.service.tasks import Task

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events; of several conditions all have to hold."""

    behind: int | None = None  # a position
    since: datetime | None = None
    first: int | None = None  # the number of the first
    number: int | None = None  # this one alone


def subscriber_task(runtime: Runtime, name: str) -> Task:
    """A subscriber after the commit by its name. Raises NotFound with those that there are."""
    tasks = {key: task for key, task in runtime.tasks.items() if task.kind == "subscriber"}
    if name not in tasks:
        known = ", ".join(sorted(tasks)) or "none"
        raise NotFound(f"there is no subscriber {name!r} after the commit; there are: {known}")
    return tasks[name]


def replay(runtime: Runtime, task: Task, wanted: Wanted) -> int:
    """Carry events to the subscriber again, in their order and under their old numbers; how many."""
    last, total = 0, 0
    while True:
        with runtime.writing(SYSTEM, plugin=task.plugin) as ctx:
            event = ctx.table(EVENT)
            chosen = sa.select(event.c.id, event.c.resource, event.c.key).where(
                event.c.name == task.event, event.c.id > last, *_conditions(event, wanted)
            )
            rows = ctx.execute(chosen.order_by(event.c.id).limit(AT_ONCE)).all()
            if rows:
                store_jobs(ctx, [delivery(ctx, task, row.resource, row.key, row.id) for row in rows])
                ctx.after_commit(runtime.waker.wake)
        total += len(rows)
        if len(rows) < AT_ONCE:
            return total
        last = rows[-1].id


def _conditions(event: sa.Table, wanted: Wanted) -> list[Any]:
    given = {
        event.c.position > (wanted.behind or 0): wanted.behind,
        event.c.at >= (wanted.since or datetime.min): wanted.since,
        event.c.id >= (wanted.first or 0): wanted.first,
        event.c.id == (wanted.number or 0): wanted.number,
    }
    return [condition for condition, value in given.items() if value is not None]
