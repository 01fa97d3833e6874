"""What is seen of a try from outside: its trace goes on, it is timed and counted, and the log says how it ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from host import tracing
from host.jobs.claims import Claimed
from host.jobs.endings import Outcome
from host.service.runtime import Runtime

UNKNOWN: Final = "unknown"  # whatever nobody declares any more
log = logging.getLogger("hostwright.jobs")


def watched(runtime: Runtime, claimed: Claimed, work: Callable[[], Outcome]) -> Outcome:
    """Do the work of a try, and see to it that it is seen."""
    task = runtime.tasks.get(claimed.name)
    name = task.name if task is not None else UNKNOWN
    if task is not None:
        runtime.meters.waited(task.queue, (claimed.started_at - claimed.run_at).total_seconds())
    started = time.perf_counter()
    with tracing.resumed(
        claimed.trace, f"job {name}", request_id=claimed.request_id, actor=claimed.actor, job=claimed.id,
        exporter=runtime.exporter,
    ) as trace:  # fmt: skip
        outcome = work()
        seconds = time.perf_counter() - started
        trace.failed = outcome if outcome in ("again", "dead", "lost") else None
        runtime.meters.attempt(name, outcome, seconds)
        if log.isEnabledFor(logging.INFO):
            facts = {
                "job": claimed.id, "job_name": claimed.name, "attempt": claimed.attempt, "outcome": outcome,
                "duration_ms": round(seconds * 1000, 2),
            }  # fmt: skip
            log.info("%s %s", claimed.name, outcome, extra={"facts": facts})
    return outcome
