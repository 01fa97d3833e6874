"""Old events are removed, but for those that a subscriber still waits for. The relay does it, and a command."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from host.service.jobs import UNFINISHED
from host.service.outbox import EVENT
from host.service.runtime import Runtime
from host.service.tasks import JOB


def prune(runtime: Runtime, connection: sa.Connection, before: datetime, most: int) -> int:
    """Remove so many of the events that are older and have their place; how many there were."""
    event, job = runtime.registry.model(EVENT).table, runtime.registry.model(JOB).table
    waiting = connection.execute(
        sa.select(sa.func.min(job.c.order_number)).where(
            job.c.order_key.is_not(None),
            job.c.order_number > 0,
            job.c.state.in_(UNFINISHED),
            job.c.name.contains(">"),
        )
    ).scalar()
    oldest = sa.select(event.c.id, event.c.at, event.c.position).order_by(event.c.id).limit(most).subquery()
    # The newest one stays, so that its number is not given again.
    newest = sa.select(sa.func.max(event.c.id)).scalar_subquery()
    wanted = [oldest.c.at < before, oldest.c.position.is_not(None), oldest.c.id < newest]
    if waiting is not None:
        wanted.append(oldest.c.id < waiting)
    removed = event.delete().where(event.c.id.in_(sa.select(oldest.c.id).where(*wanted)))
    return int(connection.execute(removed).rowcount)
