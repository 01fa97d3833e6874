"""Which schedules are declared and what has become of them: the rows of `host.schedule`. Scheduler and commands call it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from host.actor import SYSTEM
from host.auth.inserts import inserting
from host.declaration.nodes import Schedule
from host.errors import NotFound
from host.jobs.cron import Cron
from host.service.context import Context
from host.service.runtime import Runtime
from host.service.tasks import JOB

SCHEDULE: Final = "host.schedule"
FIRING: Final = "host.firing"
ABSENT: Final = timedelta(days=30)  # without anybody who fires it
ON_TIME: Final = timedelta(seconds=60)  # what is later has been missed
Row = Mapping[Any, Any]


@dataclass(frozen=True, slots=True)
class Planned:
    """A declared schedule."""

    name: str
    schedule: Schedule
    cron: Cron

    @property
    def plan(self) -> str:
        """What its next time comes from."""
        return f"{self.cron.text} {self.cron.zone}"

    @property
    def order_key(self) -> str:
        """Its jobs run one after the other."""
        return hashlib.sha256(f"schedule {self.name}".encode()).hexdigest()

    def run_at(self, planned: datetime) -> datetime:
        """When the job may begin: `jitter` spreads those of many sites, and asks the same of every process."""
        spread = self.schedule.jitter * 1000
        if spread == 0:
            return planned
        digest = hashlib.sha256(f"{self.name} {planned.isoformat()}".encode()).digest()
        return planned + timedelta(milliseconds=int.from_bytes(digest[:8], "big") % (spread + 1))


@dataclass(frozen=True, eq=False)
class Timetable:
    """The schedules of one app."""

    runtime: Runtime
    planned: Mapping[str, Planned]

    @classmethod
    def of(cls, runtime: Runtime) -> Timetable:
        """What is declared."""
        declared = runtime.registry.declaration.schedules
        return cls(
            runtime, {name: Planned(name, it, Cron(it.cron, it.zone)) for name, it in declared.items()}
        )

    def named(self, name: str) -> Planned:
        """One of them. Raises NotFound."""
        found = self.planned.get(name)
        if found is None:
            raise NotFound(f"there is no schedule {name!r}")
        return found

    def rows(self) -> dict[str, Row]:
        """What is stored of those that are declared."""
        with self.runtime.reading(SYSTEM, plugin="host") as ctx:
            found = ctx.execute(sa.select(ctx.table(SCHEDULE))).mappings().all()
        return {row["name"]: row for row in found if row["name"] in self.planned}

    def settled(self, now: datetime) -> dict[str, Row]:
        """What is stored, after rows for new schedules were made and those with another `cron` planned anew."""
        rows = self.rows()
        new = [it for it in self.planned.values() if it.name not in rows]
        changed = [it for it in self.planned.values() if it.name in rows and rows[it.name]["plan"] != it.plan]
        if not new and not changed:
            return rows
        with self.runtime.writing(SYSTEM, plugin="host") as ctx:
            for it in new:
                self._add(ctx, it, now)
            for it in changed:
                # A minute back: beside a process that has another plan still, neither loses what is its own.
                self._plan(ctx, it, it.cron.next(now - ON_TIME), plan=it.plan)
        return self.rows()

    def forget(self, now: datetime) -> int:
        """Remove what is no longer declared; what belongs to a plugin that is absent may come back within a month."""
        loaded = {plugin.name for plugin in self.runtime.registry.declaration.plugins}
        with self.runtime.reading(SYSTEM, plugin="host") as ctx:
            table = ctx.table(SCHEDULE)
            rows = ctx.execute(sa.select(table.c.name, table.c.next_at)).mappings().all()
        gone = [
            row["name"]
            for row in rows
            if row["name"] not in self.planned
            and (row["name"].partition(".")[0] in loaded or row["next_at"] < now - ABSENT)
        ]
        if gone:
            with self.runtime.writing(SYSTEM, plugin="host") as ctx:
                ctx.execute(table.delete().where(table.c.name.in_(gone)))
        return len(gone)

    def pause(self, name: str, now: datetime) -> None:
        """Fire no more until it is resumed. Raises NotFound."""
        self._set(name, now, paused=True)

    def resume(self, name: str, now: datetime) -> None:
        """Fire again, from the next planned time on: what was paused is not missed. Raises NotFound."""
        self._set(name, now, paused=False, next_at=self.named(name).cron.next(now))

    def _set(self, name: str, now: datetime, **values: Any) -> None:
        self.named(name)
        self.settled(now)
        with self.runtime.writing(SYSTEM, plugin="host") as ctx:
            table = ctx.table(SCHEDULE)
            ctx.execute(table.update().where(table.c.name == name).values(**values))

    @staticmethod
    def _add(ctx: Context, it: Planned, now: datetime) -> None:
        values = {"name": it.name, "plan": it.plan, "paused": False, "next_at": it.cron.next(now)}
        ctx.execute(inserting(ctx, ctx.table(SCHEDULE)).values(**values).on_conflict_do_nothing())

    @staticmethod
    def _plan(ctx: Context, it: Planned, next_at: datetime, **values: Any) -> None:
        table = ctx.table(SCHEDULE)
        ctx.execute(table.update().where(table.c.name == it.name).values(next_at=next_at, **values))


def last_state(ctx: Context, name: str) -> str | None:
    """What has become of the job of the last firing that had one; None where there is no such job, or none any more."""
    firing, job = ctx.table(FIRING), ctx.table(JOB)
    last = (
        sa.select(firing.c.job)
        .where(firing.c.schedule == name, firing.c.job.is_not(None))
        .order_by(firing.c.planned_at.desc())
        .limit(1)
    )
    found = ctx.execute(last).scalar_one_or_none()
    if found is None:
        return None
    state: str | None = ctx.execute(sa.select(job.c.state).where(job.c.id == found)).scalar_one_or_none()
    return state
