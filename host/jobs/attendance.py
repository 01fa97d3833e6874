"""Whether somebody carries jobs out and fires schedules, by the rows of `host.process`. `/health/ready` tells it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from host.actor import SYSTEM
from host.jobs.processes import GONE_SECONDS, PROCESS
from host.service.runtime import Runtime


def attendance(runtime: Runtime) -> Mapping[str, bool]:
    """By what a site needs, whether it is there: workers for every queue of its jobs, and a scheduler for its schedules."""
    with runtime.reading(SYSTEM, plugin="host") as ctx:
        table = ctx.table(PROCESS)
        lately = datetime.now(UTC) - timedelta(seconds=GONE_SECONDS)
        wanted = sa.select(table.c.kind, table.c.queues).where(table.c.seen_at >= lately)
        rows = ctx.execute(wanted).mappings().all()
    taken = [frozenset(row["queues"]) for row in rows if row["kind"] == "worker"]
    queues = {task.queue for task in runtime.tasks.values()}
    found = {}
    if queues:
        found["workers"] = all(any(not its or queue in its for its in taken) for queue in queues)
    if runtime.registry.declaration.schedules:
        found["scheduler"] = any(row["kind"] == "scheduler" for row in rows)
    return found
