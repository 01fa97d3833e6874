"""Forgetting what has expired: attempts and one-time links. Whoever stores one calls it now and then.

A few rows at a time and in a transaction of its own, passing over rows that somebody else holds; nothing depends on it.
"""

from __future__ import annotations

import random
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from host.actor import SYSTEM
from host.service.runtime import Runtime

EXPIRING: Final = ("host.attempt", "host.one_time_link")
ONE_IN = 32
AT_ONCE = 1000
MOST_ROWS = 200_000  # of one table; beyond it the rows that expire first go early


def prune(runtime: Runtime, now: datetime, *, chance: int = ONE_IN) -> None:
    """Once in so many calls, remove what has expired."""
    if random.randrange(chance) != 0:
        return
    for name in EXPIRING:
        table = runtime.registry.models[name].table
        key = next(iter(table.primary_key))
        expired = (
            sa.select(key).where(table.c.expires_at < now).limit(AT_ONCE).with_for_update(skip_locked=True)
        )
        with runtime.writing(SYSTEM, plugin="host") as ctx:
            gone = [row[0] for row in ctx.execute(expired)]
            excess = int(ctx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()) - MOST_ROWS
            if excess > 0:
                first = sa.select(key).order_by(table.c.expires_at).limit(min(excess, AT_ONCE))
                gone += [row[0] for row in ctx.execute(first.with_for_update(skip_locked=True))]
            if gone:
                ctx.execute(table.delete().where(key.in_(gone)))
