"""The host's own jobs: the daily clean-up of what has been kept long enough, and sweeping files that no row has.

Requests clear a little away in passing, which keeps tables small while there is traffic; this clears the rest, also where
nothing happens. A batch is a transaction of its own, so nobody waits for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from host.actor import SYSTEM
from host.jobs.operating import purge
from host.jobs.timetable import FIRING, Timetable
from host.service.context import Context
from host.service.journal import ENTRY
from host.service.pruning import prune
from host.service.runtime import Runtime
from host.service.sweeping import Sweeper

AT_ONCE: Final = 1000
FIRING_DAYS: Final = 30
log = logging.getLogger("hostwright.jobs")
Clear = Callable[[Runtime, datetime, int], int]  # removes so many and answers how many there were


def clean_up(ctx: Context) -> dict[str, int]:
    """Remove everything that has been kept long enough; answers how many rows of each kind."""
    found: dict[str, int] = {}
    kinds = clearings()
    for number, (name, clear) in enumerate(kinds.items()):
        found[name] = _all(ctx, clear)
        ctx.job.progress(100 * (number + 1) // len(kinds), name)
    kept = timedelta(days=ctx.runtime.journal.settings.days)
    found["audit_entries"] = remove_entries(ctx.runtime, ctx.now - kept)
    found["schedules"] = Timetable.of(ctx.runtime).forget(ctx.now)
    log.info("cleaned up: %s", _counted(found), extra={"removed": found})
    return found


def sweep_files(ctx: Context) -> dict[str, int]:
    """Remove what uploads left behind and files without a row; answers how many, and how many rows lack their file."""
    files = ctx.runtime.files
    assert files is not None  # every site has a storage
    swept = Sweeper.of(ctx.runtime, ctx.now, files.settings.grace_seconds).sweep()
    found = {
        "broken_off": len(swept.broken_off), "forgotten": len(swept.forgotten), "orphaned": len(swept.orphaned),
        "missing": len(swept.missing),
    }  # fmt: skip
    log.info("files swept: %s", _counted(found), extra={"removed": found})
    for field, path in swept.missing[:AT_ONCE]:
        log.warning("a row of %s has lost its file %s", field, path)
    return found


def clearings() -> Mapping[str, Clear]:
    """What is cleared away a batch at a time, by what it is."""
    return {
        "jobs": lambda runtime, now, most: purge(runtime, most),
        "events": _events,
        "sessions": partial(_old, "host.session", "expires_at", timedelta(0)),
        "repeated_requests": partial(_old, "host.idempotency", "expires_at", timedelta(0)),
        "attempts": partial(_old, "host.attempt", "expires_at", timedelta(0)),
        "links": partial(_old, "host.one_time_link", "expires_at", timedelta(0)),
        "firings": partial(_old, FIRING, "fired_at", timedelta(days=FIRING_DAYS)),
    }


def remove_entries(runtime: Runtime, before: datetime) -> int:
    """Remove the audit entries that are older, a batch in each transaction; that they were is an entry itself."""
    journal, total = runtime.journal, 0
    while True:
        with runtime.writing(SYSTEM, plugin="host") as ctx:
            removed = journal.forget(ctx, before, AT_ONCE)
            total += removed
            if removed == AT_ONCE:
                continue
            if total:
                changes = {"entries": [total, 0]}
                journal.add(ctx, journal.entry(ctx, "write", "prune", resource=ENTRY, changes=changes))
            return total


def _all(ctx: Context, clear: Clear) -> int:
    total = 0
    while True:
        removed = clear(ctx.runtime, ctx.now, AT_ONCE)
        total += removed
        if removed < AT_ONCE:
            return total
        ctx.job.check()


def _events(runtime: Runtime, now: datetime, most: int) -> int:
    with runtime.database.writing() as connection:
        return prune(runtime, connection, now - timedelta(days=runtime.events.days), most)


def _old(name: str, column: str, age: timedelta, runtime: Runtime, now: datetime, most: int) -> int:
    """Remove rows of a table whose instant is past by so much, passing over those that somebody holds."""
    table = runtime.registry.model(name).table
    keys: Any = sa.tuple_(*table.primary_key.columns)
    if len(table.primary_key.columns) == 1:
        keys = table.primary_key.columns[0]
    past = sa.select(*table.primary_key.columns).where(table.c[column] < now - age)
    with runtime.database.writing() as connection:
        some = past.limit(most).with_for_update(skip_locked=True)
        return int(connection.execute(table.delete().where(keys.in_(some))).rowcount)


def _counted(found: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in found.items() if count) or "nothing"
