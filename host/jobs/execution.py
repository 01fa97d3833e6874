"""One try of a job, from its claim to its end. Every way to carry jobs out goes through `execute` or `carry_out`.

A `whole` job runs in one transaction, which commits its effects together with `done`; a job of `steps` runs outside of one.
Whatever stops a try, its row says why, and belongs to nobody or to the next try.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from host.actor import ANONYMOUS, SYSTEM, Actor
from host.auth.admission import with_row
from host.auth.lookup import actor_of, by_id
from host.database.failures import failure as is_away
from host.errors import Unavailable
from host.jobs.alarms import alarm
from host.jobs.carrying import Carrying
from host.jobs.claims import Claimed, claim
from host.jobs.endings import Outcome, fail, finish, stop
from host.jobs.failures import Failure, JobRefused, UnknownTask
from host.jobs.interruptions import JobCancelled, JobTimeout, LeaseLost
from host.jobs.reaping import give_back
from host.jobs.running import run
from host.jobs.statements import own_transaction
from host.jobs.watching import watched
from host.service.jobs import NOBODY_WORD, SYSTEM_WORD
from host.service.journal import Origin
from host.service.runtime import Runtime
from host.service.tasks import Task

Limit = Callable[[float], AbstractContextManager[None]]
log = logging.getLogger("hostwright.jobs")


def in_time(seconds: float) -> AbstractContextManager[None]:
    """Raises JobTimeout in the block when it takes longer, in the main thread.

    In other threads nothing can interrupt code: there the time is looked at when the code reports its progress, between
    steps, and at the end.
    """
    return alarm(seconds) if threading.current_thread() is threading.main_thread() else nullcontext()


def execute(runtime: Runtime, job: str, attempt: int, *, worker: str = "", limit: Limit = in_time) -> Outcome:
    """Carry out a dispatched try: `skipped`, when there is nothing to do under this number any more."""
    claimed = claim(runtime, job, attempt, worker)
    return carry_out(runtime, claimed, limit=limit) if claimed is not None else "skipped"


def carry_out(runtime: Runtime, claimed: Claimed, *, limit: Limit = in_time) -> Outcome:
    """Carry out a try that has been claimed."""
    return watched(runtime, claimed, lambda: _carried_out(runtime, claimed, limit))


def _carried_out(runtime: Runtime, claimed: Claimed, limit: Limit) -> Outcome:
    task = runtime.tasks.get(claimed.name)
    carrying = Carrying(runtime, claimed, task) if task is not None else None
    asked = Origin(request_id=claimed.request_id, actor=Actor(claimed.actor) if claimed.actor else None)
    with runtime.asked(asked):
        try:
            if task is None or carrying is None:
                raise UnknownTask(f'nobody declares a job "{claimed.name}"')
            with runtime.carrying(carrying):
                _attempt(runtime, claimed, task, carrying, limit)
        except LeaseLost:
            log.warning("a try of a job has lost its lease", extra=_extra(claimed))
            return "lost"
        except (Exception, JobCancelled, JobTimeout) as error:  # whatever a plugin's code raises
            return _failed(runtime, claimed, task, carrying, error)
    return "done"


def _attempt(runtime: Runtime, claimed: Claimed, task: Task, carrying: Carrying, limit: Limit) -> None:
    actor = _actor(runtime, claimed)
    data = runtime.sealer.open(claimed.sealed) if claimed.sealed is not None else claimed.data
    if task.transaction == "steps":
        ctx = runtime.context(actor, request_id=claimed.request_id, plugin=task.plugin)
        result = _limited(task, carrying, limit, lambda: run(ctx, task, data))
        with own_transaction(runtime) as driver:
            finish(runtime, driver, claimed, task, result, carrying.told)
        return
    with runtime.writing(actor, claimed.request_id, task.plugin) as ctx:
        result = _limited(task, carrying, limit, lambda: run(ctx, task, data))
        ctx.transaction.flush()
        finish(runtime, ctx.transaction.driver, claimed, task, result, carrying.told)


def _limited(task: Task, carrying: Carrying, limit: Limit, work: Callable[[], Any]) -> Any:
    """The work within its time. What commits it is not interrupted."""
    with limit(task.timeout):
        result = work()
    carrying.check_time()
    return result


def _actor(runtime: Runtime, claimed: Claimed) -> Actor:
    """With whose rights it runs: of the account as it is now. An API key's scopes were asked for what enqueued it."""
    if claimed.run_as == SYSTEM_WORD:
        return SYSTEM
    if claimed.run_as == NOBODY_WORD:
        return ANONYMOUS
    with runtime.database.reading() as driver:
        row = by_id(runtime, driver, claimed.run_as)
    row = with_row(runtime, row) if row is not None else None
    if row is None or not row["active"]:
        raise JobRefused("account", "the account that it runs as is not there any more, or not active")
    return replace(actor_of(runtime, row), session=None)


def _failed(
    runtime: Runtime, claimed: Claimed, task: Task | None, carrying: Carrying | None, error: BaseException
) -> Outcome:
    told = carrying.told if carrying is not None else None
    if isinstance(error, JobCancelled):
        return stop(runtime, claimed, task, told)
    if isinstance(error, Unavailable) and error.__cause__ is not None and is_away(error.__cause__):
        return give_back(runtime, claimed, error.detail)
    failure = Failure.of(error, is_sealed=claimed.sealed is not None)
    outcome = fail(runtime, claimed, task, failure, told)
    is_known = (
        failure.error["code"] != "internal" or claimed.sealed is not None
    )  # a stack may show what is sealed
    said = "a job is dead: %s" if outcome == "dead" else "a try of a job has failed: %s"
    log.error(said, failure.error["detail"], extra=_extra(claimed), exc_info=None if is_known else error)
    return outcome


def _extra(claimed: Claimed) -> dict[str, Any]:
    return {"job": claimed.id, "job_name": claimed.name, "attempt": claimed.attempt}
