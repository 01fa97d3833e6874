"""Jobs whose process has died, ended in its place: the supervisor has seen it, so nobody waits for the lease to run out."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from host.jobs.claims import Claimed, held
from host.jobs.endings import Told, fail
from host.jobs.failures import Failure
from host.jobs.interruptions import JobTimeout
from host.jobs.statements import kept, of_try, own_transaction, value
from host.service.runtime import Runtime

log = logging.getLogger("hostwright.jobs")


def settle(runtime: Runtime, lost: Iterable[tuple[str, int, str]]) -> None:
    """End these tries. Of each the id, the attempt and why: `timeout`, `stopped` with its workers, or `died`."""
    for job, attempt, why in lost:
        claimed = held(runtime, job, attempt)
        if claimed is None:
            continue
        if why == "timeout":
            _fail(runtime, claimed)
        elif why == "stopped":
            _put_back(runtime, claimed)
        else:
            _let_go(runtime, claimed)


def _fail(runtime: Runtime, claimed: Claimed) -> None:
    task = runtime.tasks.get(claimed.name)
    said = JobTimeout("it did not end when its time was over, and its process was killed")
    fail(runtime, claimed, task, Failure.of(said), Told())


def _put_back(runtime: Runtime, claimed: Claimed) -> None:
    """It has been cut off by whoever stopped the workers, which is no fault of its own."""
    with own_transaction(runtime) as driver:
        kept(runtime, "put back", _putting_back).run(driver, _of(claimed))


def _let_go(runtime: Runtime, claimed: Claimed) -> None:
    """Its lease runs out now: the reaper decides what becomes of it."""
    with own_transaction(runtime) as driver:
        kept(runtime, "let go", _letting_go).run(driver, {**_of(claimed), "leased_until": datetime.now(UTC)})


def _of(claimed: Claimed) -> dict[str, Any]:
    return {"job": claimed.id, "try": claimed.attempt}


def _putting_back(table: sa.Table) -> Any:
    columns = table.c
    again = {"state": "queued", "attempt": columns.attempt + 1, "leased_until": None}
    return table.update().where(*of_try(table)).values(**again)


def _letting_go(table: sa.Table) -> Any:
    return table.update().where(*of_try(table)).values(leased_until=value(table.c.leased_until))
