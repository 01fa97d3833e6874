"""What is due carried out at once, by the process that asks: tests, `hostwright jobs run`, threads where there is no Redis."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from host.jobs.claims import queues_with_jobs, take
from host.jobs.endings import Outcome
from host.jobs.execution import Limit, carry_out, in_time
from host.service.runtime import Runtime

MOST: Final = 10_000  # jobs that enqueue each other would never end


@dataclass(frozen=True, slots=True)
class Ran:
    """A try that was carried out here."""

    id: str
    name: str
    outcome: Outcome


def drain(
    runtime: Runtime, queues: Iterable[str] = (), *, ahead: float = 0, most: int = MOST, worker: str = "",
    limit: Limit = in_time,
) -> list[Ran]:  # fmt: skip
    """Carry out what is due, one after the other, until nothing is; also what the jobs enqueue themselves.

    `ahead` counts what is due within so many seconds as due now, e.g. the next try of a job that has failed.
    """
    chosen, found = list(queues), list[Ran]()
    while len(found) < most:
        now = datetime.now(UTC) + timedelta(seconds=ahead)
        ran = [
            it
            for queue in chosen or queues_with_jobs(runtime)
            for it in _next(runtime, queue, now, worker, limit)
        ]
        if not ran:
            break
        found += ran
    return found


def _next(runtime: Runtime, queue: str, now: datetime, worker: str, limit: Limit) -> list[Ran]:
    claimed = take(runtime, queue, worker=worker, now=now)
    return [Ran(it.id, it.name, carry_out(runtime, it, limit=limit)) for it in claimed]
